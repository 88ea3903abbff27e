# Everything runs in .venv, made by the first target that needs it: only Python and make are needed.
#
#   make demo    the example of the README
#   make test    the tests, and the examples in the docstrings
#   make long    the tests that take long each, which `make test` leaves out
#   make backends  the tests with JAX and torch in place of TensorFlow, in a venv of its own
#   make docs    this documentation as a site, its examples run: build/docs/html/index.html
#   make test-docs opens the site in Chromium, if there is one; `make images`: its pictures for the README
#   make oldest  many tests, with the oldest versions that pyproject.toml admits, in a venv of its own
#   make kernels  the tests that rounding might change, with the kernels of other processors
#   make interop the test beside sktime, aeon, tslearn and Optuna, in a venv of its own
#   make dist    builds wheel and sdist, and tries each where nothing else is installed
#   make bench   times it beside what people use today: half an hour, in a venv of its own
#   make quality what can be read from the codes, beside published vectors: an hour, in the same venv
#   make seeds   what the claims of the examples come to with other seeds: an hour; docs/seeds.md
#   make detection  how well outliers are found, beside others: twenty minutes, in the same venv
#   make series  how well anomalies in long series are found, beside others: half an hour, in the same venv
#   make forecasts  how well next steps are forecast, beside others: half an hour, in the same venv
#   make throughput  sequences a second by workers of Dask, and fits to files: five minutes
#   make lint    style; `make types`: type hints; `make clean`: back to a fresh checkout
#
# Another Python: make PYTHON=python3.12 test

PYTHON ?= python3
VENV := .venv
# pip installs the program graphviz-pure here, and pydot looks for programs on the PATH.
BIN := $(CURDIR)/$(VENV)/bin
RUN := PATH="$(BIN):$$PATH"
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test long backends test-backends docs site test-docs browse images oldest test-oldest \
kernels interop test-interop dist bench measure bench-quick measure-quick quality judge seeds reseed \
detection detect series spot forecasts foresee throughput lint types clean clean-docs
.DELETE_ON_ERROR:

demo: $(VENV)/.installed-plot
	$(RUN) python tools/draw.py examples/demo.py build/demo

# A file's tests share fits and traced programs, so they run in one process.
PYTEST := python -m pytest --numprocesses 2 --dist loadfile
test: $(VENV)/.installed-test
	$(RUN) $(PYTEST) -m "not long"

long: $(VENV)/.installed-test
	$(RUN) $(PYTEST) -m long

# In a venv of its own. On Linux PyPI's torch brings CUDA with it, 8 GB in all; 3.6 GB suffice with
# PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make backends
backends:
	$(MAKE) VENV=.venv-backends test-backends

test-backends: $(VENV)/.installed-backends
	$(RUN) python -m pytest tests/training/test_backends.py tests/training/test_devices.py

# In a venv of its own, for what sphinx-build needs. Warnings are errors. Examples that have not changed
# are not run again; `make clean-docs docs` runs them all.
docs:
	$(MAKE) VENV=.venv-docs site

site: $(VENV)/.installed-docs
	rm -rf build/docs/html
	$(RUN) TF_CPP_MIN_LOG_LEVEL=3 python -m sphinx --fail-on-warning --keep-going -b html \
	-d build/docs/doctrees docs build/docs/html $(SPHINX)

# Of links, errors in the console, pictures, the search, and how wide it is on a phone.
test-docs: docs
	$(MAKE) VENV=.venv-docs browse

browse: $(VENV)/.installed-docs
	$(RUN) python -m pytest tests/test_site.py

# The README's pictures are those of the site.
images: docs
	cp docs/gallery/images/sphx_glr_demo_001.png docs/images/japanese_vowels.png

oldest:
	$(MAKE) VENV=.venv-oldest test-oldest

# Old versions warn of what newer ones have mended. These tests meet what others have changed most.
OLDEST := containers preprocessing persistence network/test_numpy_network.py estimators/test_sklearn.py \
estimators/test_errors.py
test-oldest: $(VENV)/.installed-oldest
	$(RUN) python -m pytest $(OLDEST:%=tests/%) -m "not newest" --numprocesses 2 \
	--override-ini filterwarnings=default --disable-warnings

