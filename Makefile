# Needs git, make and Python >= 3.11; everything else goes into .venv.
# With a newer Python under another name: make test PYTHON=python3.13

PYTHON ?= python3
PYTEST := .venv/bin/pytest -q -n 2
DEBIAN := promtool=prometheus chromium=chromium bwrap=bubblewrap java=default-jre-headless pg_ctlcluster=postgresql
EXTRAS := data,training,serving,batch,postgres,spark,sklearn,lightgbm,xgboost,labelling,pandas,dashboard,s3,gcs,azure,testing
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONDONTWRITEBYTECODE  # the tests start hundreds of interpreters
export UV_PYTHON := $(CURDIR)/.venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help demo test test-all fast slow long lint bench docs pictures clean

help:
	@echo "make demo   bake the default project into build/ and run it, from raw data to a live prediction"
	@echo "make test   lint, then every test (fast, then slow)"
	@echo "make test-all  the same, with what takes long or installs much (cluster, clouds); writes benchmarks/test-all.md"
	@echo "make fast   the tests that install nothing      make lint   ruff, ty and others on what is here"
	@echo "make slow   the tests that install and run      make bench  side by side with the peers"
	@echo "make docs   build the documentation into site/     make pictures  draw its pictures from real runs"

demo: .venv/ready
	rm -rf build/late-flights
	.venv/bin/cookiecutter . --no-input --default-config --output-dir build
	cd build/late-flights && uv run late-flights demo

test: lint fast slow

# Every lane runs, whatever fails in another; what came of each is written at last.
test-all: lint
	@rm -rf build/lanes
	-@$(MAKE) --keep-going fast slow long LANES=build/lanes
	.venv/bin/python benchmarks/test_all.py build/lanes

fast: .venv/ready
	$(PYTEST) --dist loadfile -m "not slow" $(if $(LANES),--junitxml $(LANES)/$@.xml)

slow: .venv/ready
	@tests/debian.sh $(DEBIAN)
	$(PYTEST) --dist loadgroup -m "slow and not long" $(if $(LANES),--junitxml $(LANES)/$@.xml)

long: .venv/ready
	@tests/debian.sh $(DEBIAN)
	$(PYTEST) --dist loadgroup -m long $(if $(LANES),--junitxml $(LANES)/$@.xml)

lint: .venv/ready
	.venv/bin/ruff check --config pyproject.toml
	.venv/bin/ruff check --config pyproject.toml --config 'lint.isort.known-third-party=["handrail"]' --select I *project_slug*/src
	.venv/bin/ruff format --check --config pyproject.toml
	.venv/bin/ty check
	.venv/bin/codespell
	.venv/bin/zizmor --offline --quiet .github

bench: .venv/ready
	.venv/bin/python benchmarks/run.py

docs: .venv/ready
	.venv/bin/python docs/site/build.py

pictures: .venv/ready
	@tests/debian.sh $(DEBIAN)
	.venv/bin/python docs/site/pictures.py

clean:
	rm -rf .venv build site

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; old = "Python %d.%d is too old: Handrail needs 3.11 or newer, as make PYTHON=python3.13"; \
		sys.version_info >= (3, 11) or sys.exit(old % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	.venv/bin/uv pip install --quiet --upgrade --group dev --editable ".[$(EXTRAS)]"
	@touch $@
