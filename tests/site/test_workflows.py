"""GitHub's workflows are valid, and ask for no more than they need. `make workflows` adds actionlint."""

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = {
    "schema": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    "zizmor": ["zizmor", "--offline", "--no-progress", f"--config={ROOT}/.github/zizmor.yml"],
}
# Faults that each checker must find.
PLANTED = {
    "schema": [("runs-on: ubuntu-latest", "runs_on: ubuntu-latest")],
    "zizmor": [
        ("persist-credentials: false", "fetch-depth: 1"),
        ("actions/checkout@v5", "someone/checkout@v5"),
        ('"$TARGET"', "${{ github.head_ref }}"),
    ],
}


def check(tool, *files):
    """Return what the tool says against the files: the empty string when they pass."""
    name, *options = TOOLS[tool]
    command = [Path(sysconfig.get_path("scripts"), name), *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr) if done.returncode else ""


def jobs(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()


@pytest.mark.parametrize("tool", TOOLS)
def test_the_workflows_pass(tool):
    assert WORKFLOWS
    assert not check(tool, *WORKFLOWS)


@pytest.mark.parametrize(
    ("tool", "old", "new"), [(tool, *pair) for tool, pairs in PLANTED.items() for pair in pairs]
)
def test_a_planted_fault_is_found(tool, old, new, tmp_path):
    text = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    assert old in text
    planted = tmp_path / "weekly.yml"
    planted.write_text(text.replace(old, new), encoding="utf-8")
    assert check(tool, planted)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_names_its_permissions_and_its_time(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    for job in jobs(path):
        assert job["permissions"]
        assert job["timeout-minutes"] <= 90


def test_each_command_of_make_exists():
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in WORKFLOWS:
        asked = set(re.findall(r"run: make ([a-z-]+)", path.read_text(encoding="utf-8")))
        for job in jobs(path):
            asked |= set(job.get("strategy", {}).get("matrix", {}).get("target", []))
        assert asked <= made, f"{path.name}: no such command of make: {sorted(asked - made)}"


def test_the_pythons_tried_are_those_promised():
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    tried = re.findall(r'"(3\.\d+)"', re.search(r"^PYTHONS = .*$", noxfile, re.MULTILINE)[0])
    matrix = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text("utf-8"))
    assert matrix["jobs"]["pythons"]["strategy"]["matrix"]["python"] == tried
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {tried[0]}, {tried[1]} or {tried[2]}" in readme
