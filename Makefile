.DEFAULT_GOAL := help
.PHONY: help run test lint bench clean lock

help: ## say what can be made
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

run: ## start Postern here, with a demo community
	@.ci/prepare run
	@.venv/bin/python manage.py up

test: ## lint, types, contracts, every test on SQLite, again what asks a database on PostgreSQL
	@.ci/prepare test
	@.ci/test

lint: ## style, types and import contracts only
	@.ci/prepare lint
	@.ci/lint

bench: ## messages a second, beside Postfix and Dovecot; then ten large ones at once
	@.ci/prepare test
	@.venv/bin/python -m tests.benchmarks.accept
	@.venv/bin/python -m tests.benchmarks.large
	@.venv/bin/python -m tests.benchmarks.fanout
	@.venv/bin/python -m tests.benchmarks.directory
	@.venv/bin/python -m tests.benchmarks.webmail

lock: ## write the locks anew from requirements*.txt
	@.ci/prepare lint
	@.ci/lock

clean: ## remove what was installed and built, and keep var
	rm -rf .venv node_modules .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
