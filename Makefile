# Two commands on a fresh machine: `make demo` and `make test`. See README.md.

SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
export CARGO_TARGET_DIR ?= target
RELEASE := $(CARGO_TARGET_DIR)/release
export PROVISION_LAB ?= $(RELEASE)/lab
export LAB_NAME ?= demo

.PHONY: help demo demo-down status build tools check test test-unit test-sim test-lab test-shapes test-faults bench

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 16

build: tools ## Build the program and the lab
	cargo build --release --locked --workspace

tools: ## Install what the build and the tests need (Debian)
	@scripts/tools.sh

demo: build ## Three EL9-like hosts, converged to all layers, and tried out
	$(RELEASE)/lab up --name demo --hosts 3 --images
	$(RELEASE)/provision inventory/lab.yml
	$(RELEASE)/provision status inventory/lab.yml
	$(RELEASE)/provision test inventory/lab.yml

demo-down: build ## Remove the demo's hosts and everything of them
	$(RELEASE)/lab down --name demo

status: ## Show the demo's cluster
	$(RELEASE)/provision status inventory/lab.yml

check: tools ## Formatting, lints, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	/var/cache/provision-tools/bin/cargo-deny --log-level error check bans licenses sources
	shellcheck files/postgres-guard scripts/*.sh tests/lab/*.sh lab/recipes/*.sh lab/recipes/containers/*.sh .ci/run
	shellcheck tests/golden/pgpool/*/{*.sh,recovery_1st_stage,pgpool_remote_start}

test: check test-unit test-lab ## Everything, the lab included

test-unit: tools ## What needs no lab: cases, simulation, parsers, command line, ssh on loopback
	cargo test --locked -p provision --lib --bins --tests

test-sim: ## 100,000 random histories of the whole site; SEED=n repeats one (tests/site_sim)
	$(if $(SEED),PROVISION_SIM_SEED=$(SEED)) PROVISION_SIM_FRESH=100000 cargo test --profile histories --locked -p provision --test site_sim fresh -- --nocapture

# Two labs side by side: `a_host_fails`, the longest, mostly waits.
test-lab: tools ## Real daemons on three hosts: needs root
	cargo test --locked -p lab -- --include-ignored
	export PROVISION_LAB=$$(realpath $(CARGO_TARGET_DIR))/debug/lab
	cargo test --locked -p provision --tests -- --ignored --skip shape_ --skip all_trials --test-threads=2 --nocapture

test-shapes: tools ## Whole clusters of other shapes, up to six hosts, one built by hand: needs root and memory, not part of `make test`
	cargo build --locked --workspace --bins
	export PROVISION_LAB=$$(realpath $(CARGO_TARGET_DIR))/debug/lab
	cargo test --locked -p provision --test lab -- --ignored shape_ --test-threads=1 --nocapture

test-faults: tools ## Every fault on every role of the whole site, under two writers; hours, goes on where it was broken off, writes docs/faults.md
	cargo build --locked --workspace --bins
	export PROVISION_LAB=$$(realpath $(CARGO_TARGET_DIR))/debug/lab PROVISION_FAULTS=$$(realpath $(CARGO_TARGET_DIR))/faults
	cargo test --locked -p provision --test lab -- --ignored all_trials --test-threads=2 --nocapture
	cp $$PROVISION_FAULTS/faults.md docs/faults.md
	rm -r $$PROVISION_FAULTS

bench: build ## Speed of the core: how to measure is in docs/performance.md
	@sed -n '/^## How to measure/,/^## /p' docs/performance.md
