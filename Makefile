# make run: everything on this machine. make dev: the same, for changing it. make test: all tests.
# make help: the rest. ARGS are arguments for the command behind a target.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
CRM_PORT ?= 9000
VENV := .venv
# Two more than there are processors, since many tests wait for other processes. Each has a Redis
# database of its own, and a server has 16.
TEST_PROCESSES ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) < 12 ? $$(getconf _NPROCESSORS_ONLN) + 2 : 14 )))
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

PYTEST := python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder
PIN := uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	--custom-compile-command "make requirements" pyproject.toml

# The demo refuses where there are other users; everything else starts all the same.
define start
@python manage.py migrate --verbosity 0
-@python manage.py demo --port $(PORT) --crm http://127.0.0.1:$(CRM_PORT)
@CRM_PORT=$(CRM_PORT) honcho start --procfile $(1) --port $(PORT) $$(python -m config.processes) || test $$? = 130
endef

# The simulator listens on loopback, so these two permit deliveries there; by default nothing does.
run dev: export DELIVERY_PERMITTED_NETWORKS ?= 127.0.0.0/8
run: $(VENV)/run ## Run everything: web, worker, tick, Valkey where REDIS_URL is not set, and a CRM simulator.
	@python manage.py collectstatic --noinput --verbosity 0
	$(call start,Procfile)

dev: export DEBUG := true
dev: $(VENV)/dev ## The same with DEBUG on; changed code, templates and static files are reloaded at once.
	$(call start,Procfile.dev)

shell: $(VENV)/run ## Open Django's shell with all models imported.
	@python manage.py shell $(ARGS)

test: $(VENV)/dev ## Run all tests but the longest; ARGS="tests/config -k keys" chooses some, as for pytest.
	$(PYTEST) $(ARGS)

coverage: $(VENV)/dev ## Run the tests and count the lines and branches that they reach: var/coverage/index.html.
	$(PYTEST) --cov --cov-report=term --cov-report=html $(ARGS)

faults: export FAULTS_ROWS := $(CURDIR)/docs/faults
faults: $(VENV)/dev ## Run all fault tests, the long ones too, and write docs/faults.md.
	python -m pytest tests/faults tests/referrals/test_state_machine.py \
		tests/connections/transport/test_default_limits.py -m "faults or not faults" || failed=1; \
	python -m tests.faults.tools.report $(FAULTS_ROWS) docs/faults.md; exit $${failed:-0}

screenshots: $(VENV)/dev ## Take the pictures under docs/screenshots; needs Chromium.
	python -m pytest --quiet tests/browser/screenshots.py

bench: $(VENV)/dev ## Measure and compare with baselines, on PostgreSQL and Redis; rewrites benchmarks/results.json and its chart.
	python -m benchmarks

check: $(VENV)/dev ## Format, lint, types, imports, migrations and deployment checks.
	ruff format --check .
	ruff check .
	mypy .
	lint-imports
	djlint --check --lint --quiet connections referrals
	python manage.py makemigrations --check --dry-run
	HTTPS=true python manage.py check --deploy --fail-level WARNING

format: $(VENV)/dev ## Format the code and fix what ruff can fix.
	ruff format .
	ruff check --fix .
	djlint --reformat --quiet connections referrals

requirements: $(VENV)/dev ## Pin what pyproject.toml asks for; ARGS=--upgrade takes newer versions.
	$(PIN) --output-file requirements.txt $(ARGS)
	$(PIN) --group dev --constraints requirements.txt --output-file requirements-dev.txt $(ARGS)

clean: ## Delete the virtual environment and all data of this installation.
	rm -rf $(VENV) var

help: ## Show this list.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run: requirements.txt | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev: requirements-dev.txt | $(VENV)/bin/python
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run

.PHONY: run dev shell test coverage faults bench screenshots check format requirements clean help
