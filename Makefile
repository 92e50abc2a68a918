# GNU make. `make` without a target lists the targets.
#
# Everything is installed in this folder, from the lists with hashes in requirements/ and layers/dependencies/, and only if it
# is missing or a list has changed. Install these first: Python 3.13, make, git, openssl; for tests SoftHSM2.

.DEFAULT_GOAL := help
# Tests start hundreds of Pythons: these find what others have compiled, whatever the caller's shell says.
export PYTHONDONTWRITEBYTECODE :=
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3.13
PORT ?= 8411
ROTATION_SECONDS ?= 120
SEEDS ?= 2000
HISTORIES ?= 1600
REQUESTS ?= 2000
FIRST ?= 0
SEED ?=
N ?= 500
RATE ?= 0.25
STACKS ?=
BESIDE_TEST ?=
LANES ?= 0
COMPARE ?=
UPGRADE ?=
WRITE ?=
LOCAL ?=
YES ?=
ACTS ?=
CLEAN ?=
REGION2 ?=
PROFILE2 ?=
TEST ?=
TESTS ?= tests
# Some tests mostly wait; tests/conftest.py spreads them over the run, so xdist must keep that order.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))

# The interpreter's own folder: SAM uses the python3.13 on PATH, and does not work with pyenv's shims.
PYTHON_BIN = $(or $(shell $(PYTHON) -c 'import os, sys; print(os.path.join(sys.base_prefix, "bin"))'),\
	$(error Python 3.13 is needed, as python3.13 on PATH or as PYTHON=/path/to/it))

DEV := .venv/.installed
SAM := .venv-sam/.installed
MINISTACK := .venv-local/.installed
LOCK := .venv-lock/.installed
CDK := .venv-cdk/.installed
WHEELS := .wheels/.complete
TOOLS_WHEELS := .wheels-tools/.complete

# SAM sends no telemetry, needs no Region, and builds from the downloaded wheels.
SAM_ENVIRONMENT = env PATH="$(PYTHON_BIN):$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 \
	LAYER_WHEELS="$(CURDIR)/.wheels"

.PHONY: help
help: ## List the targets
	@awk -F ':.*## |^# -+ ' '/^# -+ / {printf "\n%s\n", $$2} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

# ---------------------------------------------------------------------------------------------------------- every day

.PHONY: install .venv .venv-sam .venv-local .venv-lock .venv-cdk
install: $(DEV) $(SAM) $(MINISTACK) $(WHEELS) $(TOOLS_WHEELS) ## Install everything that the other targets need
.venv: $(DEV)
.venv-sam: $(SAM)
.venv-local: $(MINISTACK)
.venv-lock: $(LOCK)
.venv-cdk: $(CDK)

.PHONY: one
one: $(DEV) ## Run one test, without SAM and without a build: TEST=path::name
	@.venv/bin/python -m pytest $(or $(TEST),$(error TEST is missing: make one TEST=tests/unit/test_consent.py))

.PHONY: quick
quick: $(DEV) ## Run the unit tests and the fast contract tests, without those of `make check`; TESTS=tests/custodian for others
	@.venv/bin/python -m pytest -n auto --dist loadgroup -m "not slow" $(HOUSE:%=--ignore=tests/unit/test_%.py) \
		$(if $(filter-out tests,$(TESTS)),$(TESTS),tests/unit tests/contract)

.PHONY: fix
fix: $(DEV) reference ## Format the code, fix what ruff can fix, and write the generated pages again
	@.venv/bin/ruff check --fix-only --exit-zero .
	@.venv/bin/ruff format .

# All of them run even if one fails, so one run reports all faults.
CHECKS := check-types check-style check-format check-templates check-workflows check-sam check-properties check-interface \
	check-findings check-assumptions check-ceremony check-house

