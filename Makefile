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

# What would send packages elsewhere, bring modules from elsewhere, or have mmcv-lite compiled.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON MMCV_WITH_OPS

.PHONY: help setup test quick demo small report lint docs dist clean

help:
	@echo 'make test                 run the tests'
	@echo 'make demo [VIDEO=path]    embed small generated videos, and yours; train a probe on them and test it'
	@echo 'make small                train the small encoder of the synthetic configs: work_dirs/small/encoder.pth'
	@echo 'make report               evaluate three small encoders on generated videos: work_dirs/report/report.html'
	@echo 'make small PRETRAIN=pixels  pretrain it instead (or latent, teacher, motion_teacher, video_teacher, mixture)'
	@echo 'make lint                 check rules and format with ruff'
	@echo 'make quick VENV=.venv-3.13 PYTHON=python3.13  on another Python: imports, encoders, a training, an extraction'
	@echo 'make docs                 build the documentation into work_dirs/site, and run demo/tutorial.ipynb'
	@echo 'make dist                 build the wheel and the source archive and check what PyPI would show'
	@echo 'make setup                only set up $(VENV); those above do that by themselves'
	@echo 'make clean                remove $(VENV) and what builds leave behind'
	@echo 'PYTHON=path               which Python (3.10 or newer) to make $(VENV) with'

setup: $(STAMP)

# Without --no-deps, mmaction2 would ask for decord also where it has no wheel. torch comes once more with what it
# depends on, because its CUDA builds bring libraries that the lock file cannot name.
$(STAMP): $(LOCK) requirements/build.txt requirements/runtime.txt setup.py pyproject.toml
	@$(PY) -c '' 2>/dev/null || $(or $(PYTHON),python3) -c $(NEW_ENOUGH) || { \
		echo 'No Python 3.10 or newer: $(or $(PYTHON),python3) is older or missing.'; \
		echo 'Name one: make PYTHON=/path/to/python3.11 …'; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { echo 'Making $(VENV)'; $(PYTHON) -m venv $(VENV); }
	@$(PY) -c $(NEW_ENOUGH) || { echo '$(VENV) has a Python older than 3.10: run make clean, then again.'; exit 1; }
	@echo 'Installing the versions of $(LOCK) into $(VENV) (a few minutes at most, torch is half of it)'
	@$(PIP) -c $(LOCK) -r requirements/build.txt
	@if $(PY) -c 'from importlib.metadata import version; version("mmcv")' 2>/dev/null; then \
		echo 'Keeping the compiled mmcv that is in $(VENV)' >&2; grep -v '^mmcv-lite==' $(LOCK); \
	else cat $(LOCK); fi > $(VENV)/lock.txt
	@$(PIP) --no-deps --no-build-isolation -r $(VENV)/lock.txt
	@$(PIP) -c $(VENV)/lock.txt torch
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(PY) -m twlv_mm > $(VENV)/versions.txt || { cat $(VENV)/versions.txt; exit 1; }
	@touch $@
	@echo "Set up in $$(($$(date +%s) - $(START))) s; $(VENV)/versions.txt says what is there"

# Most tests keep one core busy: two processes of one thread each take half the time of one process with two.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile

# What breaks with another Python, torch, numpy or mmcv, in about a minute.
quick: $(STAMP)
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile tests/compat tests/encoders/test_vit.py \
		tests/encoders/test_squeezetime.py tests/embeddings/test_extractor.py tests/engine/test_launch.py \
		tests/test_twlv_tools.py tests/test_surroundings.py

$(VENV)/.docs: requirements/docs.txt $(STAMP)
	@$(PIP) -c $(VENV)/lock.txt -r requirements/docs.txt
	@touch $@

# A broken link and a cell that fails are errors.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict
	PATH="$(abspath $(VENV))/bin:$$PATH" OMP_NUM_THREADS=1 $(PY) -m jupyter execute demo/tutorial.ipynb

dist: $(STAMP)
	$(PIP) build twine
	rm -rf dist
	$(PY) -m build --no-isolation
	$(PY) -m twine check --strict dist/*

# The value as it was typed reaches the tools by the environment: neither make nor a shell runs what stands in it.
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
