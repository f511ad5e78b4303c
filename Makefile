# Every target sets up what it needs first; set-up costs nothing when nothing changed. It asks for Python 3.11 or newer,
# make and a C library, and uses no other program from the PATH than Python.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.8

# The demo's arguments: ALGORITHM=PATH.py runs one of your own, TAPE="PATH…" plays recorded prices, DAYS is the floor's
# part of them, PORT its port.
ALGORITHM ?=
TAPE ?=
DAYS ?=
PORT ?=
# Files of expected results for `make cases`: FILES="a.json b.json".
FILES ?=
# What `make test` runs: TESTS=tests/omc/cli for a part.
TESTS ?=

export RAY_USAGE_STATS_ENABLED := 0
export UV_NO_PROGRESS := 1

.PHONY: setup demo up down test long search cases check bench peers lock

setup: $(STAMP)

demo: $(STAMP)
	@$(BIN)/omc demo --home var/demo $(if $(ALGORITHM),--algorithm '$(subst ','\'',$(ALGORITHM))') $(foreach word,$(TAPE),$(foreach file,$(or $(wildcard $(word)),$(word)),--tape $(file))) $(if $(DAYS),--days $(DAYS)) $(if $(PORT),--port $(PORT))

up: $(STAMP)
	@exec $(BIN)/omc up

down: $(STAMP)
	@$(BIN)/omc down

test: $(STAMP)
	@$(BIN)/python -m pytest $(TESTS)

# What `make test` leaves out, because it takes long.
long: $(STAMP)
	@$(BIN)/python -m pytest -m long $(TESTS)

# New examples for the laws, which `make test` asks the same of each time: TESTS=tests/omc/backtest for a part.
search: $(STAMP)
	@$(BIN)/python -m pytest --hypothesis-profile=search $(TESTS)

cases: $(STAMP)
	@$(BIN)/python tests/cases/run.py $(FILES)

check: $(STAMP)
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/test_layering.py

bench: $(STAMP)
	@set -e; for file in bench/[a-z]*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

# What the benchmarks compare with, apart from the product: .venv-peers.
peers: $(STAMP)
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@VIRTUAL_ENV=$(CURDIR)/.venv-peers $(BIN)/uv pip install --quiet --require-hashes -r bench/peers/requirements.txt

lock: $(STAMP)
	@$(BIN)/uv pip compile pyproject.toml --extra ccxt --group dev --no-emit-index-url --generate-hashes --universal --python-version 3.11 -o requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Oh My Coins needs Python 3.11 or newer, found " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "installing the locked dependencies into $(VENV)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@
