// What the search weighs. As Sphinx does, except that a heading or a theorem that is named like
// the query comes before the pages that merely use its words.
var Scorer = {
  score: ([, title, anchor, , score]) => (anchor && title.includes(" > ") ? score + 100 : score),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
