# suture: `make demo` repairs a broken example, `make test` runs every test. Both set themselves up, say what they download, can be
# interrupted at any time and run again, and reuse what is there. Nothing is installed outside of .venv and the user's cache.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
SUTURE_MODEL ?= qwen2.5-coder-1.5b
TEST_MODEL ?= qwen2.5-coder-0.5b
OUT ?= .cache/bench
# What a shell may have set that would change what runs here; without bytecode every start of Python compiles everything again.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

ifneq ($(words $(CURDIR)),1)
$(error the path of this folder has a space in it, which make cannot work with: move the folder)
endif

.PHONY: help demo test lint bench lock clean setup-demo setup-test

help: ## Show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup-demo:
	@PYTHON="$(PYTHON)" bash scripts/setup.sh local

setup-test:
	@PYTHON="$(PYTHON)" bash scripts/setup.sh dev local

demo: setup-demo ## Repair a broken example with the embedded model (first time: about 70 MB of packages, 1.1 GB of weights)
	@$(BIN)/suture model pull $(SUTURE_MODEL)
	bash scripts/demo.sh $(SUTURE_MODEL)

lint: setup-test ## ruff, mypy --strict, pyright strict, import-linter
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

test: lint ## Lint, then every test (first time: about 210 MB of packages, 0.5 GB of weights for the tests of the real model)
	@$(BIN)/suture model pull $(TEST_MODEL)
	SUTURE_TEST_MODEL=required $(BIN)/python -m pytest --durations 10 $(PYTEST_ARGS)

bench: setup-test ## The repair bench with the embedded model; figures and plots go to .cache/bench
	@$(BIN)/suture model pull $(SUTURE_MODEL)
	$(BIN)/python tests/bench/bench_repair.py --out $(OUT)/repair --policy embedded:$(SUTURE_MODEL)

lock: setup-test ## Resolve pyproject.toml into requirements/*.txt again
	@bash scripts/lock.sh

clean: ## Remove what make made here (the cache of models and environments stays)
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
