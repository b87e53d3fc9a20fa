# facewire: `make demo` and `make test` need Python 3.11 or newer and nothing else; they set up .venv on the first run.
#
#   make demo                    a call on this machine: at a terminal with a display in your browser, with a clip on the other
#                                side; elsewhere, or with DEMO_ARGS=--headless, from program to program: demo/side_by_side.mp4
#   make demo INPUT=my.mp4       the same with a clip of yours
#   make test                    lint, format, types, tests
#
# PYTHON=python3.12    another interpreter
# PIP_ARGS="..."       more words for `pip install`. On Linux the torch on the public index is a large CUDA build; where it is not
#                      wanted, name torch's CPU index here with --extra-index-url, or in pip's own configuration.

PYTHON ?= python3
PIP_ARGS ?=
INPUT ?=
DEMO_ARGS ?=
TEST_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Small tensors lose more to thread hand-over than they win; the demo's processes share the cores among them by themselves.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint format types pytest browser redis coturn demo-clip readme-picture report bench lock env-example compose-test clean

demo: $(READY)
	$(BIN)/facewire demo $(if $(INPUT),--input "$(INPUT)") $(DEMO_ARGS)

test: lint types pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy --strict

pytest: $(READY) browser redis coturn
	$(BIN)/pytest $(TEST_ARGS)

# The page's tests drive a real browser, and node for its plain modules; `ip` makes the networks that calls lose. Where they
# cannot be had the tests are skipped.
browser:
	@{ command -v chromium && command -v node && command -v ip; } > /dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get > /dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium iproute2 $$(command -v node > /dev/null || echo nodejs) \
	  > /dev/null; } || echo "no chromium, node or ip, and no apt to install them: tests that need them will be skipped"

# The tests of several signaling servers start a real Redis, each its own on a free port. Without it they are skipped.
redis:
	@command -v redis-server > /dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get > /dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server > /dev/null; } || \
	  echo "no redis-server, and no apt to install it: the tests of several signaling servers will be skipped"

# The test of relayed connections starts a real coturn. Without it that test is skipped.
coturn:
	@command -v turnserver > /dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get > /dev/null && apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends coturn > /dev/null; } || \
	  echo "no coturn, and no apt to install it: the test of relayed connections will be skipped"

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The clip that `make demo` plays, rendered anew with the weights in models/weights (replay/assets/README.md).
demo-clip: $(READY)
	$(BIN)/python -m replay.clip

# The README's picture: frames of demo/side_by_side.mp4.
readme-picture: $(READY)
	$(BIN)/facewire demo --headless
	$(BIN)/python -m replay.still demo/side_by_side.mp4 docs/side_by_side.jpg

# The comparison with ordinary codecs in docs/report, about an hour on two cores; a run that was stopped goes on where it was.
CLIPS ?= ../shared/data/talking_heads
REPORT_ARGS ?=
report: $(READY)
	$(BIN)/facewire compare $(CLIPS)/val $(CLIPS)/hd --out build/compare $(REPORT_ARGS)
	mkdir -p docs/report && cp build/compare/report.html build/compare/rates-*.png build/compare/videos/*.jpg docs/report/

bench: $(READY)
	$(BIN)/python benchmarks/extract_render.py
	$(BIN)/python -m benchmarks.runtimes
	$(BIN)/python -m benchmarks.duplex
	$(BIN)/python -m benchmarks.transport
	$(BIN)/python -m benchmarks.recording

# Set-up, done again only when the pinned versions or the project's description change.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "facewire needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; choose one with make PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_ARGS) -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	@touch $@

# The newest versions that pyproject.toml allows, in an environment of their own, written down.
lock:
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet $(PIP_ARGS) setuptools '.[dev]'
	sed -n '/^#/p' requirements.lock > build/requirements.lock
	build/lock/bin/pip freeze --all | grep -v -E '^(pip|facewire)( |==)' | sed -E 's/\+c(pu|u[0-9]+)$$//' >> build/requirements.lock
	mv build/requirements.lock requirements.lock && rm -rf build/lock

# What is derived: .env.example from the settings classes, Grafana's dashboard from our own.
env-example: $(READY)
	$(BIN)/python -W ignore -m deploy.env_example > .env.example
	$(BIN)/python -W ignore -m deploy.grafana > deploy/monitor/grafana.json

# docker-compose.yml for real: builds its images, starts them, calls through them (direct, TURN over UDP and TLS), kills parts
# of them, and stops. With Docker, or where there is none with the tool named in CONTAINERS. Needs Python and nothing else.
CONTAINERS ?= ../shared/tools/containers.sh
compose-test:
	$(PYTHON) deploy/compose_test.py --tool "$(CONTAINERS)" $(COMPOSE_ARGS)

clean:
	rm -rf $(VENV) build demo *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
