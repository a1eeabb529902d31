PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check check-newest check-lowest config docs dist bench soak lock clean

# Both stamps rebuild only when their lock file or the project's metadata changes.
$(VENV)/.run: requirements/run.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/run.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/.run

demo: $(VENV)/.run
	$(BIN)/sgw-scanner demo

test: $(VENV)/.dev
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The tests on the newest of everything, the SDK's next generation included, and on the lowest versions declared.
NEWEST := .venv-newest
LOWEST := .venv-lowest
WITH_UV = test -x $@/bin/uv || { $(PYTHON) -m venv $@ && $@/bin/python -m pip --disable-pip-version-check --quiet install uv; }
RESOLVE = $@/bin/uv pip install --quiet --python $@/bin/python --upgrade --editable '.[all]' --group dev

check-newest: $(NEWEST)
	$(NEWEST)/bin/python -m pytest

# Old libraries beside new ones warn of things that are none of ours.
check-lowest: $(LOWEST)
	$(LOWEST)/bin/python -m pytest -W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning

.PHONY: $(NEWEST) $(LOWEST)
$(NEWEST):
	$(WITH_UV)
	$(RESOLVE) --override requirements/newest.txt

$(LOWEST):
	$(WITH_UV)
	$(RESOLVE) --resolution lowest-direct

config: $(VENV)/.dev
	$(BIN)/python -m scripts.generate

# The site, in docs/_build/html; a warning is an error.
docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html

# What a release publishes: sdist, wheel and the bill of materials.
dist: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m hatchling build
	$(BIN)/python -m scripts.sbom > dist/sgw-scanner.cdx.json

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

soak: $(VENV)/.dev
	$(BIN)/python -m benchmarks.soak

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-header --extra all --group build pyproject.toml -o requirements/run.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-header --group build pyproject.toml -c requirements/run.lock -o requirements/plain.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-header --extra all --group dev pyproject.toml -c requirements/run.lock -o requirements/dev.lock

clean:
	rm -rf $(VENV) $(NEWEST) $(LOWEST) build dist docs/_build sgw-demo .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.* .hypothesis
