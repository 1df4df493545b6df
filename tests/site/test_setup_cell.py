"""The setup cell does nothing where the library is, and says or does what is needed where not."""

import json
import subprocess
import sys

import pytest

from tools.repository import setup_cell

# Runs the cell in IPython with a `%pip` that only notes its arguments.
RUN_CELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
cell, library_is_here = json.loads(sys.argv[1])
if not library_is_here:
    sys.modules["collapse_lib"] = None
calls = []
shell = InteractiveShell.instance()
shell.register_magic_function(calls.append, magic_name="pip")
result = shell.run_cell(cell)
print(json.dumps([str(result.error_in_exec or result.error_before_exec or ""), calls]))
"""


def run_cell(url, *, library_is_here):
    """Return the error message of the setup cell and the arguments of every `%pip`."""
    argument = json.dumps([setup_cell(url), library_is_here])
    done = subprocess.run(
        [sys.executable, "-c", RUN_CELL, argument], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("url", ["", "https://example.org/owner/name"])
def test_does_nothing_where_the_library_imports(url):
    assert run_cell(url, library_is_here=True) == ["", []]


def test_fetches_the_library_alone():
    error, calls = run_cell("https://example.org/owner/name", library_is_here=False)
    assert not error
    assert calls == ["install --quiet --no-deps git+https://example.org/owner/name"]


def test_says_what_to_do_while_no_address_is_set():
    error, calls = run_cell("", library_is_here=False)
    assert "pip install --no-deps ." in error
    assert not calls


def test_is_short():
    assert len(setup_cell().splitlines()) <= 12
