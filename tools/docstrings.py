"""What a public function or class of the library must say of itself.

numpydoc judges the form of a docstring; the rest is here. `faults` returns what is wrong.

The rules, beyond form. Every parameter is documented, and what is returned; what is raised where
it is no ValueError, which `collapse_lib` promises for every argument out of range. The type of an
array names its shape. There is a doctest, except for a record (a class that documents
Attributes, and is shown by the function that makes it), a protocol and an error. A function of a
module of theory that draws nothing at random returns a formula: its own docstring or that of its
module names where the formula comes from.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from typing import Any

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

import collapse_lib

# numpydoc's checks of form: no docstring; unknown sections or wrong order; the summary's end and
# length; parameters that are not there; no section Returns; colons, periods.
FORM = {"GL06", "GL07", "GL08", "PR02", "PR05", "PR10", "RT01", "RT05"}
FORM |= {"SS01", "SS02", "SS03", "SS06"}

# Parts that compute no formula: data, pictures, checks, the loop itself, the training of networks.
PLUMBING = {"book", "checks", "data", "deep", "families", "loop", "sweep"}

SOURCE = re.compile(
    r"arXiv \d{4}\.\d{4,5}|\((1[89]|20)\d\d\)"
    r"|([Pp]ro(ved|ofs)|[Dd]erived|theorem)\b[^.]*\bchapters?\s+\*"
)


def public() -> dict[str, Any]:
    """Every function and class that a public module exports, by its name within the library."""
    found = {}
    for place in pkgutil.walk_packages(collapse_lib.__path__, "collapse_lib."):
        if "._" in place.name:
            continue
        module = importlib.import_module(place.name)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if callable(thing) and thing.__module__ == place.name:
                found[f"{place.name}.{name}".removeprefix("collapse_lib.")] = thing
    return found


def faults(thing: Any) -> list[str]:
    """What the docstring of a function or class lacks."""
    doc = Validator(get_doc_object(thing)).doc
    form = validate(f"{thing.__module__}.{thing.__qualname__}")["errors"]
    found = [text for code, text in form if code in FORM] + _shapes(doc)
    # An error, or a protocol that others fulfil.
    special = isinstance(thing, type) and (
        issubclass(thing, BaseException) or getattr(thing, "_is_protocol", False)
    )
    if not special:
        found += _parameters(thing, doc)
        if not doc["Attributes"] and ">>> " not in "\n".join(doc["Examples"]):
            found.append("no doctest")
    if inspect.isfunction(thing):
        found += _raises(thing, doc) + _source(thing)
    return found


def _parameters(thing: Any, doc: Any) -> list[str]:
    entries = [*doc["Parameters"], *doc["Attributes"]]
    named = {name.strip(" *") for entry in entries for name in entry.name.split(",")}
    missing = [name for name in inspect.signature(thing).parameters if name not in named]
    return [f"parameter {name!r} is not documented" for name in missing]


def _shapes(doc: Any) -> list[str]:
    """An array's type is followed by its shape, as in ``array_like, (words,)``."""
    return [
        f"{entry.name or 'what is returned'}: {entry.type!r} names no shape"
        for entry in [*doc["Parameters"], *doc["Attributes"], *doc["Returns"]]
        if re.search(r"array_like|ndarray|Tensor", entry.type)
        and not re.search(r"\(|shape|^(int|float) or ", entry.type)
    ]


def _raises(thing: Callable[..., Any], doc: Any) -> list[str]:
    """A function says what it raises beside the package's ValueError."""
    raised = re.findall(r"(?m)^ +raise (?!ValueError\()\w", inspect.getsource(thing))
    return ["no Raises section"] if raised and not doc["Raises"] else []


def _source(thing: Callable[..., Any]) -> list[str]:
    module = importlib.import_module(thing.__module__)
    plumbing = not PLUMBING.isdisjoint(thing.__module__.split(".")[1:2])
    random = "rng" in inspect.signature(thing).parameters
    if plumbing or random or SOURCE.search(f"{thing.__doc__}\n{module.__doc__}"):
        return []
    return ["no source: name a paper, a theorem or the chapter with the proof"]
