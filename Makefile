.DEFAULT_GOAL := help
.PHONY: help demo test check lint format build manifests generate

help: ## Show these lines
	@npm run --silent help

demo: ## Run the whole service on this machine and show one deployment's way through it
	@npm run --silent demo

test: ## Run every test and every check
	@npm run --silent test

check: ## Run the static checks only: types, lint, formatting, sizes, imports, generated files
	@npm run --silent check

lint: ## Look for mistakes, with types
	@npm run --silent lint

format: ## Format the files as the check wants them
	@npm run --silent format

build: ## Put the service into one file, dist/managed-gitops.mjs
	@npm run --silent build

manifests: ## Write deploy/crds from the schemas
	@npm run --silent manifests

generate: ## Write everything that is made from code
	@npm run --silent generate
