# The front door. Every target installs what it needs into .venv, once.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MUTANT := .venv-mutation
# One stamp per interpreter: another Python, or a changed lock, makes the environment anew.
STAMP  := $(VENV)/.installed-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help install test test-marked check format lock schema demo bench mutation clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

install: $(STAMP) ## make .venv from the lock file

$(STAMP): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "stablehand needs Python 3.11 or later: make PYTHON=python3.12 …"; exit 1; }
	@echo "Setting up $(VENV) (once; about a minute) …"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: $(STAMP) ## run the tests that need nothing but Python and git
	$(BIN)/python -m pytest

test-marked: $(STAMP) ## run the tests that need more: node, Chromium, a Prefect server, time
	$(BIN)/python -m pytest -m "node or browser or slow"

check: $(STAMP) ## lint, types, import contracts, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(STAMP) ## format the code and apply safe lint fixes
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: $(STAMP) ## write the documents' JSON Schemas from the models
	$(BIN)/python -m state.schema

lock: $(STAMP) ## resolve the dependencies anew into the lock file
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-config --quiet \
	  --no-header --no-emit-index-url --extra dev pyproject.toml -o requirements-dev.lock

demo: $(STAMP) ## watch a proposal become moved branches; YES=1 merges by itself
	$(BIN)/python -m tests.demo $(if $(YES),--yes)

bench: $(STAMP) ## measure against baselines, into docs/benchmarks; a quarter of an hour, QUICK=1 some minutes
	$(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick)

mutation: $(MUTANT)/.installed ## find mistakes in the deciding core that no test would notice; five minutes
	rm -rf mutants
	$(MUTANT)/bin/mutmut run
	$(MUTANT)/bin/mutmut results

# Beside .venv: the project does not depend on mutmut, which brings much of its own.
$(MUTANT)/.installed: requirements-dev.lock
	@rm -rf $(MUTANT)
	@$(PYTHON) -m venv $(MUTANT)
	@$(MUTANT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(MUTANT)/bin/python -m pip install --quiet --disable-pip-version-check mutmut==3.8.1
	@touch $@

clean: ## remove everything that make has made
	rm -rf $(VENV) $(MUTANT) mutants .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
