# The two commands a newcomer needs are `make demo` and `make test`; both install what they need into .venv.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo demo-terminal test test-fast check format docs bench bench-quick bench-real bench-zoo clean
.DELETE_ON_ERROR:

demo: $(VENV)/.run  ## navigate on real data, in the browser
	$(BIN)/paretonav demo

demo-terminal: $(VENV)/.run  ## the same in the terminal
	$(BIN)/paretonav demo --terminal

# One process per core, each of one thread; a process keeps to neighbours, which share what they prepare.
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal

test: $(VENV)/.dev  ## all tests, the slow ones too
	$(TEST)

test-fast: $(VENV)/.dev  ## those that need no browser and take a second at most each
	$(TEST) -m "not slow"

check: $(VENV)/.dev  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Warnings are errors: a link that leads nowhere, a docstring that is no text.
docs: $(VENV)/.docs  ## the documentation as a site, in build/docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -q --fresh-env --fail-on-warning --keep-going -b html -c docs/site . build/docs

bench: $(VENV)/.dev  ## the figures in the documentation, measured on this machine
	$(BIN)/python bench/fetch_data.py
	$(BIN)/python bench/steps.py
	$(BIN)/python bench/fronts.py
	$(BIN)/python bench/cover.py
	$(BIN)/python bench/scaling.py
	$(BIN)/python bench/ablation.py
	$(BIN)/python bench/correctors.py
	$(BIN)/python bench/adaptation.py
	$(BIN)/python bench/standard_errors.py
	$(BIN)/python bench/real_conflict.py
	$(BIN)/python bench/preview.py
	$(BIN)/python bench/session.py
	$(BIN)/python bench/picture.py
	$(BIN)/python bench/cockpit.py
	$(BIN)/python bench/strangers.py
	$(BIN)/python bench/checkpoints.py
	$(BIN)/python bench/vectors.py
	$(BIN)/python bench/processes.py
	$(BIN)/python bench/screenshot.py

bench-quick: export BENCH_OUT = bench/results/quick
bench-quick: $(VENV)/.dev  ## the most important of them with few seeds and wishes, in less than five minutes
	$(BIN)/python bench/fetch_data.py adult
	$(BIN)/python bench/steps.py --problems digits adult --seeds 2 --wishes 1 \
		--methods ppe guessed-weights predicted-weights control
	$(BIN)/python bench/fronts.py --quick
	$(BIN)/python bench/scaling.py --quick

bench-real: $(VENV)/.dev  ## the steps with the transformer, too, and its memory; a language model
	$(BIN)/python bench/fetch_data.py
	$(BIN)/python bench/steps.py --slow
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/language.py

bench-zoo: $(VENV)/.dev  ## trained models of many kinds, brought where they are; some hours, goes on where it ended
	$(BIN)/python bench/fetch_data.py fashion-mnist default compas
	PYTHONPATH=bench $(BIN)/python -m zoo
	PYTHONPATH=bench $(BIN)/python bench/training_on.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable '.[cli,data,plots,tables,web]'
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) --editable '.[dev]'
	touch $@

$(VENV)/.docs: $(VENV)/.run
	$(PIP) --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build docs/gallery .mypy_cache .ruff_cache .pytest_cache .hypothesis
