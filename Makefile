# The front door: every task of the project is a target here, and `make` alone lists them.
# CI runs exactly `make setup` and `make check`; so does anybody else.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CARGO  ?= cargo
# In CI the slow tests run too; at a desk they are left to `make test-slow`. Neither tries what is `thorough`.
QUICK  := -m "not slow and not thorough"
RUST   := $(shell find rust -name '*.rs' -o -name Cargo.toml 2>/dev/null) $(wildcard Cargo.toml Cargo.lock)

.PHONY: help setup test test-rust test-python test-slow test-thorough check check-fast format-check lint types stubtest floors deny \
        fix bench bench-stats bench-plots demo pictures wheel fuzz fuzz-tar mutations clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/built ## build everything into .venv (release build)

$(VENV)/tools: pyproject.toml
	@command -v $(CARGO) >/dev/null || { echo "make setup needs a Rust toolchain: no '$(CARGO)' on PATH" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "make setup needs Python >= 3.11 as '$(PYTHON)' (or PYTHON=...)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "make setup needs Python's venv module (on Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(VENV)/built: $(VENV)/tools $(RUST)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --quiet
	@touch $@

test: test-rust test-python ## run both test suites (without the slow tests, unless CI is set)

test-rust:
	@if $(CARGO) nextest --version >/dev/null 2>&1; \
	then $(CARGO) nextest run --workspace --no-tests=fail && $(CARGO) test --doc --workspace --quiet; \
	else $(CARGO) test --workspace; fi

# In CI the comparisons with engines, which mostly wait for them, run beside the rest; their report comes after it.
test-python: setup
ifdef CI
	@report=$$(mktemp); trap 'rm -f "$$report"' EXIT; \
	$(BIN)/python -m pytest -m "engine and not thorough" >"$$report" 2>&1 & engine=$$!; \
	$(BIN)/python -m pytest -m "not engine and not thorough"; rest=$$?; \
	wait $$engine; engine=$$?; cat "$$report"; exit $$((rest | engine))
else
	$(BIN)/python -m pytest $(QUICK)
endif

test-slow: setup ## run the slow Python tests only
	$(BIN)/python -m pytest -m "slow and not thorough"

test-thorough: setup ## run the many more random cases that the gate takes a share of (an hour or so)
	$(BIN)/python -m pytest -m thorough

check: check-fast stubtest test ## the whole gate: format, lint, types, stubs, floors, both suites, doc examples

check-fast: format-check lint types floors deny

format-check: $(VENV)/tools
	$(CARGO) fmt --all --check
	$(BIN)/ruff format --check .

lint: $(VENV)/tools
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet
	$(BIN)/ruff check .

types: setup
	$(BIN)/python -m mypy

stubtest: setup
	$(BIN)/python -m mypy.stubtest layersim._core

floors: setup
	$(BIN)/lint-imports

# Built from source cargo-deny takes longer than the rest of the gate; CONTRIBUTING.md says what stands in for it.
deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --log-level error check bans licenses sources; \
	else echo "cargo-deny is not installed: tests/test_dependencies.py holds deny.toml alone"; fi

fix: $(VENV)/tools ## format, and apply the lint fixes that are safe
	$(CARGO) fmt --all
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: setup ## print every benchmark row beside its peer
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m benches $(ROWS)

bench-stats: setup ## print the distributions of single calls, behaviours and a scenario
	$(BIN)/python -m pytest benches -q --benchmark-columns=min,median,iqr,rounds --benchmark-sort=min

bench-plots: setup ## measure lookups over the depth of a stack and draw the curves of the documentation
	$(BIN)/python -m benches.curves docs/lookup_curves.svg >docs/lookup_curves.json

demo: setup ## tell the story on the embedded example, or on ARCHIVES="a.tar b.tar"
	@$(BIN)/layersim demo $(ARCHIVES)

pictures: setup ## draw the pictures of the documentation again
	$(BIN)/python docs/examples/accounting.py docs/accounting.svg >docs/examples/accounting.out

wheel: $(VENV)/tools ## build the release wheel into dist/
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin build --release --quiet --out dist

fuzz: setup ## compare random stacks and operations with the kernel's overlayfs, without end; needs root
	$(BIN)/python -m tests.kernel.fuzz $(FUZZ)

fuzz-tar: ## fuzz the tar reader for FUZZ_SECONDS (60); needs cargo-fuzz
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { echo "make fuzz-tar needs cargo-fuzz: cargo install cargo-fuzz" >&2; exit 1; }
	RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none tar -- -max_total_time=$(or $(FUZZ_SECONDS),60)

mutations: $(VENV)/tools ## plant known faults one by one and see the tests catch each; takes minutes
	$(BIN)/python -m tests.mutations

clean: ## remove what was built, the virtual environment included
	rm -rf $(VENV) target dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache
	find python tests -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/layersim/*.so
