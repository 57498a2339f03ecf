# What can be made; `make help` lists it.  All that is needed before is Python 3.11 or later, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
READY := $(VENV)/.ready
# What is started by name (graphviz-pure, a notebook's kernel) is that of .venv/.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# JupyterLab wants to be told when it runs as root, as it does in a container.
LABFLAGS ?= $(if $(filter 0,$(shell id -u)),--allow-root)
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
NBVAL := $(BIN)/python -m pytest --nbval -p no:cacheprovider -n $(JOBS) --dist loadfile

.DEFAULT_GOAL := notebooks
.DELETE_ON_ERROR:
.PHONY: notebooks setup test test-fast lint types layers tests nbval browser long bench picture format lock clean help

notebooks: setup  ## set up if need be, and open the notebooks in JupyterLab on this machine (the default)
	$(BIN)/jupyter lab --ip=127.0.0.1 --notebook-dir=notebooks $(LABFLAGS)

setup: $(READY)  ## make .venv/ with everything that the targets here use

test: lint types layers tests nbval browser  ## set up if need be, and check everything (what CI runs)

test-fast: lint types layers tests nbval  ## the same without a browser

lint: setup  ## style, format and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: setup  ## types (mypy, strict)
	$(BIN)/mypy

layers: setup  ## who may import whom
	$(BIN)/lint-imports

tests: setup  ## the tests of the library
	$(BIN)/python -m pytest -m "not browser" -n $(JOBS)

nbval: setup  ## run every notebook and compare what it prints with what it has stored
	$(NBVAL) notebooks

browser: setup  ## tests in a real browser; install it where that is allowed
	tools/install_browser.sh
	$(BIN)/python -m pytest -m browser tests/browser

long: setup  ## tests that take many minutes
	$(BIN)/python -m pytest -m "long and not browser" -n $(JOBS)

bench: setup  ## time the engine
	$(BIN)/tcpnotes bench

picture: setup  ## draw the picture of the README anew
	$(BIN)/python tools/draw_readme.py

format: setup  ## bring the code into the common form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# No addresses of an index in the files, so that they serve whatever index a machine uses.
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-annotate

lock: setup  ## resolve the requirements anew, with hashes (LOCKFLAGS=--upgrade for newer versions)
	echo "uv" | $(LOCK) $(LOCKFLAGS) - --output-file requirements/uv.txt
	$(LOCK) $(LOCKFLAGS) --all-extras pyproject.toml --output-file requirements/all.txt

clean:  ## remove all that was made here, .venv/ too
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## +' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- setting up ----------------------------------------------------------------------------------------------------

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "tcpnotes needs Python 3.11 or later; name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	{ echo "$(PYTHON) cannot make environments; on Debian: apt-get install python3-venv" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $(UV)

$(READY): $(UV) requirements/all.txt pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/all.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(READY)
