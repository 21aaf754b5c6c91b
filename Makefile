# What a newcomer needs: `make demo` and `make test`. Everything lives in .venv; nothing else is touched.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 4)))  # tests wait much of their time
unexport PYTHONDONTWRITEBYTECODE  # what the tests start as processes is compiled once, not each time

# Tests make thousands of small databases: in memory where there is room, they cost no disk.
ROOM := $(shell df --output=avail /dev/shm 2>/dev/null | tail -n 1)
IN_MEMORY := $(if $(TMPDIR),,$(shell [ "$(ROOM)" -gt 4000000 ] 2>/dev/null && echo TMPDIR=/dev/shm))

.PHONY: demo story test check cover lint wheel audit bench soak texts clean

demo: $(READY)  ## a whole ballot on this machine, then phones and console in the browser
	$(BIN)/ballotline demo

story: $(READY)  ## the same, ending after the story
	$(BIN)/ballotline demo --once

test: $(READY)  ## every test that needs no hour; ENGINES=all for each of them on both engines
	$(IN_MEMORY) BALLOTLINE_ENGINES=$(ENGINES) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: $(READY)  ## lint, types, and a minute of the tests of what changed since main
	$(IN_MEMORY) $(BIN)/python -m tests.changed

cover: $(READY)  ## every line and branch of voting/ by its own tests, or it fails
	$(BIN)/python -m pytest tests/voting tests/test_house.py --cov=voting --cov-report=term-missing:skip-covered --cov-fail-under=100

lint: $(READY)  ## ruff and mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

wheel: $(READY)  ## the wheel in build/wheel: what is installed on the service's machine
	rm -rf build/wheel
	$(BIN)/python -m pip wheel . --no-deps --quiet --disable-pip-version-check --wheel-dir build/wheel
	@ls build/wheel/*.whl

audit: $(READY)  ## licences, advisories, and the wheel in build/wheel with its bill of materials (CycloneDX)
	$(BIN)/python -m tests.supply licences
	$(MAKE) --no-print-directory wheel
	$(BIN)/python -m tests.supply sbom build/wheel/*.whl
	$(BIN)/python -m tests.supply advisories

bench: $(READY)  ## ours beside the peer or the raw limit, as ratios: every part at reduced size; PART=name at full size
	$(BIN)/python -m tests.benchmarks

soak: $(READY)  ## the long runs: a million innocent sequences, 50 kills, 30 broadcast crashes, ten minutes of bad answers each way, an hour of faults of PostgreSQL, killed workers while 600 vote
	BALLOTLINE_SOAK=1 $(BIN)/python -m pytest -m "soak or crash" -x

texts: $(READY)  ## bring the catalogues up to the code, for translators
	mkdir -p build
	for d in words notices member page staff refusals commands console; do \
	  $(BIN)/pybabel extract -F babel.cfg -k $$d --add-location=file -o build/$$d.pot . && \
	  $(BIN)/pybabel update -i build/$$d.pot -d messages/locale -D $$d --no-fuzzy-matching --ignore-pot-creation-date; \
	done

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Ballotline needs Python 3.11 or newer; name one with make PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
