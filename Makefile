# What people do here. Each target makes what it needs: `make serve` works in a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Output goes to where the caller looks, and nothing else of the caller's gets in.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help serve test test-all lint fmt benchmark clean

help:
	@echo "make serve      serve the graph on http://127.0.0.1:8000/   (ARGS='--port 8080')"
	@echo "make test       run the tests that need Python alone, under three minutes"
	@echo "make test-all   and those that need other programs: Java, a browser, rapper"
	@echo "make lint       check style, types and docstrings"
	@echo "make fmt        put Turtle and Python in their canonical form"
	@echo "make benchmark  print the tables of benchmarks/"
	@echo "make clean      throw away the environment"

$(VENV)/run: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "eurasia-graph needs Python 3.11 or newer; set PYTHON, for instance make serve PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/test: $(VENV)/run requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/test.txt
	@touch $@

$(VENV)/external: $(VENV)/test requirements/external.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements/external.txt
	@touch $@

serve: $(VENV)/run
	@$(BIN)/eurasia-graph serve $(ARGS)

test: $(VENV)/test
	@$(BIN)/python -m pytest -m "not external" $(ARGS)

test-all: $(VENV)/external
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/interrogate --quiet src tests benchmarks
	$(BIN)/eurasia-graph fmt --check

fmt: $(VENV)/test
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/eurasia-graph fmt

benchmark: $(VENV)/test
	@for table in build queries cow web crowd; do $(BIN)/python benchmarks/$$table.py || exit 1; done

clean:
	rm -rf $(VENV)
