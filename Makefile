# One door for every task. `make run` and `make test` set themselves up in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOG ?=
FUZZ ?= 120
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help run test check check-text check-types check-rules fmt fuzz bench quality cluster clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# The stamps hold the digest of what was installed: a changed dependency or page sets up again.
$(VENV)/.run: pyproject.toml constraints.txt hatch_build.py build_data.py $(wildcard src/logvision/native/*.[ch]) $(shell find frontend -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up LogVision in $(VENV) (the first time takes a few minutes) ..."
	@$(BIN)/python -m pip install -q -c constraints.txt -e .
	@$(BIN)/logvision check >/dev/null
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev,train,cluster,spark]'
	@touch $@

run: $(VENV)/.run ## watch LOG=/path/access.log, or generated traffic without LOG
	@$(BIN)/logvision watch $(LOG)

test: $(VENV)/.dev ## all tests
	@$(BIN)/python deploy/fetch.py || true # tests whose servers could not be fetched are left out, and said
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.dev ## format, lint, types, layers, quick tests: under a minute
	@$(MAKE) -s -j 2 -O check-text check-types check-rules
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --hypothesis-profile=quick -m 'not slow and not browser and not cluster'

check-text:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

check-types:
	@$(BIN)/mypy

check-rules:
	@$(BIN)/logvision check

fmt: $(VENV)/.dev ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

fuzz: $(VENV)/.dev ## two minutes of coverage-guided fuzzing for each reader of hostile text (FUZZ=seconds)
	@for target in canonical units verify formats; do \
	  $(BIN)/python tests/fuzz/readers.py $$target .fuzz/$$target -max_total_time=$(FUZZ) -timeout=20 -max_len=4096 \
	    -artifact_prefix=.fuzz/ || exit 1; done

cluster: $(VENV)/.dev ## the distributed mode on this machine (Java 17): broker, stores, job, page, generator
	@$(BIN)/python deploy/fetch.py kafka spark ferretdb
	@PYTHONPATH=deploy $(BIN)/python deploy/cluster.py

bench: $(VENV)/.dev ## speed of the full pipeline, and latency, on this machine
	@$(BIN)/python bench/speed.py
	@$(BIN)/python bench/latency.py

clean: ## remove what was built (not the data)
	rm -rf $(VENV) build dist frontend/node_modules src/logvision/web/static
