# Requirements: Python 3.11 or newer with venv, git and make. Everything else is installed into .venv.
PYTHON ?= python3
# How pytest runs, for example `make test PYTEST="-x -k pipe"`.
PYTEST ?= -n 4 --dist worksteal
BIN := .venv/bin
# Where `make run` listens; the sandbox page is at the port after it.
PORT ?= $(or $(shell sed -n 's/^PORT=//p' .env 2>/dev/null),8080)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# Without compiled modules each of the processes that run the tests would have to compile all of them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup setup-production test coverage check bench soak chaos format lock mini-app mini-app-check
.DEFAULT_GOAL := test

run: .venv/run-ready
	@$(BIN)/python -c 'from api.demo import require_free; require_free("$(PORT)")'
	@SANDBOX=1 PORT=$(PORT) $(BIN)/hypercorn --workers 0 --bind 127.0.0.1:$(PORT) "api:create_app()"

setup: .venv/ready

# Removes debug symbols. A file is replaced and not changed in place, because a gateway may be running with it.
STRIP := sh -c 'strip --strip-unneeded -o "$$1.new" "$$1" && mv "$$1.new" "$$1"' sh

# Only what production needs: no tools for tests, and in the end no installers and none of babel's languages, because no
# template here uses the filters of python-liquid that read them. That is 103 MB instead of 227.
setup-production: .venv/run-ready
	@$(BIN)/uv pip uninstall --quiet --python $(BIN)/python uv pip setuptools
	@rm -rf .venv/lib/python*/site-packages/babel/locale-data .venv/uv-ready
	@command -v strip > /dev/null && find .venv/lib -name '*.so' -size +1M -exec $(STRIP) {} \; || true

# `make test REPEAT=1` gives failed tests a second chance, see tests/support/repetition.py.
test: check
	$(BIN)/python -m pytest $(PYTEST) $(if $(REPEAT),|| $(BIN)/python -m tests.support.repetition $$?)

# Measuring takes about a third more time, so it is not a part of every run.
coverage: .venv/ready
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: .venv/ready
	@$(MAKE) --no-print-directory --jobs 2 style types .venv/tests-compiled

.PHONY: style types
style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo

types:
	$(BIN)/mypy

# Compiled beside mypy, which takes one processor, the tests need not be compiled by each process that runs them.
# What fails here fails when they run, and is shown then.
.venv/tests-compiled: .venv/ready
	@$(BIN)/python -m pytest --collect-only > /dev/null 2>&1 || true
	@touch $@

bench: .venv/ready
	$(BIN)/python -m benchmarks

# `make soak SOAK="--minutes 60 --busy 4"` repeats the soak test for an hour under load,
# `--postgresql` does the same with PostgreSQL;
# `make soak SOAK="--minutes 60 --calm"` kills nothing and shows whether memory or open files grow.
soak: .venv/ready
	$(BIN)/python -m benchmarks.soak $(SOAK)

# `make chaos CHAOS="40 --seeds 1 2 3"` lets 40 faults happen for each seed, then runs the positive control.
chaos: .venv/ready
	$(BIN)/python -m benchmarks.chaos $(CHAOS)

# The built files are committed, so that `make run` needs no Node; they must be what the sources give.
MINI_APP := teamflame/mini_app
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix $(MINI_APP) --no-audit --no-fund --loglevel=error

mini-app: .venv/ready
	$(NPM) ci
	$(NPM) run build

mini-app-check: .venv/ready
	@$(NPM) ci || { echo "npm cannot install: the built Mini App was not compared with its sources" >&2; exit 0; } \
		&& $(NPM) run build -- --outDir ../../.venv/mini_app --emptyOutDir \
		&& diff -r .venv/mini_app $(MINI_APP)/dist && echo "the built Mini App is what its sources give"

format: .venv/ready
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# `make lock UPGRADE=--upgrade` takes the newest version of everything.
lock: .venv/ready
	$(COMPILE) $(UPGRADE) --extra dev --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) --constraints requirements-dev.txt --output-file requirements.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --output-file benchmarks/alternatives/requirements.txt benchmarks/alternatives/requirements.in

.venv/ready: requirements-dev.txt .venv/uv-ready
	$(call install,requirements-dev.txt)
	@touch $@

.venv/run-ready: requirements.txt .venv/uv-ready
	$(call install,requirements.txt)
	@touch $@

# Compiled modules matter: the forkserver imports Telethon, which takes 1.0 s without them and 0.16 s with them.
# If uv finds no registry, pip may find one, because it knows the machine's own settings.
define install
	@echo "Installing the packages of $(1) into .venv; this happens once and takes a minute or two."
	@$(BIN)/uv pip install --python $(BIN)/python --require-hashes --compile-bytecode --requirements $(1) \
		|| $(BIN)/python -m pip install --quiet --require-hashes --compile --requirement $(1)
endef

.venv/uv-ready: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Telefix needs Python 3.11 or newer; name one: make PYTHON=python3.11" >&2; exit 1; }
	@echo "Making .venv."
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	@touch $@
