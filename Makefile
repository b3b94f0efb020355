# One command each. `make demo` reads the samples, `make test` runs every test; both set up what they need, and a second run
# is quick. The environment lives in .venv; PYTHON=… chooses another interpreter.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SERVING := $(VENV)/.serving
DEVELOPMENT := $(VENV)/.development
PAGE := src/shizi/serving/ui/index.html
PAGE_SOURCES := $(shell find web \( -name node_modules -o -name dist \) -prune -o -type f -print)
OPTIONS :=
PROCESSES := 2
PAGES := 5000
JOBS := 2000
KILLS := 200
SLOPE := 0.01
REQUESTS := 50000

.PHONY: help demo serve web test check docs samples bench floors soak soak-serve profile clean models-test fonts servers

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## install, fetch the default models, read the samples
	@scripts/demo.sh $(BIN)

serve: $(SERVING) $(PAGE) ## install and start the HTTP service with its web page: make serve OPTIONS="--port 9000"
	@exec $(BIN)/shizi serve $(OPTIONS)

web: $(PAGE) ## build the web page that `shizi serve` has at /

test: fonts servers $(DEVELOPMENT) $(PAGE) models-test ## set up what the tests need and run them all
	scripts/web.sh $(BIN) test
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder -m "not alone"
	$(BIN)/python -m pytest -m alone

check: $(DEVELOPMENT) ## lint, format, types, import rules
	scripts/web.sh $(BIN) check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED) ## write docs/cli.md, docs/errors.md and docs/settings.md from the sources
	$(BIN)/python -m scripts.docs

samples: fonts $(INSTALLED) ## draw the sample documents again
	$(BIN)/python -m samples.draw

bench: $(INSTALLED) ## accuracy and speed beside RapidOCR: make bench DATA=folder of labelled sets
	@scripts/bench.sh $(BIN) "$(DATA)"

floors: $(DEVELOPMENT) models-test ## fail where reading is 30 % slower, or grows so, than benchmarks/floors.toml says
	@$(BIN)/python -m benchmarks.floors

soak-serve: servers $(DEVELOPMENT) models-test ## a server for hours: identity, memory, restarts, overload: make soak-serve REQUESTS=50000
	@$(BIN)/python -m benchmarks.load identity --requests $(REQUESTS) --json out/load
	@$(BIN)/python -m benchmarks.load flat --requests $$(( $(REQUESTS) * 2 / 5 )) --json out/load
	@$(BIN)/python -m benchmarks.load rolling overload --rounds 10 --seconds 120 --json out/load

soak: servers $(DEVELOPMENT) models-test ## memory over many pages, jobs under kill -9, two hours: make soak PAGES=5000 SLOPE=0.01
	@$(BIN)/python -m benchmarks.soak --pages $(PAGES) --most-slope $(SLOPE)
	@$(BIN)/python -m benchmarks.kill --jobs $(JOBS) --kills $(KILLS)

profile: $(DEVELOPMENT) models-test ## draw docs/profile/after-*: where reading a page takes its time
	$(BIN)/python -m benchmarks.flame --output docs/profile/after
	$(BIN)/python -m benchmarks.operations --output docs/profile/after-operations.md

clean: ## remove the environment and everything that was made (not the models)
	rm -rf src/shizi/serving/ui web/dist web/node_modules
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PAGE): $(PAGE_SOURCES) scripts/web.sh | $(INSTALLED)
	scripts/web.sh $(BIN) all
	@touch $@

models-test: $(INSTALLED)
	$(BIN)/shizi models pull --tier general --tier light

fonts:
	@scripts/fonts.sh

servers:
	@scripts/servers.sh

$(INSTALLED): pyproject.toml constraints.txt scripts/environment.sh
	scripts/environment.sh $(VENV)
	@touch $@

$(SERVING): $(INSTALLED)
	scripts/environment.sh $(VENV) serve
	@touch $@

$(DEVELOPMENT): $(SERVING)
	scripts/environment.sh $(VENV) serve,cluster,client,traces
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --group dev
	@touch $@
