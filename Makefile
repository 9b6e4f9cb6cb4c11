# make help lists the commands. Every one installs what it needs first (see scripts/setup.sh) and is
# safe to repeat.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

export PATH := $(CURDIR)/.venv/bin:$(PATH)
BUILD ?= release
MESSAGES ?= 2000000
SEED ?= 1
RUN_SECONDS ?= 30
FUZZ_SECONDS ?= 5
SOAK_SECONDS ?= 300
AREAS ?=
C_FILES = $$(git ls-files '*.c' '*.h')

.PHONY: help run replay test dev lint format sanitize fuzz prove soak lab image bench wheel clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | \
	    while IFS=$$'\t' read -r name words; do printf '  make %-10s %s\n' "$$name" "$$words"; done

run: setup-run install-$(BUILD) ## trade live on an exchange of its own (RUN_SECONDS=30), and compare both records
	@tickplane demo --seconds $(RUN_SECONDS) --folder build/run/live --seed $(SEED)

replay: setup-run install-$(BUILD) ## generate a session and replay it: book, strategy, risk, orders, journal, report
	@MESSAGES=$(MESSAGES) SEED=$(SEED) scripts/replay.sh

test: setup-test install-$(BUILD) ## all tests: C, Python, tidy (BUILD=checks: with the costly assertions)
	meson test -C build/$(BUILD) --print-errorlogs
	pytest

dev: setup-lint install-checks ## prepare for development: all tools, build with checks; import rebuilds what changed
	@echo "dev: ready; activate with: . .venv/bin/activate"

lint: setup-lint ## style and types, and the whole project compiled by gcc and by clang, warnings are errors
	ruff check .
	ruff format --check .
	mypy
	cython-lint dataplane appliance examples
	clang-format --dry-run -Werror $(C_FILES)
	scripts/compile.sh gcc
	scripts/compile.sh clang

format: setup-lint ## bring all sources into the project's form
	ruff check --fix --select I .
	ruff format .
	clang-format -i $(C_FILES)

sanitize: setup-lint ## C tests under address, undefined and thread sanitizers, gcc and clang; then fuzz
	scripts/sanitize.sh gcc address,undefined
	scripts/sanitize.sh clang address,undefined
	scripts/sanitize.sh gcc thread
	scripts/sanitize.sh clang thread
	scripts/fuzz.sh $(FUZZ_SECONDS)

fuzz: setup-lint ## every parser against random input (FUZZ_SECONDS=5 each)
	scripts/fuzz.sh $(FUZZ_SECONDS)

prove: setup-prove ## model checking of the lock-free modules, and mutations that it must catch
	scripts/prove.sh

soak: setup-lint ## the long form of every stress (SOAK_SECONDS=300 each; AREAS="skiplist ..." for some)
	SOAK_SECONDS=$(SOAK_SECONDS) scripts/soak.sh $(AREAS)

lab: setup-lab ## an emulated server: apply, reboot, verify, break, trade over DPDK; its image, too
	scripts/lab.sh

image: setup-lab ## build/image: a disk and a PXE pair that start straight into tickplane
	scripts/image.sh

bench: setup-run install-$(BUILD) ## measure; one table
	tickplane bench

wheel: setup-test ## build dist/*.whl and try it in an empty environment
	scripts/wheel.sh

clean: ## remove what was built (.venv stays)
	rm -rf build dist .venv/installed-tickplane
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

setup-%:
	@scripts/setup.sh $*

install-%:
	@scripts/install.sh $*