# NumPy's kernels for AVX2 and for processors without it, then TensorFlow's for AVX2; `make test` tries
# those of the processor at hand. Libraries choose when they are loaded, so each is a process.
IN_NUMPY := estimators network onnx
IN_TENSORFLOW := network training
KERNELS := $(PYTEST) -m kernels
kernels: $(VENV)/.installed-test
	$(RUN) OPENBLAS_CORETYPE=Haswell $(KERNELS) $(IN_NUMPY:%=tests/%)
	$(RUN) OPENBLAS_CORETYPE=Nehalem $(KERNELS) $(IN_NUMPY:%=tests/%)
	$(RUN) ONEDNN_MAX_CPU_ISA=AVX2 XLA_FLAGS=--xla_cpu_max_isa=AVX2 \
	$(KERNELS) $(IN_TENSORFLOW:%=tests/%)

# In a venv of its own: they hold NumPy and pandas back.
interop:
	$(MAKE) VENV=.venv-interop test-interop

test-interop: $(VENV)/.installed-interop
	$(RUN) python -m pytest tests/test_interop.py sklearn_seqae/adapters

# From another folder, so that it is the installed package that is tried.
dist:
	rm -rf .venv-dist build/dist
	$(PYTHON) -m venv .venv-dist
	.venv-dist/bin/python -m pip install --quiet --disable-pip-version-check 'build>=1.2'
	.venv-dist/bin/python -m build --outdir build/dist .
	.venv-dist/bin/python -m pip install --quiet --disable-pip-version-check build/dist/*.whl
	cd build/dist && ../../.venv-dist/bin/python ../../tools/smoke.py
	.venv-dist/bin/python -m pip install --quiet --disable-pip-version-check \
	--force-reinstall --no-deps build/dist/*.tar.gz
	cd build/dist && ../../.venv-dist/bin/python ../../tools/smoke.py

# In a venv of its own: what this library is compared with wants other versions of NumPy and pandas.
# BENCH="--workloads small --repeats 1" measures less; see benchmarks/run.py.
bench:
	$(MAKE) VENV=.venv-bench measure

measure: $(VENV)/.installed-bench
	$(RUN) python -m benchmarks.run $(BENCH)

# Three minutes: what got slower since the figures of docs/benchmarks.md, on the same processor.
bench-quick:
	$(MAKE) VENV=.venv-bench measure-quick

measure-quick: $(VENV)/.installed-bench
	$(RUN) python -m benchmarks.quick

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

# SERIES="--nab FOLDER --asd FOLDER" adds public collections: `python -m benchmarks.series --help` says
# where they are. SERIES=--afresh measures again what series.json has.
series:
	$(MAKE) VENV=.venv-bench spot

spot: $(VENV)/.installed-bench
	$(RUN) TF_CPP_MIN_LOG_LEVEL=3 python -m benchmarks.series $(SERIES)

# FORECASTS="--seeds 0" measures less; see benchmarks/forecasts.py.
forecasts:
	$(MAKE) VENV=.venv-bench foresee

foresee: $(VENV)/.installed-bench
	$(RUN) python -m benchmarks.forecasts $(FORECASTS)

throughput: $(VENV)/.installed-test
	$(RUN) TF_CPP_MIN_LOG_LEVEL=3 python -W ignore -m benchmarks.throughput

# SEEDS="heartbeats digits" runs these examples only, and leaves the others in the table.
seeds:
	$(MAKE) VENV=.venv-docs reseed

reseed: $(VENV)/.installed-docs
	$(RUN) TF_CPP_MIN_LOG_LEVEL=3 python tools/seeds.py $(SEEDS)

lint: $(VENV)/.installed-test
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: $(VENV)/.installed-test
	$(RUN) mypy

clean-docs:
	rm -rf build/docs docs/generated docs/gallery

clean: clean-docs
	rm -rf $(VENV) .venv-backends .venv-docs .venv-oldest .venv-interop .venv-dist .venv-bench build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# One stamp per extra; the package itself is installed in place, so only pyproject.toml matters.
$(VENV)/.installed-%: pyproject.toml | $(VENV)/bin/python
	@echo "Installing sklearn_seqae with its extra '$*' (TensorFlow is large: this takes minutes)"
	$(PIP) --editable '.[$*]'
	@touch $@

$(VENV)/.installed-oldest: pyproject.toml tools/oldest.py | $(VENV)/bin/python
	$(BIN)/python tools/oldest.py > $(VENV)/oldest.txt
	$(PIP) --constraint $(VENV)/oldest.txt --editable '.[test]'
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	"sklearn_seqae needs Python 3.11 or newer, and $(PYTHON) is %d.%d: name a newer one, as in make PYTHON=python3.12." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