.PHONY: check $(CHECKS)
check: $(DEV) $(SAM) ## Check style, types, templates and the rules of the house; report all faults at once: BESIDE_TEST=
	@$(MAKE) --no-print-directory --keep-going --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) \
		$(if $(BESIDE_TEST),$(filter-out check-house,$(CHECKS)),$(CHECKS))

check-style:
	.venv/bin/ruff check .

check-format:
	.venv/bin/ruff format --check .

check-types:
	.venv/bin/mypy

check-templates:
	.venv/bin/cfn-lint template.yaml $(wildcard operations/*.yaml examples/*.yaml examples/*/*.yaml \
		examples/*/*.template.json)

check-workflows:
	.venv/bin/zizmor --offline --no-progress --quiet --persona pedantic .github/workflows
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv/bin/shellcheck .ci/* examples/*.sh

check-sam:
	@$(SAM_ENVIRONMENT) .venv-sam/bin/sam validate --lint

check-properties:
	.venv/bin/python -m tools.reference --check
	.venv/bin/python -m tools.validator --check

check-interface:
	.venv/bin/python -m tools.interface --check

check-findings:
	.venv/bin/python -m tools.findings --check

check-assumptions:
	.venv/bin/python -m tools.assumptions --check

check-ceremony:
	.venv/bin/python -m tools.ceremony --check

# The unit tests of pages, templates, words and the rows of tests/findings/. `make test` runs them, too.
HOUSE := architecture repository docs assumptions plain_words pages_and_aws pictures threat_model findings_page findings_rows \
	template role alarms
check-house:
	@.venv/bin/python -m pytest -q $(HOUSE:%=tests/unit/test_%.py) tests/lab/ceremony/test_page.py

.PHONY: test
test: $(DEV) $(SAM) $(MINISTACK) build ## Run all tests, offline; TESTS=path for some
	@.venv/bin/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(TESTS)

# ----------------------------------------------------------------------------------------------------- see it at work

.PHONY: demo
demo: $(DEV) $(SAM) $(MINISTACK) build ## Show everything on a local AWS, from an empty key to a used one
	@.venv/bin/python -m lab.demo

.PHONY: ceremony
ceremony: $(DEV) $(SAM) $(MINISTACK) build ## Run docs/ceremony.md on a local AWS: custodians, engineer, auditor
	@PYTHONPATH=handler .venv/bin/python -m lab.ceremony

# jsii, which runs CDK's JavaScript, warns at each start on Node.js 20; it works. WRITE=1 records the template again.
.PHONY: cdk
cdk: export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
cdk: $(CDK) $(DEV) $(SAM) $(MINISTACK) build ## Test the CDK construct of examples/cdk/, and deploy its app on a local AWS; needs Node.js
	@$(if $(WRITE),cd examples/cdk && CDK_OUTDIR=cdk.out ../../.venv-cdk/bin/python app.py && cp cdk.out/*.template.json .)
	@.venv-cdk/bin/python -m pytest -q examples/cdk
	@.venv/bin/python -m lab.cdk

.PHONY: local
local: $(DEV) $(SAM) $(MINISTACK) build ## Start a local AWS, and leave it running for your own tests
	@.venv/bin/python -m lab.local

.PHONY: kms
kms: $(DEV) ## Run only the strict KMS: PORT=8411 ROTATION_SECONDS=2
	@.venv/bin/python -m lab.kms --port $(PORT) --rotation-seconds $(ROTATION_SECONDS)

# ----------------------------------------------------------------------------------------------------------- prove it

# Without LOCAL=1 it asks the account of the caller's AWS credentials, and makes nothing before the answer is yes.
.PHONY: live
live: $(DEV) $(SAM) $(if $(LOCAL),$(MINISTACK)) $(if $(CLEAN),,build) ## Settle on your AWS account what is assumed of AWS: LOCAL=1 YES=1 ACTS=all CLEAN=run
	@PYTHONPATH=handler .venv/bin/python -m lab.live $(if $(LOCAL),--local) $(if $(YES),--yes) \
		$(if $(ACTS),$(if $(filter all,$(ACTS)),--all,--acts $(ACTS))) $(if $(CLEAN),--clean $(CLEAN)) \
		$(if $(REGION2),--region2 $(REGION2)) $(if $(PROFILE2),--profile2 $(PROFILE2))

.PHONY: simulate
simulate: $(DEV) ## Run histories in a simulated world with faults: SEEDS=2000 FIRST=0, or SEED=n for one in detail
	@PYTHONPATH=handler .venv/bin/python -m lab.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --first $(FIRST))

.PHONY: prove
prove: COMMIT = $(or $(shell git rev-parse HEAD 2>/dev/null | sed 's/^\(.\{8\}\).*/0x\1/'),0)
prove: $(DEV) ## Play the whole table, and histories that are new with each commit; `make test` plays 400 others: HISTORIES=1600 BESIDE_TEST=
	@PYTHONPATH=handler .venv/bin/python -m lab.simulation table $(if $(BESIDE_TEST),--without-share $(COMMIT))
	@PYTHONPATH=handler .venv/bin/python -m lab.simulation --seeds $(HISTORIES) --first $(COMMIT)

.PHONY: table
table: $(DEV) ## Try each fault at each call of each stack operation
	@PYTHONPATH=handler .venv/bin/python -m lab.simulation table

.PHONY: quota
quota: $(DEV) ## Let hundreds of requests wait for KMS's quota at once: N=500 RATE=0.25 SEED=1 STACKS=1 LANES=0; COMPARE=1
	@PYTHONPATH=handler .venv/bin/python -m lab.quota --resources $(N) --rate $(RATE) --stacks $(or $(STACKS),1) \
		--lanes $(LANES) $(if $(SEED),--seed $(SEED)) $(if $(COMPARE),--compare docs/internals)

.PHONY: chaos
chaos: $(DEV) $(SAM) $(MINISTACK) build ## Kill the function during stack operations on a local AWS, and check: STACKS=40 SEED=n
	@.venv/bin/python -m lab.chaos --stacks $(or $(STACKS),40) $(if $(SEED),--seed $(SEED))

.PHONY: soak
soak: $(DEV) $(SAM) $(MINISTACK) build ## Send thousands of requests to one process, and check memory and speed: REQUESTS=2000
	@PYTHONPATH=handler .venv/bin/python -m lab.bench.soak .aws-sam/build --requests $(REQUESTS)

.PHONY: bench
bench: $(DEV) $(SAM) $(MINISTACK) build ## Measure size, starts, times, calls and memory; WRITE=docs/internals/benchmarks.md keeps it
	@PYTHONPATH=handler .venv/bin/python -m lab.bench .aws-sam/build $(if $(WRITE),--write $(WRITE))

# -------------------------------------------------------------------------------------------------------------- build

# 1: the list; 2: options of pip. The stamp is written last, so an interrupted installation starts again.
define install
@echo "$(@D): installing $$(grep -c '^[a-zA-Z0-9].*==' $(1)) packages from $(1) ..."
@started=$$SECONDS; rm -rf $(@D); \
"$(PYTHON_BIN)/python3.13" -m venv $(@D); \
$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
	--require-hashes --no-deps --only-binary=:all: $(2) --requirement $(1); \
touch $@; \
echo "$(@D): installed in $$((SECONDS - started)) s"
endef

# Most of its modules are never imported: Python compiles those that are.
$(DEV): requirements/dev.txt
	$(call install,$<,--no-compile)

$(SAM): requirements/sam.txt
	$(call install,$<)

$(MINISTACK): requirements/local.txt
	$(call install,$<)

$(LOCK): requirements/lock.txt
	$(call install,$<)

$(CDK): requirements/cdk.txt
	$(call install,$<)

$(WHEELS): layers/dependencies/requirements.txt layers/dependencies/build_layer.py
	@echo "$(@D): fetching the layer's wheels for both architectures ..."
	@rm -rf $(@D)
	@"$(PYTHON_BIN)/python3.13" layers/dependencies/build_layer.py download $(@D)
	@touch $@

# For this machine and its Python: what is installed with the wheels of tool and rules, and what builds these.
$(TOOLS_WHEELS): requirements/key-custodian.txt requirements/lint.txt requirements/build.txt
	@echo "$(@D): fetching the wheels of tool and lint rules ..."
	@rm -rf $(@D)
	@for list in $^; do \
		"$(PYTHON_BIN)/python3.13" -m pip download --quiet --disable-pip-version-check --no-input \
			--require-hashes --no-deps --only-binary=:all: --requirement $$list --dest $(@D); \
	done
	@touch $@

.PHONY: build
build: $(SAM) $(WHEELS) ## Build the application with SAM, as `sam build` does
	@started=$$SECONDS; log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	$(SAM_ENVIRONMENT) .venv-sam/bin/sam build >"$$log" 2>&1 || { cat "$$log"; exit 1; }; \
	echo "build: .aws-sam/build is up to date, $$((SECONDS - started)) s"

.PHONY: release
release: $(DEV) $(TOOLS_WHEELS) build ## Make dist/ from the commit: zips, template, wheels, SBOM, hashes; always the same bytes
	@.venv/bin/python -m tools.release

.PHONY: layer
layer: build ## Print the layer's size and what is in it
	@$(PYTHON_BIN)/python3.13 -m tools.layer .aws-sam/build

# ----------------------------------------------------------------------------------------------------------- maintain

.PHONY: reference
reference: $(DEV) ## Write the generated pages, the README's line and the validator again
	@.venv/bin/python -m tools.reference
	@.venv/bin/python -m tools.validator
	@.venv/bin/python -m tools.interface
	@.venv/bin/python -m tools.findings
	@.venv/bin/python -m tools.assumptions
	@.venv/bin/python -m tools.ceremony

.PHONY: pictures
pictures: ## Draw docs/internals/*.svg again from the *.dot files; needs Graphviz
	@for source in docs/internals/*.dot; do dot -Tsvg "$$source" -o "$${source%.dot}.svg"; done

# Universal: the same list works on Linux and macOS, x86_64 and arm64. The layer's list is for Lambda's two architectures, which
# must resolve to the same packages. A list without changes is not written, so nothing is installed again.
UV = .venv-lock/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
LAYER_LIST := layers/dependencies/requirements

.PHONY: lock
lock: $(LOCK) ## Write the lists with hashes again from the *.in files; UPGRADE=1 takes the newest releases
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	resolve() { \
		cp "$$2" "$$folder/$$1.txt" 2>/dev/null || true; \
		$(UV) "$${@:3}" --output-file "$$folder/$$1.txt"; \
	}; \
	keep() { cmp -s "$$folder/$$1.txt" "$$2" || { cp "$$folder/$$1.txt" "$$2"; echo "$$2: updated"; }; }; \
	for platform in x86_64 aarch64; do \
		resolve $$platform $(LAYER_LIST).txt $(LAYER_LIST).in --python-version 3.13 --only-binary :all: \
			--python-platform $$platform-manylinux_2_28; \
	done; \
	cmp "$$folder/x86_64.txt" "$$folder/aarch64.txt" || { echo "The two architectures resolve differently." >&2; exit 1; }; \
	keep x86_64 $(LAYER_LIST).txt; \
	universal() { \
		resolve $$2 requirements/$$2.txt requirements/$$2.in --universal --python-version $$1; \
		keep $$2 requirements/$$2.txt; \
	}; \
	for name in dev sam local lock build cdk; do universal 3.13 $$name; done; \
	for name in key-custodian lint; do universal 3.11 $$name; done; \
	echo "lock: done"

.PHONY: clean
clean: ## Remove everything that the other targets made
	rm -rf .venv .venv-sam .venv-local .venv-lock .venv-cdk .wheels .wheels-tools .aws-sam dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf examples/cdk/cdk.out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
