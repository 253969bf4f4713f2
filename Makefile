# Two commands: `make demo` and `make test`. Each sets up what it needs in .venv first. `make page` needs Node's npm.
VENV := .venv
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := $(VENV)/Scripts
else
PYTHON ?= python3
BIN := $(VENV)/bin
endif

.PHONY: demo test fuzz bench page wheels clean

demo: $(VENV)/train.installed
	$(BIN)/python -m burnish demo --out demo

# As many tests at once as there are cores, each on one thread: threads that wait for each other would cost more than they give.
test: export OMP_NUM_THREADS = 1
test: $(VENV)/dev.installed
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

fuzz: $(VENV)/dev.installed
	$(BIN)/python tests/fuzz.py
	$(BIN)/python tests/fuzz_serve.py

bench: $(VENV)/dev.installed
	$(BIN)/python benchmarks/seed_step.py

# The page that restores in the browser: of its sources and of packages that web/package-lock.json pins by their hashes, for the package burnish-web.
page:
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build

wheels: page
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist . ./web/python

# `pip install` needs no network but a package index; every version is pinned in constraints.txt.
$(VENV)/%.installed: pyproject.toml setup.py constraints.txt web/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Burnish needs Python 3.11 or newer; set PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing burnish[$*] into $(VENV) ..."
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$*]' --editable web/python
	touch $@

clean:
	rm -rf $(VENV) demo build web/node_modules web/python/burnish_web/page .mypy_cache .ruff_cache .pytest_cache .hypothesis
