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
SITE := book/_build/site
LITE := book/_build/lite
SLIDES := book/_build/slides
PDF := book/_build/pdf
BOOKENV := $(VENV)/jupyter-book
NATIVE := build/native/.ready
NBVAL := $(BIN)/python -m pytest --nbval -p no:cacheprovider -n $(JOBS) --dist loadfile

.DEFAULT_GOAL := notebooks
.DELETE_ON_ERROR:
.PHONY: notebooks setup site lite slides pdf show jupyter-book publish measure-site measure-lite card test test-fast lint types layers tests nbval
.PHONY: native bench-native bench-check test-native wire browser long bench picture format lock clean help

notebooks: setup  ## set up if need be, and open the notebooks in JupyterLab on this machine (the default)
	$(BIN)/jupyter lab --ip=127.0.0.1 --notebook-dir=notebooks $(LABFLAGS)

setup: $(READY)  ## make .venv/ with everything that the targets here use

site: setup node_modules/.package-lock.json  ## the book as a site: book/_build/site
	rm -rf $(SITE)/_static  # it is copied whole, and trimmed below
	$(BIN)/python -m sphinx -W --keep-going --quiet -j $(JOBS) -b html -d book/_build/doctrees book $(SITE)
	$(BIN)/node tools/trim_css.mjs $(SITE)
	$(BIN)/python tools/trim_fonts.py $(SITE)

lite: $(LITE)/jupyter-lite.json  ## the notebooks with Python in the browser (JupyterLite): book/_build/lite

