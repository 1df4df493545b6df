"""A room imports what it needs: a hosted notebook may lack the rest, and starts faster without."""

import json
import pkgutil
import subprocess
import sys

import pytest

import collapse_lib

HEAVY = ["torch", "sklearn", "joblib", "dask", "distributed", "pooch", "tqdm", "threadpoolctl"]

# What each room brings in; a room that is not named here, none of them.
ALLOWED = {"sweep": {"joblib", "tqdm", "threadpoolctl"}}
ROOMS = [
    room.name.removeprefix("collapse_lib.")
    for room in pkgutil.walk_packages(collapse_lib.__path__, "collapse_lib.")
    if not room.name.startswith("collapse_lib.deep")
]

IMPORT = """
import importlib, json, sys
rooms, heavy = json.loads(sys.argv[1])
for room in rooms:
    importlib.import_module("collapse_lib." + room if room else "collapse_lib")
print(json.dumps([name for name in heavy if name in sys.modules]))
"""


def brought_in(rooms):
    argument = json.dumps([rooms, HEAVY])
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, argument], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_library_itself_imports_nothing_heavy():
    assert brought_in([""]) == set()


def test_the_other_rooms_import_nothing_heavy():
    others = [room for room in ROOMS if room not in ALLOWED]
    assert {"loop", "data.text", "ridge", "data._files"} <= set(others)
    assert brought_in(others) == set()


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_what_is_listed(room):
    assert brought_in([room]) <= ALLOWED[room]
