"""Let the search find a symbol by its meaning: “resolvent” leads to its line in the notation."""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

MOST_WORDS = 5
# What readers look for in other words than a page's own.
ALSO = {
    "chapters/accumulation": ("pi^2/6", "π²/6", "Basel problem", "golden ratio"),
    "chapters/closed-loops": ("temperature", "smoothing"),
}


def phrases(meaning: nodes.Element) -> Iterator[str]:
    """Yield the short phrases of a symbol's meaning, without formulas and without articles."""
    plain = meaning.deepcopy()
    for formula in list(plain.findall(nodes.math)):
        formula.parent.replace(formula, nodes.Text(";"))
    for phrase in re.split(r"[;:,.()|]", plain.astext()):
        phrase = re.sub(r"^(an?|the|and|of|for)\s+", "", phrase.strip(), flags=re.IGNORECASE)
        if len(phrase) > 3 and len(phrase.split()) <= MOST_WORDS:
            yield phrase


class IndexOtherWords(SphinxTransform):
    """Index a page under its title, which its number hides, and other words for its subject."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        section = next(self.document.findall(nodes.section), None)
        if section is not None:
            names = (section[0].astext(), *ALSO.get(self.env.docname, ()))
            entries = [("single", words, section["ids"][0], "main", None) for words in names]
            section.insert(1, addnodes.index(entries=entries))


class IndexMeanings(SphinxTransform):
    """Index the second column of every table that is headed “symbol” and “meaning”."""

    default_priority = 500

    def apply(self, **kwargs) -> None:
        for table in list(self.document.findall(nodes.table)):
            heads = [entry.astext() for head in table.findall(nodes.thead) for entry in head[0]]
            if heads[:2] != ["symbol", "meaning"]:
                continue
            section = table.parent
            while not isinstance(section, nodes.section):
                section = section.parent
            rows = next(table.findall(nodes.tbody))
            found = [phrase for row in rows for phrase in phrases(row[1])]
            entries = [
                ("single", phrase, section["ids"][0], "main", None)
                for phrase in dict.fromkeys(found)
            ]
            table.parent.insert(table.parent.index(table), addnodes.index(entries=entries))


def setup(app: Sphinx) -> dict:
    app.add_transform(IndexMeanings)
    app.add_transform(IndexOtherWords)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
