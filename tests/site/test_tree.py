"""The library can be seen: few places, a test for each module, no public name without a user."""

import ast
import importlib
import inspect
import json
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import collapse_lib

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "collapse_lib"
MOST_PLACES = 14
FILES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")


def places():
    """The packages and modules at the top of the library whose names have no underscore."""
    return [place.name for place in pkgutil.iter_modules([LIBRARY]) if place.name[0] != "_"]


def test_a_newcomer_looks_at_few_places():
    assert len(places()) <= MOST_PLACES, places()


def test_the_example_in_the_readme_runs():
    (example,) = re.findall(r"(?ms)^```python\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"))
    exec(example, {})  # noqa: S102


def defines(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)


def test_every_module_has_its_test():
    """`collapse_lib/a/_b.py` is tested by `tests/a/test_b.py`; mere names need no test."""
    inside = [path.relative_to(LIBRARY) for path in FILES if defines(path)]
    tests = [Path("tests", at.parent, f"test_{at.name.lstrip('_')}") for at in inside]
    missing = [str(test) for test in tests if not (ROOT / test).exists()]
    assert not missing, "\n" + "\n".join(missing)


def test_what_make_mutate_looks_at_is_there():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    named = settings["only_mutate"] + settings["pytest_add_cli_args_test_selection"]
    assert not [path for path in named if not (ROOT / path).exists()]


def notebook_code(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = (line for c in cells if c["cell_type"] == "code" for line in [*c["source"], "\n"])
    return "".join(line for line in lines if not line.lstrip().startswith("%"))


def objects(source):
    """Everything that a source text imports from the library and then names."""
    tree, bound, found = ast.parse(source), {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("collapse_lib"):
            module = importlib.import_module(node.module)
            for alias in node.names:
                if alias.name != "*":
                    if not hasattr(module, alias.name):
                        importlib.import_module(f"{node.module}.{alias.name}")
                    bound[alias.asname or alias.name] = getattr(module, alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in bound:
            found.append(bound[node.id])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            holder = bound.get(node.value.id)
            if inspect.ismodule(holder):
                found.append(getattr(holder, node.attr, None))
    return found


def annotated(thing):
    """What the annotations of a function, or of a class and its methods, name in its module."""
    home = vars(inspect.getmodule(thing))
    inside = [thing, *(vars(thing).values() if inspect.isclass(thing) else ())]
    functions = (getattr(each, "fget", None) or getattr(each, "func", each) for each in inside)
    notes = " ".join(str(getattr(each, "__annotations__", "")) for each in functions)
    return [home[word] for word in set(re.findall(r"\w+", notes)) if word in home]


def is_error(thing):
    return inspect.isclass(thing) and issubclass(thing, BaseException)


def test_every_public_name_is_used():
    """By a chapter, by another module or the build, or as what such a name takes and returns.

    An error is used by whoever meets it.
    """
    pytest.importorskip("torch")
    sources = [notebook_code(path) for path in (ROOT / "chapters").glob("*.ipynb")]
    build = [*(ROOT / "_ext").glob("*.py"), *(ROOT / "tools").glob("*.py")]
    sources += [path.read_text(encoding="utf-8") for path in [*build, *FILES]]
    todo = [thing for source in sources for thing in objects(source)]
    used = {}
    while todo:
        thing = todo.pop()
        if id(thing) not in used:
            used[id(thing)] = thing
            todo += annotated(thing) if inspect.isfunction(thing) or inspect.isclass(thing) else []
    names = [
        "collapse_lib." + str(path.relative_to(LIBRARY))[:-3].replace("/", ".") for path in FILES
    ]
    public = {
        f"{name}.{each}": getattr(importlib.import_module(name), each)
        for name in names
        for each in getattr(importlib.import_module(name), "__all__", ())
    }
    unused = [
        name for name in public if id(public[name]) not in used and not is_error(public[name])
    ]
    assert not unused, f"{len(unused)} public names that nothing uses:\n" + "\n".join(unused)


def test_a_use_is_seen():
    source = "from collapse_lib import conservation as law\nlaw.expected_retention\nlaw = 1"
    assert collapse_lib.conservation.expected_retention in objects(source)
    assert collapse_lib.loop.Policy in annotated(collapse_lib.loop.policy_named)
