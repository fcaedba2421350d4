# Cupel. The two commands to start with: make run, make ui.

export DAGSTER_HOME ?= $(CURDIR)/.dagster
export DAGSTER_DISABLE_TELEMETRY = 1
export GX_ANALYTICS_ENABLED = false

PROJECT ?= sentiment
PORT ?= 3000
STUDIO_PORT ?= 8080
PYTHON = .venv/bin/python

.PHONY: help setup run languages release rebuild ui up down gate data-docs test test-handover test-install test-walks screenshots label-studio label-studio-page label-studio-down test-live peers attacks humans kills check format clean

help:  ## Say what there is to make.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.run data/sentiment/answers.parquet $(DAGSTER_HOME)/dagster.yaml  ## Make the environment and fetch the sample.

run: setup  ## Take the project's deliveries through the chain, in rounds, until nothing is asked.
	@$(PYTHON) -m orchestration.run $(PROJECT)

languages: setup  ## Build the multilingual release of data that you have: make languages SIB200=FOLDER.
	@$(PYTHON) -m samples.topics $(if $(SIB200),--data '$(SIB200)')
	@$(PYTHON) -m orchestration.run languages

release: setup  ## Put a delivery to a new audit: make release BATCH=movies (or BATCH=all).
	@$(PYTHON) -m orchestration.run $(PROJECT) $(BATCH)

rebuild: setup  ## Make a release once more and compare it byte for byte: make rebuild RELEASE=movies-r1.
	@.venv/bin/cupel rebuild $(RELEASE)

ui: setup  ## Open the Dagster page on 127.0.0.1.
	@$(PYTHON) -m orchestration.dagster_storage
	@echo "What passed, what was refused and why: http://127.0.0.1:$(PORT)  (Ctrl-C ends it)"
	@$(PYTHON) -m orchestration.dagster_page -h 127.0.0.1 -p $(PORT) -w workspace.yaml

up: setup  ## Start page and daemon in the background: deliveries are taken, schedules run.
	@PORT=$(PORT) $(PYTHON) -m orchestration.service up

down: .venv/.run  ## Stop them.
	@$(PYTHON) -m orchestration.service down

gate: .venv/.run $(DAGSTER_HOME)/dagster.yaml  ## Judge what is in the lake: BATCH=movies, SELECT=group:raw, SINCE=origin/main, JUNIT=gate.xml.
	@$(PYTHON) -m orchestration.ci $(PROJECT) $(addprefix --partition ,$(BATCH)) $(if $(SELECT),--select '$(SELECT)') \
		$(if $(SINCE),--since '$(SINCE)') $(if $(JUNIT),--junit '$(JUNIT)') $(if $(STRICT),--strict)

data-docs: .venv/.run  ## Write pages of what every gate said, for all projects, into lake/PROJECT/data_docs.
	@.venv/bin/cupel data-docs

# A file's tests go to one of two processes, so that what they share is made once; the short ones are last.
test: .venv/.dev data/sentiment/answers.parquet  ## Run the tests.
	@$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-install: .venv/.dev  ## Install what label buyers do on each Python that is here: PYTHONS='python3.13 PATH' names them; a minute.
	@$(PYTHON) -m pytest -m install -rs tests/install

attacks: .venv/.run  ## Attack the proof on a small project, and print what was caught: ONLY=name tries one; three minutes.
	@$(PYTHON) -m benchmarks.attacks $(addprefix --only ,$(ONLY))

humans: .venv/.run data/sentiment/answers.parquet $(if $(ENDPOINT)$(MODEL),,embedding)  ## Say on one page how many people are still needed: ENDPOINT=URL MODEL=NAME joins yours; three minutes.
	@$(PYTHON) -m benchmarks.humans --folder build/humans $(if $(ENDPOINT)$(MODEL),--endpoint '$(ENDPOINT)' --model '$(MODEL)') \
		$(if $(KEY_ENV),--key-env '$(KEY_ENV)')

kills: .venv/.dev  ## Kill runs more than a hundred times, fill the disk, run two at once: some ten minutes.
	@$(PYTHON) -m pytest -n 2 -m kills tests/kills

label-studio: setup .label-studio/.ready  ## Start a Label Studio server with sentences to label, and take in what was answered: 1 GB.
	@$(PYTHON) -m samples.label_studio up $(STUDIO_PORT)

label-studio-page: setup .label-studio/.ready  ## Show it on the Dagster page; the daemon collects and publishes every minute.
	@$(PYTHON) -m samples.label_studio page $(STUDIO_PORT) $(PORT)

label-studio-down: .venv/.run  ## Stop server, page and daemon.
	@$(PYTHON) -m samples.label_studio down

