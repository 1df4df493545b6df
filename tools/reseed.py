"""Run the claims of the chapters without networks with every seed replaced.

    python -m tools.reseed 7 [notebooks]   run them with seed s replaced by (s, 7)
    python -m tools.reseed store           write what every shift found into the book

A shift writes `_build/reseed-7.json`, a list of claims: id, kind, z, rival_z, failed. What has
run is kept chapter by chapter in `_build/reseed/`, so a run that was cut off goes on from there.
"""

import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from collapse_lib.book.claims import MIME
from tools.notebooks import CHAPTERS, ROOT, plural, read

KEPT = ROOT / "_build" / "reseed"
RECORD = CHAPTERS / "data" / "reseeds.json"
# The share of claims that may fail for want of luck before the command fails.
MAY_FAIL = 0.01
# A rival is known before the run. A constant of it that is an integral, found with random numbers
# of its own, may move by so much; what moves further was measured.
STILL = 0.005
FIELDS = ("id", "kind", "z", "rival_z", "failed")


def chapters() -> list[Path]:
    """Return the notebooks whose every random number comes from numpy: those without networks."""
    paths = sorted(CHAPTERS.glob("*.ipynb"))
    return [path for path in paths if code(path) and "accelerator" not in read(path).metadata]


def code(path: Path) -> list[str]:
    """Return the code of a notebook up to its last claim: what follows makes none."""
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    while cells and not any(MIME in output.get("data", {}) for output in cells[-1].outputs):
        cells.pop()
    return [cell.source for cell in cells]


def kept(path: Path, shift: int) -> Path:
    """Return the file that keeps a chapter's claims under one shift, named by the code it ran."""
    digest = hashlib.sha256("\n".join(code(path)).encode()).hexdigest()[:12]
    return KEPT / str(shift) / f"{path.stem}-{digest}.json"


def run(path: Path, shift: int) -> None:
    """Run a chapter's cells here, record each claim, and keep the records. Nothing is raised."""
    import matplotlib.pyplot as plt
    import numpy as np
    from IPython.core.interactiveshell import InteractiveShell

    from collapse_lib import book
    from collapse_lib.book import claims

    records, errors = [], []
    check, default_rng = claims._check, np.random.default_rng

    def recorded(claim: claims.Claim, **options: bool) -> None:
        failed = ""
        try:
            check(claim, **options)
        except claims.ClaimFailed as error:
            failed = str(error)
        values = claim.id, claim.kind, claim.z, claim.rival.z, failed
        record = dict(zip(FIELDS, values, strict=True))
        records.append(record | {"rival": claim.rival.value, "varies": claim.varies})

    def shifted(seed=None):
        whole = isinstance(seed, (int, np.integer))
        return default_rng([int(seed), shift] if whole else seed)

    claims._check, np.random.default_rng = recorded, shifted
    book.explore = lambda *_, **__: None
    os.chdir(path.parent)
    shell = InteractiveShell.instance()
    for source in code(path):
        result = shell.run_cell(source, silent=True)
        plt.close("all")
        error = result.error_in_exec or result.error_before_exec
        if error:
            errors.append(f"{type(error).__name__}: {error}")
    place = kept(path, shift)
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    part.write_text(json.dumps({"claims": records, "errors": errors}), encoding="utf-8")
    part.replace(place)


def silently(path: Path, shift: int) -> None:
    """Run a chapter without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run(path, shift)


def rerun(shift: int, paths: list[Path]) -> None:
    """Run what has not run yet, as many chapters at a time as there are cores; then say it."""
    todo = [path for path in paths if not kept(path, shift).exists()]
    os.environ["MPLBACKEND"] = "agg"
    # A process per chapter: what one replaces must not reach the next.
    fresh = {"mp_context": multiprocessing.get_context("spawn"), "max_tasks_per_child": 1}
    with ProcessPoolExecutor(os.cpu_count(), **fresh) as pool:
        running = {pool.submit(silently, path, shift): path.stem for path in todo}
        for done in as_completed(running):
            done.result()
            print(f"shift {shift}: {running[done]}", flush=True)
    found = [json.loads(kept(path, shift).read_text("utf-8")) for path in paths]
    records = [record for each in found for record in each["claims"]]
    listed = [{field: record[field] for field in FIELDS} for record in records]
    (ROOT / "_build" / f"reseed-{shift}.json").write_text(json.dumps(listed, indent=1) + "\n")
    failures = [record["failed"] for record in records if record["failed"]]
    errors = [error for each in found for error in each["errors"]]
    print(f"shift {shift}: {plural(len(records), 'claim')}, {plural(len(failures), 'failure')}")
    print(*failures, *errors, sep="\n")
    if errors or len(failures) > MAY_FAIL * len(records):
        sys.exit(1)


def store() -> None:
    """Write the z's of every shift that ran whole, with the chapters as they are, by claim."""
    started = sorted(int(folder.name) for folder in KEPT.iterdir())
    shifts = [n for n in started if all(kept(path, n).exists() for path in chapters())]
    claims: dict[str, dict] = {}
    z, rival_z, rivals = defaultdict(list), defaultdict(list), defaultdict(list)
    failures, errors = [], []
    for shift in shifts:
        for path in chapters():
            found = json.loads(kept(path, shift).read_text("utf-8"))
            errors += [f"{path.stem}, shift {shift}: {error}" for error in found["errors"]]
            for record in found["claims"]:
                name = record["id"]
                claims[name] = {"kind": record["kind"]}
                z[name].append(round(record["z"], 2))
                rival_z[name].append(round(record["rival_z"], 1))
                if not record["varies"]:
                    rivals[name].append(record["rival"])
                if record["failed"]:
                    failures.append({"shift": shift, "why": record["failed"]})
    moved = [name for name, some in rivals.items() if max(some) - min(some) > STILL * abs(some[0])]
    for name, claim in claims.items():
        nearest = min(rival_z[name], key=abs)
        claim |= {"z": z[name], "nearest_rival_z": nearest}
    record = {"shifts": shifts, "failures": failures, "errors": errors, "moved_rivals": moved}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(c)}" for name, c in claims.items())
    head = json.dumps(record, indent=1, ensure_ascii=False).removesuffix("\n}")
    RECORD.write_text(f'{head},\n "claims": {{\n{lines}\n }}\n}}\n', encoding="utf-8")
    print(f"{plural(len(shifts), 'shift')}, {plural(len(claims), 'claim')}, {len(failures)} failed")


if __name__ == "__main__":
    if sys.argv[1:] == ["store"]:
        store()
    elif len(sys.argv) > 1 and sys.argv[1].isdecimal():
        rerun(int(sys.argv[1]), [Path(name).resolve() for name in sys.argv[2:]] or chapters())
    else:
        sys.exit(__doc__)
