# Everything happens in one virtual environment below this folder: made on first use, brought up to date when a
# requirements file or a pyproject.toml changes. Another interpreter, beside the first:
#
#   make test PYTHON=python3.12 VENV=.venv-3.12

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
# Every editable install warns of folders that look like packages. Here they are the packages.
PIP := PYTHONWARNINGS="ignore:Editable installation" $(BIN)/python -m pip --disable-pip-version-check --quiet
PROJECTS := pyproject.toml $(wildcard */pyproject.toml plugins/*/pyproject.toml)
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev

# Tests and benchmarks run against the embedded engine whatever the shell was set up for: no endpoint, no key and no
# switch of theirs comes from the environment.
OFFLINE := unset $$(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^(VIKINGDB|VOLC)/) print name }') VIKINGDB_LIVE; export VIKINGDB_LIVE=0;

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install quickstart test lint bench bench-local bench-plugins soak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(DEV) ## make .venv with all distributions (editable) and the tools

quickstart: $(RUNTIME) ## run examples/quickstart.py on the embedded engine: no account, no key
	@$(OFFLINE) $(BIN)/python examples/quickstart.py

# On all cores; what builds wheels and environments stays together, so that each is built once. ARGS="-n 0" is for debuggers.
test: $(DEV) ## run the tests; more options for pytest in ARGS="..."
	@$(OFFLINE) $(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

lint: $(DEV) ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

bench: $(RUNTIME) ## measure what the client itself costs per call
	@$(OFFLINE) $(BIN)/python -m benchmarks.client_path $(ARGS)

bench-plugins: $(DEV) ## measure what the ready-made plugins cost
	@$(OFFLINE) $(BIN)/python -m benchmarks.plugins $(ARGS)

bench-local: $(RUNTIME) ## measure the embedded engine beside its peers (installs them; 25 minutes, or ARGS="--quick")
	@$(OFFLINE) $(BIN)/python -m benchmarks.local.run $(ARGS)

soak: $(DEV) ## 64 threads and 256 tasks on one server for a minute: nothing may be lost or left open
	@$(OFFLINE) $(BIN)/python -m tests.support.load $(ARGS)

clean: ## remove the environment, whatever was built, and caches
	rm -rf $(VENV) .venv-bench dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf $(foreach project,$(PROJECTS),$(dir $(project))build $(dir $(project))*.egg-info)
	find . -name .git -prune -o -name '.venv*' -prune -o -type d -name __pycache__ -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed. Name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making $(VENV): the first time takes about a minute."
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt $(PROJECTS) | $(BIN)/python
	@$(PIP) install -r requirements.txt
	@touch $@

# Includes requirements.txt, so that a fresh clone is resolved and built once for `make test`.
$(DEV): requirements-dev.txt requirements.txt $(PROJECTS) | $(BIN)/python
	@$(PIP) install -r requirements-dev.txt
	@touch $(RUNTIME) $@
