# Three commands: `make hub` starts a hub to try, `make demo` shows the grading of a class, `make test` runs
# every test. Each does its own set-up.
.PHONY: hub demo test fast setup test-setup check bench attacks fuzz clean

# Three workers for two cores, for they wait half of the time; the tests of one file, which share what is costly to
# start, stay together. In the order of tests/conftest.py, the longest first: by the number of their tests, files of
# one long test would come last, and one worker would wait. A test that hangs is ended by name.
# Tests that race come after the others: on a core that others use a race has to say that it can't measure.
WORKERS ?= $(shell cores=$$(nproc); echo $$((cores < 8 ? (3 * cores + 1) / 2 : 12)))
PARALLEL = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

hub: setup
	.venv/bin/mlsys up --demo

demo: setup
	.venv/bin/mlsys demo

test: test-setup check
	.venv/bin/python -m pytest $(PARALLEL) -m "not lane"
	.venv/bin/python -m pytest -m lane

fast: test-setup
	.venv/bin/python -m pytest $(PARALLEL) -m "not slow and not lane"

check: setup
	.venv/bin/ruff check .
	.venv/bin/mypy

bench: setup
	.venv/bin/python -m benchmarks.judge_calls

attacks: test-setup
	.venv/bin/python -m benchmarks.attacks

fuzz: test-setup
	.venv/bin/python -m tests.fuzz.decoder bytes --runs 200000
	.venv/bin/python -m tests.fuzz.decoder values --runs 200000
	.venv/bin/python -m tests.fuzz.decoder link --runs 5000
	.venv/bin/python -m tests.fuzz.notebooks --count 100

setup:
	@./bootstrap.sh

test-setup:
	@./bootstrap.sh --tests

clean:
	rm -rf .venv run build *.egg-info
