// What the search weighs. As Sphinx does, except that a page named like the query comes first, and
// a heading or a theorem named like it comes before the pages that merely use its words.
// Sphinx gives a page whose title is the query `title` and one more.
var Scorer = {
  score: ([, title, anchor, , score]) => {
    if (!anchor && score === Scorer.title + 1) return score + 200;
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
