# Two commands on a fresh machine with make and a Python: `make run` and `make test`. Each sets up what it needs.
PYTHON ?= 3.10
VENV := .venv
STAMP := $(VENV)/.installed-$(PYTHON)

.PHONY: run test check chaos golden parity mutate pytorch bench docs pages setup lock clean

run: setup  ## from the sample CSV to a pushed model and a report
	$(VENV)/bin/fullbake run configs/quickstart.yaml

test: setup  ## every test, in two processes
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: setup  ## lint, format, types, layers, lengths of files
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m pytest --quiet --noconftest tests/test_house.py

chaos: setup  ## ends twenty runs at seeded moments and compares what comes of them (about 20 minutes)
	$(VENV)/bin/python -m tests.pipeline.chaos

golden: setup  ## what each kind of run comes to, bit by bit: writes golden.json, or compares with it (about 4 minutes)
	$(VENV)/bin/python -m tests.pipeline.golden golden.json

parity: setup  ## the tokenizers against Hugging Face's, exhaustively (about 4 minutes)
	$(VENV)/bin/python -m tests.components.parity

pytorch: setup  ## what is served against PyTorch, which this installs aside (about 5 GB where PyPI has only the CUDA build)
	$(VENV)/bin/python -m benchmarks.torch_environment
	$(VENV)/bin/python -m pytest tests/trainer/test_hugging_face.py

mutate: setup  ## 5,000 damaged CSV files, each read whole or refused in one line (about 5 minutes)
	$(VENV)/bin/python -m tests.components.csv_mutator

bench: setup  ## how fast it is, against what people run today; TWEETS=davidson_hate_speech.csv takes real tweets
	$(VENV)/bin/python -m benchmarks

docs: pages  ## the documentation's site, in build/docs
	$(VENV)/bin/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs
	@echo "build/docs/index.html"

pages: setup  ## docs/config.md and docs/messages.md, of what the code says
	$(VENV)/bin/python -m docs.generate

setup: $(STAMP)  ## .venv with the locked packages; PYTHON=3.13 takes the newer lane

$(STAMP): requirements.lock pyproject.toml tools/uv.sh
	@command -v g++ >/dev/null || { echo "make: a C++ compiler is needed (Debian and Ubuntu: apt-get install g++)" >&2; exit 2; }
	rm -rf $(VENV)
	sh tools/uv.sh venv --quiet --python $(PYTHON) $(VENV)
	VIRTUAL_ENV=$(VENV) sh tools/uv.sh pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=$(VENV) sh tools/uv.sh pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

lock:  ## resolves pyproject.toml into requirements.lock, for both lanes
	sh tools/uv.sh pip compile pyproject.toml --quiet --python-version 3.10 --group demo --group dev --group docs --universal \
	  --generate-hashes --no-header --no-annotate --output-file requirements.lock

clean:  ## removes what make made; runs/ stays
	rm -rf $(VENV) .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
