"""A module imports what it needs: arrows lead down only, and nothing heavy comes along unasked."""

import ast
import graphlib
import importlib
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import collapse_lib

# What each part of the library may import, besides itself and `EVERYWHERE`.
ARROWS = {
    "checks": set(),
    "families": set(),
    "sweep": set(),
    "data": set(),
    "book": set(),
    "loop": set(),
    "conservation": {"loop"},
    "kde": {"loop"},
    "words": {"loop"},
    "gaussian": {"loop"},
    "regression": {"loop"},
    "ridge": {"loop", "regression"},
    "repair": {"loop", "regression", "gaussian"},
    "deep": {"loop", "data", "sweep"},
}
EVERYWHERE = {"checks", "_draws", "_types"}

HEAVY = ["torch", "sklearn", "joblib", "dask", "distributed", "pooch", "tqdm", "threadpoolctl"]
# What a part of the library brings in; any other part, none of them.
ALLOWED = {"sweep": {"joblib", "tqdm", "threadpoolctl"}}

MODULES = [found.name for found in pkgutil.walk_packages(collapse_lib.__path__, "collapse_lib.")]


def part(module):
    """The package or top-level module that a module belongs to; `_sweep_cells` is of `sweep`."""
    first = module.split(".")[1]
    return next((name for name in ARROWS if first.startswith(f"_{name}")), first)


def imported(source, modules, here=""):
    """The modules of the library that a source text imports when it runs, whole or in part."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & set(modules)) or {node.module}
    return (found & set(modules)) - {here}


@pytest.fixture(scope="module")
def graph():
    sources = {
        name: Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8")
        for name in MODULES
    }
    return {name: imported(source, MODULES, name) for name, source in sources.items()}


def test_the_parts_of_the_library_are_those_with_arrows():
    assert {part(name) for name in MODULES} - EVERYWHERE == set(ARROWS) - EVERYWHERE


def test_the_allowed_arrows_lead_down():
    graphlib.TopologicalSorter(ARROWS).prepare()


def floors(page):
    """The parts of the library that stand on each line of the drawing on a page."""
    drawn = re.search(r"(?ms)^collapse_lib/[^\n]*\n(.*?)^ *▲", page)[1].splitlines()
    return [set(re.split(r" {6,}", line.strip())[0].split()) for line in drawn]


def test_the_drawing_in_the_readme_shows_the_arrows():
    readme = Path(__file__).resolve().parents[2] / "README.md"
    drawn = floors(readme.read_text(encoding="utf-8"))
    assert set().union(*drawn) == set(ARROWS)
    floor = {name: number for number, names in enumerate(drawn) for name in names}
    upward = [(a, b) for a, below in ARROWS.items() for b in below if floor[a] >= floor[b]]
    assert not upward


def test_arrows_lead_where_they_may(graph):
    wrong = sorted(
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if part(other) not in {part(name), *EVERYWHERE, *ARROWS.get(part(name), set())}
    )
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_circle(graph):
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


def test_a_planted_import_is_seen():
    source = "from a import b\ndef f():\n    from a.c import d\n    import a.e"
    assert imported(source, ["a", "a.b", "a.c", "a.e"]) == {"a.b", "a.c", "a.e"}


IMPORT = """
import importlib, json, sys
modules, heavy = json.loads(sys.argv[1])
for module in modules:
    importlib.import_module(module)
print(json.dumps([name for name in heavy if name in sys.modules]))
"""


def brought_in(modules):
    argument = json.dumps([modules, HEAVY])
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, argument], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_library_imports_nothing_heavy():
    light = [name for name in MODULES if part(name) not in {"deep", *ALLOWED}]
    assert {"collapse_lib.loop", "collapse_lib.data.text"} <= set(light)
    assert brought_in(["collapse_lib", *light]) == set()


@pytest.mark.parametrize("name", ALLOWED)
def test_a_part_brings_in_what_is_listed(name):
    assert brought_in([module for module in MODULES if part(module) == name]) <= ALLOWED[name]