$(LITE)/jupyter-lite.json: tools/make_lite.py $(wildcard book/lite/* notebooks/*.ipynb) requirements/lite.txt pyproject.toml \
$(shell find tcpnotes -type f ! -name '*.pyc') node_modules/.package-lock.json | setup
	$(BIN)/python tools/make_lite.py

slides: $(SLIDES)/index.html  ## a deck for each chapter, from the same cells: book/_build/slides

$(SLIDES)/index.html: tools/make_slides.py $(wildcard slides/*.* slides/template/* slides/notes/*.md notebooks/*.ipynb book/_static/filmstrip.*) \
book/_toc.yml book/_config.yml book/ext/static.py book/ext/policy.py book/ext/chapters.py \
$(shell find tcpnotes/view tcpnotes/widgets -type f ! -name '*.pyc') node_modules/.package-lock.json | setup
	$(BIN)/python tools/make_slides.py

pdf: $(PDF)/book.pdf  ## every deck, and the whole book with bookmarks, on paper: book/_build/pdf

$(PDF)/book.pdf: tools/make_pdf.py $(SLIDES)/index.html $(wildcard book/*.* book/_static/* book/ext/*.py) | site
	tools/install_browser.sh
	$(BIN)/python tools/make_pdf.py

show: site lite slides  ## serve the site, and what else has been built, on this machine
	$(BIN)/python tools/publish.py book/_build/public
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory book/_build/public 8000

jupyter-book: $(BOOKENV)/.ready  ## the same pages by the command of Jupyter Book, in an environment of its own
	PYTHONPATH=$(CURDIR) $(BOOKENV)/bin/jupyter-book build --warningiserror --keep-going --quiet \
	--path-output book/_build/jupyter-book --config book/_config.yml book

publish: site lite slides pdf  ## one folder that any static server can serve under any prefix: make publish DIR=…
	$(BIN)/python tools/publish.py "$(DIR)"

measure-site: site  ## bytes and milliseconds of the chapters' pages
	$(BIN)/python tools/measure_site.py

measure-lite: lite  ## bytes and seconds until Python is ready in the browser
	$(BIN)/python tools/measure_lite.py

card: setup  ## draw the picture that links to the book show
	$(BIN)/python tools/draw_card.py

test: lint types layers site tests bench-check test-native wire nbval browser jupyter-book  ## set up if need be, and check everything (what CI runs)

test-fast: lint types layers site tests nbval  ## the same without a browser

lint: setup  ## style, format and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: setup  ## types (mypy, strict)
	$(BIN)/mypy

layers: setup  ## who may import whom
	$(BIN)/lint-imports

tests: setup  ## the tests of the library
	$(BIN)/python -m pytest -m "not browser and not wire" -n $(JOBS)

wire: setup  ## captures against tshark and real sockets; install what that needs where that is allowed
	tools/install_wire.sh
	$(BIN)/python -m pytest -m wire -n $(JOBS) tests/wire

nbval: setup  ## run every notebook and compare what it prints with what it has stored
	$(NBVAL) notebooks

browser: site lite slides  ## tests in a real browser; install it where that is allowed
	tools/install_browser.sh
	$(BIN)/python -m pytest -m browser tests/browser tests/site
	if command -v chromium >/dev/null; then $(MAKE) --no-print-directory -o site $(PDF)/book.pdf; fi
	TCPNOTES_SLIDES=$(CURDIR)/$(SLIDES) TCPNOTES_PDF=$(CURDIR)/$(PDF) \
	$(BIN)/python -m pytest -m browser -n $(JOBS) --dist loadfile tests/slides

long: setup  ## tests that take many minutes
	$(BIN)/python -m pytest -m "long and not browser and not wire" -n $(JOBS)

bench: setup  ## time the engine
	$(BIN)/tcpnotes bench

bench-check: setup  ## is the engine as fast as docs/bench.jsonl says? (ratios, as docs/bench.md has it)
	$(BIN)/tcpnotes bench lives fork replay --against docs/bench.jsonl

native: $(NATIVE)  ## build the engine compiled, beside the plain one: build/native (needs a C compiler)

bench-native: native  ## time the compiled engine
	PYTHONPATH=build/native $(BIN)/tcpnotes bench

# `pytest`, not `python -m pytest`: that one would put the folder of the plain engine first.
test-native: setup  ## the tests of the engine, and all recordings, on the compiled one; skipped without a C compiler
	if $(BIN)/python tools/native.py --can; then $(MAKE) --no-print-directory native && \
	TCPNOTES_COMPILED=1 PYTHONPATH=build/native $(BIN)/pytest -n $(JOBS) -m "not browser and not wire" \
	tests/world tests/properties tests/replay tests/scenarios tests/explore && \
	PYTHONPATH=build/native $(BIN)/tcpnotes replay --level L3 --quiet tests/golden/*.gz; fi

picture: setup  ## draw the picture of the README anew
	$(BIN)/python tools/draw_readme.py

format: setup  ## bring the code into the common form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# No addresses of an index in the files, so that they serve whatever index a machine uses.
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate
LOCK := $(COMPILE) --universal --python-version 3.11
# What a notebook in the browser imports: Pyodide's Python, and wheels that run on any machine.
LITELOCK := $(COMPILE) --python-version 3.14 --python-platform wasm32-pyodide2024 --no-build --excludes book/lite/excludes.txt

lock: setup  ## resolve the requirements anew, with hashes (LOCKFLAGS=--upgrade for newer versions)
	echo "uv" | $(LOCK) $(LOCKFLAGS) - --output-file requirements/uv.txt
	$(LOCK) $(LOCKFLAGS) --all-extras pyproject.toml --output-file requirements/all.txt
	echo "jupyter-book==1.0.4.post1" | $(LOCK) $(LOCKFLAGS) --extra notebook --extra capture --extra packetdrill \
	pyproject.toml - --output-file requirements/jupyter-book.txt
	printf 'micropip\npackaging\n' | $(LITELOCK) $(LOCKFLAGS) --extra notebook --extra capture --extra packetdrill \
	pyproject.toml - --output-file requirements/lite.txt
	$(BIN)/npm install --package-lock-only

clean:  ## remove all that was made here, .venv/ too
	rm -rf $(VENV) node_modules build dist book/_build book/functions book/items book/scenarios book/api .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## +' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- setting up ----------------------------------------------------------------------------------------------------

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "tcpnotes needs Python 3.11 or later; name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	{ echo "$(PYTHON) cannot make environments; on Debian: apt-get install python3-venv" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $(UV)

# Also what is not on a Python index: exact versions, with the hashes of package-lock.json; no script of theirs is run.
node_modules/.package-lock.json: package.json package-lock.json | setup
	$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

$(NATIVE): tools/native.py $(wildcard tcpnotes/trace/*.py tcpnotes/kernel/*.py tcpnotes/world/*.py) | setup
	$(BIN)/python tools/native.py
	touch $@

# Jupyter Book holds on to older versions of what the site is made with.
$(BOOKENV)/.ready: $(UV) requirements/jupyter-book.txt
	test -x $(BOOKENV)/bin/python || $(BIN)/python -m venv --without-pip $(BOOKENV)
	$(UV) pip install --quiet --python $(BOOKENV)/bin/python --require-hashes -r requirements/jupyter-book.txt
	touch $@

$(READY): $(UV) requirements/all.txt pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/all.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(READY)
