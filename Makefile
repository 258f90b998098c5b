# Three commands: `make hub` starts a hub to try, `make demo` shows the grading of a class, `make test` runs
# every test. Each does its own set-up.
.PHONY: hub demo test fast setup test-setup check bench clean

hub: setup
	.venv/bin/mlsys up --demo

demo: setup
	.venv/bin/mlsys demo

test: test-setup check
	.venv/bin/python -m pytest

fast: test-setup
	.venv/bin/python -m pytest -m "not slow"

check: setup
	.venv/bin/ruff check .
	.venv/bin/mypy

bench: setup
	.venv/bin/python -m benchmarks.judge_calls

setup:
	@./bootstrap.sh

test-setup:
	@./bootstrap.sh --tests

clean:
	rm -rf .venv run build *.egg-info
