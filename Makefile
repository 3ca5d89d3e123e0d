.DEFAULT_GOAL := help
T ?=

run: ## Start the portal with demo data on http://127.0.0.1:8000 (PORT= changes it)
	bin/run
test: ## Everything CI runs: style, types, imports, catalogues, tests (T= narrows it)
	bin/test $(T)
lint: ## The fast checks alone
	bin/lint
lock: ## Renew the hashed requirements (needs uv)
	bin/lock
help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'
.PHONY: run test lint lock help
