# `make` alone explains the targets. Everything needs only Python 3.11+ and, the first time, Maven (or Docker).
.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash

BIN := .venv/bin
PYTEST := $(BIN)/pytest
PINNED := pyproject.toml uv.lock .ci/set-up

.PHONY: help run test lint fmt types imports unit contract integration e2e faults agreement grades bench schemas flow clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/ready-to-run ## Start everything: Kafka, PostgreSQL, all services, on http://127.0.0.1:8080 (VIGILO_PORT)
	@$(BIN)/vigilo up

test: lint types imports ## Lint, types, import contracts and every test that is not slow
	@$(PYTEST) -m "not slow" tests

lint: .venv/ready-to-test ## Check style; changes nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

fmt: .venv/ready-to-test ## Rewrite files in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: .venv/ready-to-test ## Check types (mypy --strict)
	@$(BIN)/mypy

imports: .venv/ready-to-test ## Check that imports go only where they may
	@$(BIN)/lint-imports

unit: .venv/ready-to-test ## Pure code only, no servers
	@$(PYTEST) tests/unit

contract: .venv/ready-to-test ## Schemas, examples, topic rows, documents
	@$(PYTEST) tests/contract

integration: .venv/ready-to-test ## Adapters and single services on real Kafka and PostgreSQL
	@$(PYTEST) tests/integration

e2e: .venv/ready-to-test ## The whole system, as its user sees it
	@$(PYTEST) tests/e2e

faults: .venv/ready-to-test ## Kill and stop processes in the middle of work; minutes
	@$(PYTEST) -m slow tests/faults tests/integration

agreement: .venv/ready-to-test ## Compare full scans with sslyze and sslscan on real servers; minutes
	@$(PYTEST) -s -m slow tests/integration/scanner/test_agreement.py

grades: .venv/ready-to-test ## Scan the 89 servers of docs/grades-table.md and hold both rulebooks against it
	@$(PYTEST) tests/grades

bench: .venv/ready-to-test ## Measure latency, throughput and memory on this machine
	@$(PYTEST) -s tests/bench

schemas: .venv/ready-to-test ## Write what schemas/ has that is generated
	@$(BIN)/python -m vigilo_cli.schemas

flow: .venv/ready-to-test ## Write docs/dataflow.md, docs/grading.md and the table of services/README.md
	@$(BIN)/python -m vigilo_cli.flow

clean: ## Remove caches and the virtual environment, never data (.vigilo)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/ready-to-run: $(PINNED)
	@if [ -e .venv/ready-to-test ]; then .ci/set-up dev; else .ci/set-up run; fi
	@touch $@

.venv/ready-to-test: $(PINNED)
	@.ci/set-up dev
	@touch $@ .venv/ready-to-run
