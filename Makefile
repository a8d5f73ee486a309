# What people do here. Each target makes what it needs: `make serve` works in a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Output goes to where the caller looks, and nothing else of the caller's gets in.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help serve stores test test-all attack lint fmt benchmark clean

help:
	@echo "make serve      serve the graph on http://127.0.0.1:8000/   (ARGS='--port 8080')"
	@echo "make stores     install the stores that the tests push to: Oxigraph, Fuseki, RDF4J; says how to get Virtuoso"
	@echo "make test       run the tests that need Python alone, under three minutes"
	@echo "make test-all   and those that need other programs: Java, a browser, rapper"
	@echo "make attack     try to break what may not break: files, releases, the service, other stores (ARGS=--quick)"
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

# Each program where it can be had; what cannot is said, and its tests are skipped with a reason.
STORES := $(VENV)/stores
PARSERS := n3@2.13.12 jsonld@9.0.0
MAVEN_COPY := org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy

$(STORES)/installed: $(VENV)/external requirements/stores.txt
	@mkdir -p $(STORES)
	@if command -v mvn >/dev/null; then \
	  grep -v '^#' requirements/stores.txt | while read -r artifact; do \
	    mvn -q -B $(MAVEN_COPY) -Dartifact=$$artifact -DoutputDirectory=$(CURDIR)/$(STORES) </dev/null \
	      || echo "not fetched: $$artifact" >&2; \
	  done; \
	else echo "mvn is not installed (package maven): no Fuseki, no RDF4J, no riot" >&2; fi
	@if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --prefix $(STORES) $(PARSERS) >/dev/null; \
	else echo "npm is not installed (package npm): no N3.js, no jsonld.js" >&2; fi
	@command -v virtuoso-t >/dev/null || echo "virtuoso-t is not installed (package virtuoso-opensource): no Virtuoso" >&2
	@! ls $(STORES)/jena-fuseki-server-*.jar $(STORES)/rdf4j-http-server-*.war $(STORES)/jetty-runner-*.jar \
	  $(STORES)/node_modules/n3 $(STORES)/node_modules/jsonld >/dev/null 2>&1 || touch $@

stores: $(STORES)/installed

serve: $(VENV)/run
	@$(BIN)/eurasia-graph serve $(ARGS)

test: $(VENV)/test
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not external and not long" $(ARGS)

test-all: $(VENV)/external stores
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

attack: $(VENV)/external stores
	@failed=0; for attack in attacks/*.py; do echo "== $$attack"; $(BIN)/python $$attack $(ARGS) || failed=1; done; exit $$failed

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/interrogate --quiet src tests benchmarks attacks
	$(BIN)/eurasia-graph fmt --check

fmt: $(VENV)/test
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/eurasia-graph fmt

benchmark: $(VENV)/test
	@for table in build edit sources shapes queries cow web crowd; do $(BIN)/python benchmarks/$$table.py || exit 1; done

clean:
	rm -rf $(VENV)
