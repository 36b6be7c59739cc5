# The commands of the project. `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# nltk, which comes with LlamaIndex, refuses files that are hard-linked into a cache.
export UV_LINK_MODE := copy

.DEFAULT_GOAL := help
.PHONY: help run setup test browser screenshots check format bench ask eval vectors lock clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.runtime  ## install, ingest the chapters, serve on 127.0.0.1:8000
	@$(BIN)/mastery ingest
	@$(BIN)/mastery serve

setup: $(VENV)/.runtime  ## the environment alone

ask: $(VENV)/.runtime  ## ask one question: make ask Q="…"
	@test -n "$(Q)" || { echo 'usage: make ask Q="How do I …?"' >&2; exit 2; }
	@$(BIN)/mastery ingest >/dev/null
	@$(BIN)/mastery ask "$$Q"
export Q

test: $(VENV)/.dev browser  ## the whole test suite, in an environment of its own
	$(BIN)/python -m pytest -n 2 --dist worksteal

browser:  ## Chromium for the browser tests, installed where that is possible
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests …"; \
		apt-get update -qq >/dev/null 2>&1; \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null 2>&1 && exit 0; \
	fi; \
	echo "Chromium is not here and cannot be installed; the browser tests are skipped, and fail where CI is set" >&2

screenshots: $(VENV)/.dev browser  ## pictures of the main views, for the README
	$(BIN)/python -m tests.browser.screenshots

check: $(VENV)/.dev browser  ## format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered

format: $(VENV)/.dev  ## put code into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

eval: $(VENV)/.runtime  ## answer quality on the golden questions
	@$(BIN)/mastery ingest >/dev/null
	@$(BIN)/mastery eval

bench: $(VENV)/.dev  ## speed and memory, beside LlamaIndex's quick start
	$(BIN)/python -m evals.bench

vectors: $(VENV)/.runtime  ## rebuild the shipped vectors after chapters changed
	$(BIN)/python -m ingest.vectors

lock: ## resolve the dependencies (needs uv); UPGRADE=--upgrade takes newer versions
	uv pip compile pyproject.toml --group build --group dev --group kb $(LOCK_FLAGS) -o requirements-dev.lock
	uv pip compile pyproject.toml --group build -c requirements-dev.lock $(LOCK_FLAGS) -o requirements.lock
LOCK_FLAGS = $(UPGRADE) --generate-hashes --universal --python-version 3.11 --no-strip-extras --no-emit-index-url --no-header --quiet

clean:  ## remove the environment and all local data
	rm -rf $(VENV) .data .mypy_cache .pytest_cache .ruff_cache .coverage*

# uv where it is there (seconds), pip otherwise (a minute or two). A stamp is newer than its lock only after success.
$(VENV)/.runtime: requirements.lock pyproject.toml
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.runtime

ifdef UV
define install
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@echo "Installing $(1) …"
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(1)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
endef
else
define install
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing $(1) (a minute or two; seconds with uv) …"
	@$(BIN)/python -m pip install --quiet --require-hashes -r $(1)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
endef
endif
