# The two commands that matter: `make demo` and `make test`. Everything runs in .venv, made from hash-pinned requirements.
.DELETE_ON_ERROR:
.PHONY: help demo test bench mutants lint generate verify docs tools image audit lock clean

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
VENV := .venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/
SOURCES := operator quickstart hack tests
# Which tests, and with what: make test TESTS=tests/unit PYTEST="-k lifecycle"
TESTS ?= tests
PYTEST ?=
# How many files of tests run at the same time; each worker starts the real parts that it needs. Of more than two, the last only computes
JOBS ?= 3
# Files whose tests allow few seconds: of the whole they run last, when nothing else does
TIMED := tests/e2e/test_api_faults.py tests/e2e/test_failover.py tests/e2e/test_upgrade.py
WHOLE = $(filter tests,$(TESTS))
# An image with Python and venv; empty: one that is made of Debian's packages, so that no registry is needed
BASE ?=
# docker, podman or buildah; empty: the first that works. buildah makes an archive, the others an image in their own storage
ENGINE ?=
# Which figures, and of how many: make bench BENCH="--store rgw --only access-burst --requests 200"
BENCH ?=
# Which code is changed, and in how many places: make mutants MUTANTS="--sample 100 --seed 7 --paths operator/clouddatamesh/plan"
MUTANTS ?=

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/ready ## the retail mesh on this machine; STORE=rgw for Ceph
	$(RUN)python hack/demo.py

test: lint verify ## lint, verify and every test
	$(if $(WHOLE),$(RUN)python hack/tools/up.py cache)
	$(RUN)pytest $(TESTS) $(if $(WHOLE),$(TIMED:%=--ignore=%)) --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder $(PYTEST)
	$(if $(WHOLE),$(RUN)pytest $(TIMED) $(PYTEST) || test $$? -eq 5)

bench: $(VENV)/ready ## the figures, into build/bench.json
	$(RUN)python -m tests.bench $(BENCH)

mutants: $(VENV)/ready ## whether the fast tests notice each changed comparison, boolean and constant
	$(RUN)python hack/mutants.py $(MUTANTS)

lint: $(VENV)/ready ## ruff, mypy, import-linter
	$(RUN)ruff check $(SOURCES)
	$(RUN)ruff format --check $(SOURCES)
	$(RUN)mypy $(SOURCES)
	$(RUN)lint-imports

generate: $(VENV)/ready ## write what api/ declares: CRDs, RBAC, field reference
	$(RUN)python -m clouddatamesh.generate

verify: $(VENV)/ready ## fail where a generated file is not what api/ declares
	$(RUN)python -m clouddatamesh.generate --check

docs: build/docs-venv/ready ## the documentation as a site in build/site; fails on a broken link
	NO_MKDOCS_2_WARNING=1 build/docs-venv/bin/mkdocs build --strict

tools: $(VENV)/ready ## build and fetch all that tests and demo start, into the cache
	$(RUN)python hack/tools/up.py cache

image: $(VENV)/ready ## the images and their SBOMs, by docker, podman or buildah; BASE=<image>, ENGINE=<engine>
	BASE="$(BASE)" ENGINE="$(ENGINE)" $(RUN)python hack/tools/up.py image

audit: $(VENV)/ready ## known vulnerabilities of what the images contain, where the package index tells
	$(RUN)python -m hack.tools.advisories

lock: ## resolve *.in into hash-pinned *.txt; needs uv
	for name in requirements requirements-dev docs/requirements quickstart/requirements hack/tools/image hack/tools/advisories hack/tools/go \
			hack/tools/readers hack/tools/catalogues hack/tools/nodejs; do \
		uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --python-version 3.11 --universal \
			--custom-compile-command 'make lock' $$name.in --output-file $$name.txt || exit; \
	done

clean: ## remove what was made here; the cache outside the checkout stays
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
	find operator -maxdepth 1 -name '*.egg-info' -exec rm -rf {} +

$(VENV)/ready: requirements-dev.txt pyproject.toml
	@echo "==> making $(VENV)"
	rm -rf $(VENV)
ifdef UV
	uv venv --quiet --python $(PYTHON) $(VENV)
	uv pip install --quiet --python $(VENV)/bin/python --require-hashes -r requirements-dev.txt
	uv pip install --quiet --python $(VENV)/bin/python --no-build-isolation --no-deps --editable .
else
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
endif
	touch $@

build/docs-venv/ready: docs/requirements.txt
	rm -rf build/docs-venv
	$(PYTHON) -m venv build/docs-venv
	build/docs-venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	touch $@
