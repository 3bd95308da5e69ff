# Faultline. `make` alone lists what can be done; PORT=, DATA=, DEMO=0 and the rest are in docs/operate.md.

PYTHON ?= python3
BOOT = $(PYTHON) scripts/bootstrap.py
BIN = .venv/bin
# What starts programs of its own. They share nothing, and mostly wait: four at a time keep two cores busy.
OUTSIDE = fault or browser or alertmanager or library

.PHONY: help run test bench senders check fmt clean

help:
	@echo "make run    start all of Faultline on this machine"
	@echo "make test   run every check and every test"
	@echo "make bench  measure speed; prints one JSON object a line (about a quarter of an hour; PARTS=\"backlog --quick\" for less)"
	@echo "make senders  install the libraries that send alerts, so that make test runs them too (3 GB)"
	@echo "make check  run the fast checks: style, types, templates, import boundaries, migrations"
	@echo "make fmt    format code and templates"
	@echo "make clean  remove .venv and caches (the data in var/ stays)"

run:
	@$(BOOT) run
	@exec $(BIN)/python manage.py up

check:
	@$(BOOT) dev
	@$(BIN)/python scripts/check.py

test: check
	@$(BOOT) tools
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not ($(OUTSIDE))"
	@$(BIN)/python -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder -m "$(OUTSIDE)"

bench:
	@$(BOOT) dev
	@$(BIN)/python -m bench $(PARTS)

senders:
	@$(BOOT) senders

fmt:
	@$(BOOT) dev
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format . ; $(BIN)/djade --target-version 5.2 $$(find templates -name "*.html")

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var/test
