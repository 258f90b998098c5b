# Two commands: `make demo` shows the whole job, `make test` runs every test. Both do their own set-up.
.PHONY: demo test fast setup check bench clean

demo: setup
	.venv/bin/mlsys demo

test: setup check
	.venv/bin/python -m pytest

fast: setup
	.venv/bin/python -m pytest -m "not slow"

check: setup
	.venv/bin/ruff check .
	.venv/bin/mypy

bench: setup
	.venv/bin/python -m benchmarks.judge_calls

setup:
	@./bootstrap.sh

clean:
	rm -rf .venv run build *.egg-info
