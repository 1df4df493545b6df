"""A role that leads to the place where a claim is checked.

``{claim}`error-degradation.R1-fresh``` is a link called *R1-fresh*: the claim's name, with its result
in front. ``{claim}`measured <error-degradation.R1-fresh>``` has words of its own. A claim that no
notebook makes is a warning, and so stops the build.
"""

from __future__ import annotations

from claims_ledger import ledger
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import ReferenceRole


def short_name(record: dict) -> str:
    """Return the claim's name without its chapter, beginning with the number of its result."""
    name = record["id"].partition(".")[2]
    return name if name.startswith(record["result"]) else f"{record['result']}-{name}"


class ClaimLink(ReferenceRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        found = self._claims().get(self.target)
        if found is None:
            message = self.inliner.reporter.warning(
                f"no notebook makes the claim {self.target!r}", line=self.lineno
            )
            return [nodes.Text(self.title)], [message]
        docname, record = found
        page = self.env.app.builder.get_relative_uri(self.env.docname, docname)
        text = self.title if self.has_explicit_title else short_name(record)
        link = nodes.reference(
            "",
            text,
            refuri=f"{page}#claim-{self.target}",
            internal=True,
            reftitle=record["statement"],
        )
        return [link], []

    def _claims(self) -> dict[str, tuple[str, dict]]:
        """Return every claim of the book by its name; read once a page."""
        if "claims" not in self.env.temp_data:
            for docname in self.env.found_docs:
                path = self.env.doc2path(docname)
                if path.endswith(".ipynb"):
                    # Read the page again when a notebook changes.
                    self.env.note_dependency(path)
            self.env.temp_data["claims"] = {
                record["id"]: (docname, record)
                for docname, records in ledger(self.env).items()
                for record in records
            }
        return self.env.temp_data["claims"]


def setup(app: Sphinx) -> dict:
    app.add_role("claim", ClaimLink())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