test-live: .venv/.live .label-studio/.ready  ## Label on a real Label Studio server, up to a release: some three minutes.
	@$(PYTHON) -m pytest -m live tests/live

test-walks: .venv/.live  ## Walk through as a buyer, operator, engineer, annotator lead and reader: shell and browser, three minutes.
	@$(PYTHON) -m pytest -n 2 --dist loadfile -m walks tests/walks

screenshots: .venv/.live setup  ## Make the pictures of docs/images anew, of the sample as it is in the lake; needs Chromium.
	@$(PYTHON) -m docs.screenshots

test-handover: .handover/.ready  ## Read what is handed over with datasets, cleanlab and Argilla, and push to a local hub.
	@.handover/bin/python -m pytest -m handover tests/handover

peers: .venv/.peers  ## Install the tools that benchmarks are measured beside: 1.2 GB, for nothing else.

check: .venv/.dev $(DAGSTER_HOME)/dagster.yaml  ## Check format, lint, types, layers and definitions.
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PYTHON) -m orchestration.dagster_storage
	.venv/bin/dg check defs

format: .venv/.dev  ## Format the code.
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

clean:  ## Remove what the sample made: its data, its lake and the page's record. Your own projects stay.
	rm -rf lake/sentiment data/sentiment .dagster

.venv/bin/uv: requirements-bootstrap.lock
	@echo "Making the environment in .venv"
	@python3.11 -m venv .venv 2>/dev/null || python3 -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock
	@touch $@

.venv/.run: .venv/bin/uv requirements.lock pyproject.toml
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements.lock
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.run requirements-dev.lock
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements-dev.lock
	@touch $@

.venv/.peers: .venv/.dev requirements-bench.lock
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements-bench.lock
	@touch $@

# What the tools need that released data are for; Argilla and `datasets` are in no other environment.
.handover/.ready: .venv/.dev requirements-handover.lock
	@.venv/bin/uv venv --quiet --allow-existing --python $(PYTHON) .handover
	@.venv/bin/uv pip install --quiet --python .handover/bin/python --require-hashes -r requirements-handover.lock
	@touch $@

.venv/.live: .venv/.dev requirements-live.lock
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --require-hashes -r requirements-live.lock
	@touch $@

# Label Studio pins what Cupel pins otherwise: an environment of its own.
.label-studio/env/.ready: .venv/bin/uv requirements-label-studio.lock
	@echo "Making Label Studio's environment in .label-studio: 1 GB"
	@.venv/bin/uv venv --quiet --allow-existing --python $(PYTHON) .label-studio/env
	@.venv/bin/uv pip install --quiet --python .label-studio/env/bin/python --require-hashes \
		-r requirements-label-studio.lock
	@touch $@

.label-studio/.ready: .venv/.run .label-studio/env/.ready
	@$(PYTHON) -m samples.label_studio fresh
	@touch $@

data/sentiment/answers.parquet: .venv/.run samples/vader.py samples/vader.txt
	@$(PYTHON) -m samples.vader data/sentiment
	@touch $@

$(DAGSTER_HOME)/dagster.yaml: orchestration/dagster.yaml
	@mkdir -p $(DAGSTER_HOME)
	@cp $< $@.$$$$ && mv $@.$$$$ $@

LOCK = .venv/bin/uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --quiet --extra chain --extra build

# Of the sentence model's package only the weights are used; those need neither torch nor a hub.
.PHONY: lock
lock: .venv/bin/uv  ## Resolve the versions anew, with hashes.
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --extra dev --extra bench -c requirements-dev.lock -o requirements-bench.lock
	$(LOCK) --extra dev --extra handover -c requirements-dev.lock -o requirements-handover.lock
	@printf '%s\n' "sentence-transformers ; python_version < '3'" "huggingface-hub ; python_version < '3'" > .venv/left-out
	$(LOCK) --extra embedding -c requirements.lock --overrides .venv/left-out -o requirements-embedding.lock
	@printf '%s\n' playwright==1.65.2 | .venv/bin/uv pip compile - --python-version 3.11 --universal --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet -c requirements-dev.lock -o requirements-live.lock
	@echo label-studio==1.23.2 | .venv/bin/uv pip compile - --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements-label-studio.lock

.PHONY: embedding
embedding: .venv/.run requirements-embedding.lock  ## Install the sentence model for the checker `embedding`.
	@.venv/bin/uv pip install --quiet --python $(PYTHON) --require-hashes --no-deps -r requirements-embedding.lock

.PHONY: docs
docs: .venv/.run  ## Write the reference pages that are made from the code.
	$(PYTHON) -m docs.generate
