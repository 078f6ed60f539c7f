# Two commands do everything on a machine with python3 (3.11 or later), git and make.
#   make demo   a light environment, the main job on real photos, a picture to look at
#   make test   everything installed, the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo-run
# Photos that scikit-image ships; the last three are no photos, or grey, and are refused with a reason.
DEMO := astronaut.png chelsea.png coffee.png hubble_deep_field.jpg motorcycle_left.png motorcycle_right.png rocket.jpg camera.png logo.png page.png

.PHONY: demo test slow lint types bench clean

demo: $(VENV)/.light
	rm -rf $(OUT)
	photos="$$($(BIN)/python -c 'import skimage; print(skimage.__path__[0] + "/data")')"; \
	$(BIN)/patina build configs/demo.yaml --out $(OUT) $(foreach name,$(DEMO),--input "$$photos/$(name)")
	@echo "Open $(OUT)/report/pairs.png"

test: $(VENV)/.full
	$(BIN)/pytest $(PYTEST_ARGS)

slow: $(VENV)/.full
	$(BIN)/pytest -m slow

lint: $(VENV)/.full
	$(BIN)/ruff check .

types: $(VENV)/.full
	$(BIN)/mypy

bench: $(VENV)/.full
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Patina needs Python 3.11 or later; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.light: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	touch $@

$(VENV)/.full: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.light

clean:
	rm -rf $(VENV) $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis
