# From a fresh clone to a running system: make run. What it needs lands in .venv, what it keeps in .vitalake; the tests
# and benchmarks have environments of their own. (pip and uv keep copies of packages where they always do.)

.DEFAULT_GOAL := help
.PHONY: help run demo test lint bench bench-quality screenshots docs lock clean
SHELL := /bin/sh

UV_VERSION := 0.13.8
BIN := .venv/bin
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# The first of these that is new enough is used; PYTHON=/path/to/python chooses another one.
PYTHONS := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python3.10 python)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 15 | sed 's/^/  make /'

run: .venv/ready ## Start everything with generated data; Ctrl-C stops it, state stays (DATA=folder of ECG recordings)
	@$(BIN)/vitalake up --demo $(if $(DATA),--data "$(DATA)")

demo: .venv/ready ## Start everything, load the generated data (or DATA=folder), show the result, stop
	@$(BIN)/vitalake up --demo --exit $(if $(DATA),--data "$(DATA)")

test: .venv/ready ## Lint, types and all tests
	@$(MAKE) --no-print-directory -j2 lint .venv-spark/ready
	@$(BIN)/python -m pytest -n 2 --no-loadscope-reorder

lint: .venv/ready ## Lint, format and types only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: .venv/ready .venv-bench/ready ## Measure speed, growth and latency on this machine, beside others; takes a while
	@$(BIN)/python -m benchmarks

bench-quality: .venv-bench/ready ## Measure verdicts and R peaks against the literature and four peers; writes docs/quality.md
	@.venv-bench/bin/python -m benchmarks.quality

screenshots: .venv/ready ## Take the pictures of the README of a running system; needs Chromium
	@$(BIN)/python -m tests.system.screenshots

docs: .venv/ready ## Write the reference pages from the declarations
	@$(BIN)/python -m cli.reference

lock: .venv/ready ## Resolve requirements.lock anew from pyproject.toml
	@$(COMPILE) --upgrade --extra dev pyproject.toml --output-file requirements.lock
	@$(COMPILE) --upgrade --extra dev --extra bench pyproject.toml --output-file requirements-bench.lock
	@$(COMPILE) --upgrade --group spark --output-file requirements-spark.lock
	@! grep -nE 'https?://|file:|--find-links' requirements.lock requirements-bench.lock requirements-spark.lock

clean: ## Delete all local state in .vitalake
	@if [ -e .vitalake/lock ]; then \
		py=$$(for p in $(PYTHONS); do command -v $$p && break; done); \
		$$py -c 'import fcntl; fcntl.flock(open(".vitalake/lock"), fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null || \
		{ echo "Vitalake is running here: stop it with Ctrl-C where it was started, then make clean." >&2; exit 1; }; \
	fi
	@rm -rf .vitalake

# pip alone needs minutes for what uv does in seconds, so pip installs uv only.
.venv/ready: requirements.lock pyproject.toml
	@set -e; python=; \
	for p in $(PYTHONS); do \
		if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then python=$$p; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Vitalake needs Python 3.10 or newer, and none of these is: $(PYTHONS)." >&2; \
		echo "Install one, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$python cannot make virtual environments: install its venv module" >&2; \
		echo "(Debian and Ubuntu: apt install python3-venv) or name another one with PYTHON=." >&2; exit 1; \
	fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then \
		echo "Setting up .venv with $$("$$python" --version); this happens once and takes a minute."; \
		"$$python" -m venv --clear .venv; \
	fi; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# The peers of the accuracy report want other versions of what the product uses, so they have an environment of their
# own, made when it is asked for.
.venv-bench/ready: .venv/ready requirements-bench.lock
	@set -e; \
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-bench; \
	$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --require-hashes -r requirements-bench.lock; \
	$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

# Spark weighs 600 MB with its Java and is there for the tests only. No cache: pyspark comes as source, and uv keeps
# 2.3 GB of what it builds of it, anew at each clone where the index does not say how long an answer holds.
.venv-spark/ready: .venv/ready requirements-spark.lock
	@set -e; \
	echo "Setting up .venv-spark for the tests; this happens once and takes a minute."; \
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-spark; \
	$(BIN)/uv pip install --quiet --python .venv-spark/bin/python --no-cache --require-hashes -r requirements-spark.lock
	@touch $@
