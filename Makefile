# `make demo` is all it takes on a fresh clone with Python 3.12.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first Python that is new enough; `make PYTHON=/path/to/python` names one.
PYTHON ?= $(shell for each in python3.12 python3 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null \
	&& echo $$each && break; done)

.PHONY: install demo browser test test-unit test-parts test-real test-real-sales test-real-security bench lint constraints clean
.DEFAULT_GOAL := install

install: $(STAMP)

# Bytecode is compiled here, once, in parallel: Ray starts a dozen interpreters at each start.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.12 or newer is needed: install python3.12, or make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode -c constraints.txt -e '.[dev]'
	$(BIN)/python -m compileall -q masumi_sumi
	@touch $@

demo: install
	$(BIN)/masumi-sumi demo

test: test-unit test-parts test-real

# No sockets, no processes, no Ray; side by side on all cores.
test-unit: install
	$(BIN)/python -m pytest tests/unit --numprocesses=auto --quiet

# One part at a time over real sockets, processes and files; still without Ray.
test-parts: install
	$(BIN)/python -m pytest tests/parts --numprocesses=auto --quiet

# Debian's chromium, where it can be installed without a question; nothing else fails without it.
browser:
	@tests/real/install_browser.sh

# The whole stack on a Ray of its own: two stacks side by side, the attacks on one of them.
test-real: install browser
	$(MAKE) --jobs=2 --output-sync=line test-real-sales test-real-security

# The + shows these lines as they come; those of the other half are shown at its end.
test-real-sales:
	+$(BIN)/python -m pytest tests/real --ignore=tests/real/security

test-real-security:
	$(BIN)/python -m pytest tests/real/security

bench: install
	$(BIN)/python -m tests.bench

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

constraints: install
	echo '# Exact versions that everything is tested with; made by `make constraints`.' > constraints.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.12 --all-extras \
		--group masumi --no-annotate --no-header --no-emit-index-url --no-emit-find-links pyproject.toml >> constraints.txt

# What jobs and stacks have written (data/) is the operator's and stays.
clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
