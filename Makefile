.DEFAULT_GOAL := help
.PHONY: help run test lint bench clean lock

help: ## list these targets
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

run: ## start Postern here, with a demo community
	@.ci/prepare run
	@.venv/bin/python manage.py up

test: ## lint, types, contracts, every test on SQLite, again what asks a database on PostgreSQL
	@.ci/prepare test
	@.ci/test

lint: ## style, types, import contracts, known vulnerabilities of dependencies
	@.ci/prepare lint
	@.ci/lint

bench: ## how fast mail is kept, fanned out, found and shown, beside Postfix and Dovecot
	@.ci/prepare test
	@.ci/bench

lock: ## write the locks again from requirements*.txt
	@.ci/prepare lint
	@.ci/lock

clean: ## remove what was installed and built, and keep var
	rm -rf .venv node_modules .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
