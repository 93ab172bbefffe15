VENV := .venv
PY := $(VENV)/bin/python
# -qq: errors only; -q would print a line per package where an index is configured that lacks it.
PIP := $(PY) -m pip install -qq
STAMP := $(VENV)/.set-up
LOCK := requirements/lock.txt
START := $(shell date +%s)

NEW_ENOUGH := 'import sys; sys.exit(sys.version_info < (3, 10))'
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$name -c $(NEW_ENOUGH) 2>/dev/null && echo $$name && break; done)

# These would install packages elsewhere, import modules from elsewhere, or compile mmcv-lite.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON MMCV_WITH_OPS

.PHONY: help setup test quick demo small report lint docs dist clean

help:
	@echo 'make test                   run the tests'
	@echo 'make demo [VIDEO=path]      train a small encoder on generated videos, embed (also VIDEO), search, probe, report'
	@echo 'make small                  train the small encoder of the synthetic configs: work_dirs/small/encoder.pth'
	@echo 'make small PRETRAIN=pixels  pretrain it instead (or latent, teacher, motion_teacher, video_teacher, mixture)'
	@echo 'make report                 evaluate three small encoders on generated videos: work_dirs/report/report.html'
	@echo 'make docs                   build the documentation into work_dirs/site, and run demo/tutorial.ipynb'
	@echo 'make lint                   check rules and formatting with ruff'
	@echo 'make quick                  a minute of tests: imports, encoders, a training, an extraction;'
	@echo '                            on another Python with VENV=.venv-3.13 PYTHON=python3.13'
	@echo 'make dist                   build the wheel and the source archive, and check their description for PyPI'
	@echo 'make setup                  create $(VENV) and install everything; the commands above do so if needed'
	@echo 'make clean                  remove $(VENV) and build artifacts'
	@echo 'PYTHON=path                 the Python (3.10 or newer) for $(VENV)'

setup: $(STAMP)

# Without --no-deps, mmaction2 would require decord even where it has no wheel. torch is installed again with its
# dependencies, because its CUDA builds need libraries that the lock file does not have.
$(STAMP): $(LOCK) requirements/build.txt requirements/runtime.txt setup.py pyproject.toml
	@$(PY) -c '' 2>/dev/null || $(or $(PYTHON),python3) -c $(NEW_ENOUGH) || { \
		echo 'No Python 3.10 or newer: $(or $(PYTHON),python3) is older or missing.'; \
		echo 'Set one: make PYTHON=/path/to/python3.11 …'; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { echo 'Making $(VENV)'; $(PYTHON) -m venv $(VENV); }
	@$(PY) -c $(NEW_ENOUGH) || { echo '$(VENV) has a Python older than 3.10: run make clean, then again.'; exit 1; }
	@echo 'Installing the versions of $(LOCK) into $(VENV) (a few minutes at most, half of it for torch)'
	@$(PIP) -c $(LOCK) -r requirements/build.txt
	@if $(PY) -c 'from importlib.metadata import version; version("mmcv")' 2>/dev/null; then \
		echo 'Keeping the compiled mmcv of $(VENV)' >&2; grep -v '^mmcv-lite==' $(LOCK); \
	else cat $(LOCK); fi > $(VENV)/lock.txt
	@$(PIP) --no-deps --no-build-isolation -r $(VENV)/lock.txt
	@$(PIP) -c $(VENV)/lock.txt torch
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(PY) -m twlv_mm > $(VENV)/versions.txt || { cat $(VENV)/versions.txt; exit 1; }
	@touch $@
	@echo "Set up in $$(($$(date +%s) - $(START))) s; $(VENV)/versions.txt lists the versions"

# Most tests use one core: two processes of one thread each take half the time of one process with two threads.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile

# Tests of what breaks with another Python, torch, numpy or mmcv, in about a minute.
quick: $(STAMP)
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile tests/compat tests/encoders/test_vit.py \
		tests/encoders/test_squeezetime.py tests/embeddings/test_extractor.py tests/engine/test_launch.py \
		tests/test_twlv_tools.py tests/test_surroundings.py

$(VENV)/.docs: requirements/docs.txt $(STAMP)
	@$(PIP) -c $(VENV)/lock.txt -r requirements/docs.txt
	@touch $@

# Broken links and failing cells are errors.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict
	PATH="$(abspath $(VENV))/bin:$$PATH" OMP_NUM_THREADS=1 $(PY) -m jupyter execute demo/tutorial.ipynb

dist: $(STAMP)
	$(PIP) build twine
	rm -rf dist
	$(PY) -m build --no-isolation
	$(PY) -m twine check --strict dist/*

# Values reach the tools through the environment as typed: neither make nor a shell evaluates them.
unexport VIDEO PRETRAIN
demo: export TWLV_VIDEO := $(value VIDEO)
small: export TWLV_PRETRAIN := $(value PRETRAIN)

demo: $(STAMP)
	$(PY) tools/demo.py $${TWLV_VIDEO:+--video="$$TWLV_VIDEO"}

small: $(STAMP)
	$(PY) tools/make_small.py $${TWLV_PRETRAIN:+--pretrain="$$TWLV_PRETRAIN"}

report: $(STAMP)
	$(PY) tools/make_report.py

lint: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

clean:
	rm -rf $(VENV) .venv-* build dist twlv_i.egg-info .pytest_cache .ruff_cache
