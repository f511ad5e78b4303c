# Every target sets up what it needs first; set-up costs nothing when nothing changed. It asks for Python 3.11 or newer,
# make and a C library, and uses no other program from the PATH than Python.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.8

# The demo's arguments: ALGORITHM=PATH.py runs one of your own, TAPE="PATH…" plays recorded prices, DAYS is the floor's
# part of them, PORT its port; FAULTS=7 lets the exchange misbehave by that seed while the floor trades.
ALGORITHM ?=
TAPE ?=
DAYS ?=
PORT ?=
FAULTS ?=
# Files of expected results for `make cases`: FILES="a.json b.json".
FILES ?=
# What `make test` runs: TESTS=tests/omc/cli for a part.
TESTS ?=
# Seeds of `make simulate`: how many, and the first of them. GUARD=write-ahead, single-sender, unknown-state, halt-gate,
# promise or closed-account takes one away; TRACE=1 tells everything that happens.
SEEDS ?= 100
FROM ?= 1
GUARD ?=
TRACE ?=
# `make crash`: VICTIMS=risk,raylet and POINTS=1,7 for a part, by name or number; SEED draws the market.
VICTIMS ?=
POINTS ?=
SEED ?= 7
# `make fuzz-api`: examples of each operation; URL of a running platform, which TOKEN, or EMAIL and PASSWORD, let in.
EXAMPLES ?= 100
URL ?=

export RAY_USAGE_STATS_ENABLED := 0
export UV_NO_PROGRESS := 1

.PHONY: setup demo up down test long search simulate crash cases fuzz-api client check bench peers lock

setup: $(STAMP)

demo: $(STAMP)
	@$(BIN)/omc demo --home var/demo $(if $(ALGORITHM),--algorithm '$(subst ','\'',$(ALGORITHM))') $(foreach word,$(TAPE),$(foreach file,$(or $(wildcard $(word)),$(word)),--tape $(file))) $(if $(DAYS),--days $(DAYS)) $(if $(PORT),--port $(PORT)) $(if $(FAULTS),--faults $(FAULTS))

up: $(STAMP)
	@exec $(BIN)/omc up

down: $(STAMP)
	@$(BIN)/omc down

test: $(STAMP)
	@$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(TESTS)

# What `make test` leaves out, because it takes long.
long: $(STAMP)
	@$(BIN)/python -m pytest -m long $(TESTS)

# New examples for the laws, which `make test` asks the same of each time: TESTS=tests/omc/backtest for a part.
search: $(STAMP)
	@$(BIN)/python -m pytest --hypothesis-profile=search $(TESTS)

# The floor on a virtual clock: what a seed draws happens to it, and the books must be right afterwards.
simulate: $(STAMP)
	@$(BIN)/python tests/simulation/run.py --seeds $(SEEDS) --from $(FROM) --guard '$(GUARD)' $(if $(TRACE),--trace)

# Whole platforms under load, on which everything is killed at every point that matters.
crash: $(STAMP)
	@$(BIN)/python tests/crash/run.py --victims '$(VICTIMS)' --points '$(POINTS)' --seed $(SEED)

cases: $(STAMP)
	@$(BIN)/python tests/cases/run.py $(FILES)

# Schemathesis on every operation, in an environment of its own: .venv-fuzz. URL asks a running platform.
fuzz-api: $(STAMP)
	@test -x .venv-fuzz/bin/python || $(PYTHON) -m venv .venv-fuzz
	@VIRTUAL_ENV=$(CURDIR)/.venv-fuzz $(BIN)/uv pip install --quiet --require-hashes -r tests/fuzz/requirements.txt
	@$(BIN)/python -m tests.fuzz.run --examples $(EXAMPLES) $(if $(URL),--url '$(URL)')

# The typed client, from the merged document.
client: $(STAMP)
	@$(BIN)/python -m cluster.client_code

check: $(STAMP)
	@$(BIN)/ruff check --no-cache .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m cluster.client_code --check
	@$(BIN)/python -m pytest tests/test_layering.py

# As modules: the folder of a script comes before Python's own modules, and this one has an `http`.
bench: $(STAMP)
	@set -e; for file in bench/[a-z]*.py; do echo "== $$file"; $(BIN)/python -m "bench.$$(basename "$$file" .py)"; done

# What the benchmarks compare with, apart from the product: .venv-peers.
peers: $(STAMP)
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	@VIRTUAL_ENV=$(CURDIR)/.venv-peers $(BIN)/uv pip install --quiet --require-hashes -r bench/peers/requirements.txt

lock: $(STAMP)
	@$(BIN)/uv pip compile pyproject.toml --extra ccxt --group dev --generate-hashes --universal --python-version 3.11 -o requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Oh My Coins needs Python 3.11 or newer, found " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "installing the locked dependencies into $(VENV)"
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@
