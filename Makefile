# Everything runs in .venv, made by the first target that needs it: only Python and make are needed.
#
#   make demo    the example of the README
#   make test    all tests, and the examples in the docstrings
#   make backends  the test with JAX and torch in place of TensorFlow, in a venv of its own
#   make bench   times it beside what people use today: half an hour, in a venv of its own
#   make quality what can be read from the codes, beside published vectors: an hour, in the same venv
#   make detection  how well outliers are found, beside others: twenty minutes, in the same venv
#   make lint    style; `make types`: type hints; `make clean`: back to a fresh checkout
#
# Another Python: make PYTHON=python3.12 test

PYTHON ?= python3
VENV := .venv
# pip installs the program graphviz-pure here, and pydot looks for programs on the PATH.
BIN := $(CURDIR)/$(VENV)/bin
RUN := PATH="$(BIN):$$PATH"
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test backends test-backends bench measure quality judge detection detect lint types clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed-plot
	$(RUN) python examples/demo.py

test: $(VENV)/.installed-test
	$(RUN) python -m pytest --numprocesses 2

# In a venv of its own. On Linux PyPI's torch brings CUDA with it, 8 GB in all; 3.6 GB suffice with
# PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make backends
backends:
	$(MAKE) VENV=.venv-backends test-backends

test-backends: $(VENV)/.installed-backends
	$(RUN) python -m pytest tests/test_backends.py

# In a venv of its own: what this library is compared with wants other versions of NumPy and pandas.
# BENCH="--workloads small --repeats 1" measures less; see benchmarks/run.py.
bench:
	$(MAKE) VENV=.venv-bench measure

measure: $(VENV)/.installed-bench
	$(RUN) python -m benchmarks.run $(BENCH)

# What quality.json has is not measured again, but with QUALITY=--afresh; QUALITY="--parts codes --seeds
# 0" measures less: see benchmarks/quality.py.
quality:
	$(MAKE) VENV=.venv-bench judge

judge: $(VENV)/.installed-bench
	$(RUN) python -m benchmarks.quality $(QUALITY)

# DETECTION=--afresh measures again what detection.json has; see benchmarks/detection.py.
detection:
	$(MAKE) VENV=.venv-bench detect

detect: $(VENV)/.installed-bench
	$(RUN) python -m benchmarks.detection $(DETECTION)

lint: $(VENV)/.installed-test
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: $(VENV)/.installed-test
	$(RUN) mypy

clean:
	rm -rf $(VENV) .venv-backends .venv-bench build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# One stamp per extra; the package itself is installed in place, so only pyproject.toml matters.
$(VENV)/.installed-%: pyproject.toml | $(VENV)/bin/python
	@echo "Installing sklearn_seqae with its extra '$*' (TensorFlow is large: this takes minutes)"
	$(PIP) --editable '.[$*]'
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"sklearn_seqae needs Python 3.11 or newer, and $(PYTHON) is %d.%d: name a newer one, as in make PYTHON=python3.12." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
