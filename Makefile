# Every target that needs the environment makes it first, so a fresh clone needs only Python 3.11 or
# newer, Java 17 or 21 and make.

PYTHON ?= python3
BIN := .venv/bin

# What another Python or Spark on this machine may have set.
unexport PYTHONHOME PYTHONPATH SPARK_CONF_DIR SPARK_HOME PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON

DEMO_BENEFICIARIES := 30000
SCALE := 5
# So many processes run the tests, each with a Spark of its own; each test file is one's alone.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help environment jars classes demo atlas test test-integration test-all coverage lint format docs lock audit bench package clean distclean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

environment: ## Make .venv with the pinned packages, and Delta's JARs in .jars
	@$(PYTHON) scripts/set_up.py

jars: environment ## Fetch Delta's JARs, or check those that are there
	@$(BIN)/python -m claimatlas.jars

# Java then takes 18,000 of a run's classes as they are: a fifth of a run on little data.
classes: environment ## Let Java start sooner: a file of the classes that a run loads, in .jars
	@$(BIN)/claimatlas class-archive

demo: .demo/input.complete ## Make synthetic claims and compute two years of indicators from them
	$(BIN)/spark-submit jobs/run_year.py --input .demo/input --output .demo/output --year 2022 --year 2023

# The mark comes last: claims of an interrupted run are made again.
.demo/input.complete: | environment
	@rm -rf .demo/input
	$(BIN)/spark-submit jobs/generate.py --output .demo/input --beneficiaries $(DEMO_BENEFICIARIES) \
		--years 2022-2024 --seed 1
	@touch $@

atlas: environment ## Draw counts of a whole country, protect and publish them, serve the site on PORT (8000)
	$(BIN)/python -m scripts.atlas --serve $(or $(PORT),8000)

test: classes ## Run the first tier of tests in WORKERS processes (2): ten minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test-integration: classes ## Run the second tier in WORKERS processes: programs, clusters and servers
	$(BIN)/python -m pytest -m "second and not long" -n $(WORKERS) --dist loadfile

test-all: classes ## Run all tests, the long ones too (some hours)
	$(BIN)/python -m pytest -m ""

# What runs in one process: jobs that the tests submit or start count for nothing here.
coverage: environment ## Measure which lines and branches the unit tests and scenarios reach; fail below the floor
	$(BIN)/python -m coverage run -m pytest tests/unit tests/spec
	$(BIN)/python -m coverage report

lint: environment ## Check the format, the rules, who imports whom, and the types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

format: environment ## Format the code and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The sheets anew, so that none outlives its indicator.
docs: environment ## Write the sheets, and the generated parts of the documents
	rm -rf docs/indicators
	$(BIN)/claimatlas describe --output docs/indicators --format md
	$(BIN)/python -m scripts.documents

# The package index is whichever pip uses; its address does not go into the files.
COMPILE := PIP_FIND_LINKS= CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes \
	--allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: environment ## Pin the packages anew, with their hashes (UPGRADE=--upgrade for newer ones)
	$(COMPILE) $(UPGRADE) --output-file requirements/build.txt requirements/build.in
	$(COMPILE) $(UPGRADE) --output-file requirements/sail.txt requirements/sail.in
	$(COMPILE) $(UPGRADE) --output-file requirements/tau.txt requirements/tau.in
	$(COMPILE) $(UPGRADE) --extra spark --output-file requirements/run.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --extra spark --extra dev --constraint requirements/run.txt \
		--constraint requirements/build.txt --output-file requirements/dev.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --extra spark --extra bench --constraint requirements/dev.txt \
		--output-file requirements/bench.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --output-file requirements/airflow.txt requirements/airflow.in
	$(COMPILE) $(UPGRADE) --output-file requirements/hadolint.txt requirements/hadolint.in
	$(COMPILE) $(UPGRADE) --output-file requirements/databricks.txt requirements/databricks.in

# In an environment of its own, as what audits is none of what is audited. Strict: a package that the advisories could
# not be asked about is a failure, not a package without any.
audit: ## Ask PyPI for known vulnerabilities of the pinned packages (needs the internet)
	$(PYTHON) -m venv .audit
	.audit/bin/python -m pip install --quiet --upgrade pip-audit
	.audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		$(foreach name,run dev bench build databricks sail tau airflow hadolint,--requirement requirements/$(name).txt)

bench: environment ## Compare with other engines on equal work (SCALE=million claim lines, OPTIONS=more)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/bench.txt
	$(BIN)/python -m benchmarks.run --million-lines $(SCALE) $(OPTIONS)

package: environment ## Build the wheel, and a zip of it for --py-files, into dist/
	$(BIN)/python scripts/package.py

clean: ## Delete what the targets made, except the environment
	rm -rf .demo .atlas .bench .notebooks build dist spark-warehouse metastore_db derby.log artifacts
	rm -rf .pytest_cache .hypothesis .mypy_cache .ruff_cache .coverage

distclean: clean ## Delete the environment too
	rm -rf .venv .audit .airflow .jars
