"""Try the book in other environments: on other Pythons, in Colab's packages, in JupyterLab.

    nox -s pythons             on each Python here: the tests of the library, its doctests, and the
                               chapters without networks, compared with their stored output
    nox -s newest              the same with the newest packages in place of the pinned ones
    nox -s colab               those chapters as a reader opens them in Colab
    nox -s jupyterlab          a fresh clone as Binder installs it, and JupyterLab in a browser
    nox -s pythons -- torch    with torch too: gigabytes on some Pythons

The environments lie in ``_build/nox``.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
# Colab's own; where this machine has another only, name that one.
COLAB_PYTHON = os.environ.get("COLAB_PYTHON", "3.13")
# Binder reads it too.
BINDER_PYTHON = Path("runtime.txt").read_text("utf-8").strip().removeprefix("python-")

nox.options.envdir = "_build/nox"
# These environments keep a list of fonts of their own: the Makefile's is for .venv alone.
os.environ["MPLCONFIGDIR"] = str(Path(nox.options.envdir, "matplotlib").absolute())
nox.options.sessions = ["pythons"]

if shutil.which("pyenv"):
    # Every Python that pyenv keeps, not only the one it has chosen for this folder.
    kept = subprocess.run(
        ["pyenv", "versions", "--bare"], capture_output=True, text=True, check=True
    )
    os.environ.setdefault("PYENV_VERSION", ":".join(["system", *kept.stdout.split()]))


def requirements(*, torch=True, newest=False):
    """Return what pip installs for requirements.txt, as a list of its arguments."""
    lines = Path("requirements.txt").read_text("utf-8").splitlines()
    words = [word for line in lines for word in line.partition("#")[0].split()]
    if not torch:
        words = [word for word in words if not word.startswith("torch==")]
    if newest:
        # Jupyter Book and the Sphinx extensions keep their pins: later ones are other products.
        kept = ("jupyter-book==", "sphinx")
        words = [word if word.startswith(kept) else word.partition("==")[0] for word in words]
        at = words.index("-c")
        del words[at : at + 2]
    return words


def chapters_without_networks():
    """Return the notebooks that need no torch: all but those that ask for a GPU."""
    paths = sorted(Path("chapters").glob("*.ipynb"))
    return [str(path) for path in paths if '"accelerator": "GPU"' not in path.read_text("utf-8")]


def run_tests(session, *, torch=False):
    """Run the tests of the library and the chapters, as `make test` does, without networks."""
    pytest = ["python", "-m", "pytest", "-n", "2", "--dist=loadscope"]
    # Types are checked with every package there.
    deep = [] if torch else ["--ignore=collapse_lib/deep", "--ignore=tests/site/test_types.py"]
    session.run(*pytest, *deep, "tests", "collapse_lib", *chapters_without_networks())


@nox.session(python=PYTHONS)
def pythons(session):
    torch = "torch" in session.posargs
    session.install(*requirements(torch=torch))
    run_tests(session, torch=torch)


@nox.session
def newest(session):
    session.install("--upgrade", *requirements(torch=False, newest=True))
    session.run("python", "-m", "pip", "list")
    run_tests(session)


@nox.session(python=COLAB_PYTHON)
def colab(session):
    session.install("-r", "environments/colab.txt")
    python = Path(session.bin, "python").absolute()
    command = [sys.executable, "-m", "tools.colab", str(python), *session.posargs]
    session.run(*command, external=True)


@nox.session(python=BINDER_PYTHON)
def jupyterlab(session):
    """Do what repo2docker does, then read the front page's notebook in JupyterLab."""
    session.install("-r", "environments/jupyterlab.txt")
    clone = Path(session.create_tmp(), "book").absolute()
    shutil.rmtree(clone, ignore_errors=True)
    session.run("git", "clone", "--quiet", str(Path.cwd()), str(clone), external=True)
    session.chdir(clone)
    session.install("-r", "requirements.txt")
    session.run("python", "-m", "pip", "check")
    session.run(
        "python", "-m", "pytest", "tests/site/jupyterlab", "-p", "no:nbval", "-o", "addopts="
    )
