# `make demo` and `make test` set themselves up: all they need is make and Python 3.11 or newer.
# The libraries go into .venv, each pinned to one version and checked against its hash (requirements/*.txt).

# The first Python here that is new enough. To choose another: make PYTHON=/path/to/python3.11 demo
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$p -c '$(IS_NEW_ENOUGH)' 2>/dev/null && echo $$p && break; done)
IS_NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))

# Writes requirements/*.txt; only `make lock` and `make upgrade` need it.
UV ?= uv

# More for pytest: make test ARGS="-m 'not slow' -k amounts"
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := .venv/.ready
PRISM := tests/e2e/prism/node_modules/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types layers pytest browser format dist lock upgrade clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done

setup: $(READY) ## make .venv with everything in it (the others do it by themselves)

demo: $(READY) ## the whole road on the fixtures: writes demo/report.html and demo/outreach/
	$(BIN)/recovery-batch demo --out demo

# One after the other, so that what failed is the last thing on the screen.
test: $(READY) ## every check: style, types, layers, tests
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory layers
	@$(MAKE) --no-print-directory pytest

lint: $(READY) ## style and formatting
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY) ## mypy, strict
	$(BIN)/mypy

layers: $(READY) ## who imports whom
	$(BIN)/lint-imports

pytest: $(READY) $(PRISM) ## the tests alone; ARGS="-k amounts" chooses
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

browser: $(READY) ## the tests that need chromium, and fail without it
	RECOVERY_BATCH_REQUIRE_BROWSER=1 $(BIN)/python -m pytest -m browser $(ARGS)

format: $(READY) ## rewrite the code in the house style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

dist: $(READY) ## build a wheel and a source archive into dist/
	$(BIN)/python -m build --no-isolation

# --no-emit-index-url: where packages are fetched from is the machine's affair and stays out of the files.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --custom-compile-command 'make lock' $(COMPILE_ARGS) pyproject.toml

lock: ## bring requirements/*.txt up to pyproject.toml, moving as few versions as possible
	@command -v $(UV) >/dev/null || { echo 'make lock needs uv: install it, or name it with UV=/path/to/uv' >&2; exit 1; }
	$(COMPILE) --output-file requirements/runtime.txt
	$(COMPILE) --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt

upgrade: ## the same, moving every version to its newest
	@$(MAKE) --no-print-directory lock COMPILE_ARGS=--upgrade

clean: ## remove .venv and all that was made here, but no data
	rm -rf .venv dist demo .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache tests/e2e/prism/node_modules

# The stamp is written last: a set-up that was interrupted is done again.
$(READY): pyproject.toml requirements/dev.txt recovery_batch/__init__.py
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(MAKE) --no-print-directory .venv-anew
	@echo 'Installing what requirements/dev.txt pins into .venv (the first time takes about half a minute) ...'
	@$(PIP) install -qq --require-hashes --only-binary :all: --requirement requirements/dev.txt
	@$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# The mock of the documented endpoints. Without npm its tests are skipped, loudly, or fail where they must run.
$(PRISM): tests/e2e/prism/package.json tests/e2e/prism/package-lock.json
	@if ! command -v npm >/dev/null; then \
		echo 'There is no npm here: the tests against the mock will not run.' >&2; \
	elif npm ci --prefix tests/e2e/prism --ignore-scripts --no-audit --no-fund --loglevel error; then \
		touch $@; \
	else \
		echo 'npm could not install Prism: the tests against the mock will not run.' >&2; \
	fi

.PHONY: .venv-anew
.venv-anew:
	@rm -rf .venv
	@[ -n '$(PYTHON)' ] && '$(PYTHON)' -c '$(IS_NEW_ENOUGH)' || { \
		echo 'recovery-batch needs Python 3.11 or newer.' >&2; \
		echo "Found: PYTHON='$(PYTHON)', and python3 is $$(python3 --version 2>&1 || :)." >&2; \
		echo 'Install Python 3.11, or say where it is: make PYTHON=/path/to/python3.11 demo' >&2; \
		exit 1; }
	@'$(PYTHON)' -m venv .venv || { \
		rm -rf .venv; \
		echo '$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv' >&2; \
		exit 1; }
