// What the search weighs. As Sphinx does, except that a chapter's heading or theorem that is named
// like the query comes before the pages that merely use its words. Pages that repeat what chapters
// say come after the chapters. (A chapter's own title is an entry of the index: 100 points.)
const REPEATS = /cheat-sheet|claims|map|notation|papers|course/;
var Scorer = {
  score: ([page, title, anchor, , score]) => {
    if (REPEATS.test(page)) return score - 1;
    return anchor && title.includes(" > ") ? score + 100 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
