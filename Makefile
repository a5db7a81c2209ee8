# Herald. `make` alone prints the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
NODE := node

help: ## print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

node_modules: package.json package-lock.json
	@npm ci --ignore-scripts --loglevel=error
	@touch node_modules

check: node_modules ## format, lint, types, imports, sizes, generated files, unit tests (under a minute)
	@$(NODE) tools/check.ts

.PHONY: help check
