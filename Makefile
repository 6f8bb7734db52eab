# The README's two commands are `make demo` and `make test`. Each does its whole set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DURATION ?=
LIS_DATA ?=
RUNS ?= 1000000
SITE ?=
SUMMARY ?=
SCALE ?= 1
MINUTES ?= 10
JOBS ?= 2
SLATES ?= 10000000

.PHONY: setup demo example test check fuzz study study-mutation study-experiments study-drift study-shedding chaos overload soak bench bench-gpu scaling reference docs pictures dashboards format lock audit sbom wheel clean

setup: $(STAMP)  ## build the environment in .venv

# The stamp is written at the end: an interrupted set-up is never taken for a whole one.
# Bytecode is compiled here: otherwise each of the demo's processes compiles torch anew where Python may not write it.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lis-online needs Python 3.11 or later; got $$($(PYTHON) --version). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV): minutes, once (torch with CUDA is about 2.6 GB, and then Python compiles it)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	@test -t 2 || quiet=--quiet; $(BIN)/uv pip install $$quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: setup  ## the whole system on a simulated feed; DURATION=seconds, SUMMARY=file.json
	@$(BIN)/lis-online demo $(if $(DURATION),--duration $(DURATION)) $(if $(SUMMARY),--summary $(SUMMARY))

test: setup  ## every test
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest

check: setup  ## format, lint, types, import rule, dead code
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_imports.py tests/test_house.py

example: setup  ## docs/vectors.md: does aligning a text model help? LIS_DATA=folder asks real clicks
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r examples/requirements.lock
	@OMP_NUM_THREADS=1 $(BIN)/python -m examples.text_alignment $(if $(LIS_DATA),--data $(LIS_DATA))

fuzz: setup  ## hostile input by the million (RUNS) under atheris, which has wheels for Linux on x86-64 alone
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r fuzz/requirements.lock
	@OMP_NUM_THREADS=1 $(BIN)/python -m fuzz.run --runs $(RUNS)

study: setup  ## docs/validation.md: worlds by the hundred; SCALE=0.1 runs a tenth, LIS_DATA=folder adds real clicks
	@OMP_NUM_THREADS=1 $(BIN)/python -m studies.report --jobs $(JOBS) --scale $(SCALE)

study-mutation: setup  ## docs/mutation.json: do the tests notice when the maths changes?
	@$(BIN)/python -m studies.mutation --mutants 300 --seed 0 --jobs $(JOBS) --out docs/mutation.json

study-experiments: setup  ## docs/experiments.md: what the arms' intervals and tests are worth
	@OMP_NUM_THREADS=1 $(BIN)/python -m studies.experiments --runs 2000 --out docs

study-drift: setup  ## docs/drift.md: false alarms, delays and causes of drift events
	@OMP_NUM_THREADS=1 $(BIN)/python -m studies.drift --jobs $(JOBS) --out docs

chaos: setup  ## docs/faults.md: kills, outages and wrong clocks on real workers; SCALE=0.3 for trying, goes on where it was
	@OMP_NUM_THREADS=1 $(BIN)/python -m studies.chaos --scale $(SCALE)

overload: setup  ## docs/load.json: a worker that is sent twice what it can do, for MINUTES
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.overload --minutes $(MINUTES) --out docs/load.json

bench: setup  ## docs/performance.md: every comparison, about 10 minutes on two cores; SCALE=0.1 for trying writes nothing
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench --scale $(SCALE)

bench-gpu: setup  ## bench/results/gpu.json: the rank step on a GPU; says so where there is none
	@$(BIN)/python -m bench.gpu

scaling: setup  ## docs/scaling.md, docs/capacity.md: what a slate costs as everything grows, about 10 minutes; SCALE=0.3 for trying
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.scaling --scale $(SCALE)

soak: setup  ## does memory stop growing? SLATES of them, an hour for the ten million of the page
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.soak --slates $(SLATES)

study-shedding: setup  ## docs/shedding.json: what LIS and AIS become when load is shed
	@OMP_NUM_THREADS=1 $(BIN)/python -m studies.shedding --jobs $(JOBS) --out docs/shedding.json

reference: setup  ## the pages that are made from the code: settings, series, commands, tables, licences
	@mkdir -p build
	@for page in settings:settings exporter:series cli:cli history:tables; do \
		$(BIN)/python -m lis_online.$${page%:*}.reference > build/page.md && cp build/page.md docs/$${page#*:}.md || exit 1; done
	@$(BIN)/python docs/hooks/licences.py > build/page.md && cp build/page.md docs/licences.md

docs: setup  ## build/site: the documentation as a site that asks nobody for anything
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

dashboards: setup  ## grafana/dashboards/: write their JSON anew; SITE=address: they and the alerts lead to the runbooks there
	@$(BIN)/python -m grafana.build $(if $(SITE),--site $(SITE))

pictures: setup  ## docs/figures/: the live page, a review and the dashboards of a demo run; needs Chromium and Prometheus
	@OMP_NUM_THREADS=1 $(BIN)/python -m pictures

format: setup  ## rewrite files in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: setup  ## lock the dependencies anew, with hashes and without addresses
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--all-extras --group dev pyproject.toml -o requirements.lock

audit: setup  ## known vulnerabilities of what is locked; fails where they cannot be asked for, for then nothing was audited
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock

sbom: setup  ## dist/sbom.json: the bill of materials of what is locked (CycloneDX), the same bytes every time
	@mkdir -p dist
	@$(BIN)/python -W ignore -m cyclonedx_py requirements --output-reproducible --pyproject pyproject.toml -o dist/sbom.json requirements.lock

wheel: setup  ## dist/: the package as pip installs it
	@$(BIN)/uv build --quiet --wheel --out-dir dist

clean:  ## remove what was built
	rm -rf $(VENV) .java build dist *.egg-info
