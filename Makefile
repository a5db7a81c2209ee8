# Herald. `make` alone prints the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Arguments of a target, for example `make tools ARGS=flux` or `make bench ARGS=speaker`.
ARGS ?=
KEEP ?=
SEED ?=
COUNT ?=

help: ## print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

node_modules: package.json package-lock.json
	@npm ci --loglevel=error
	@touch node_modules

check: node_modules ## format, lint, types, imports, sizes, generated files, unit tests (under a minute)
	@node tools/check.ts

test: tools image ## all tests: check, then the suites against real servers
	@node tools/test.ts

demo: tools image ## the main job on real parts: a git commit becomes an ARP reply (KEEP=1 leaves it running)
	@KEEP=$(KEEP) node test/demo/main.ts

lab: tools ## the speaker against a real kernel: network namespaces, ARP and neighbour discovery on the wire
	@vitest run --project lab

search: tools ## random cases against the real Flux and MetalLB, printing their seed (SEED= repeats one, COUNT= how many)
	@SEED=$(SEED) COUNT=$(COUNT) vitest run --project search

chart: tools ## the chart: lint, render, install, upgrade, admission, rights, on a real API server
	@vitest run --project api test/api/chart

bench: tools image ## figures against a peer in the same run; never a pass or fail (ARGS=name for one)
	@node test/bench/all.ts $(ARGS)

gen: node_modules ## write what is generated: CRDs, values schema, reference pages
	@node tools/gen/all.ts

tools: node_modules ## build the real servers that tests and demo run against (cached outside the clone)
	@node tools/servers/build.ts $(ARGS)

image: node_modules ## build the container image as an OCI archive, without Docker
	@node tools/image/build.ts

format: node_modules ## put every file into the house's format
	@biome check --write .

clean: ## remove what is built in the clone (never the cache of the real servers)
	@rm -rf dist .cache node_modules

.PHONY: help check test demo lab search chart bench gen tools image format clean
