# make demo | test | test-all | test-lowest | fuzz | audit | lint | bench | bench-gpu | packaged. Each one first makes .venv, and installs only what changed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# uv does not read pip's settings: hand on the user's own wheel folder, if there is one.
export UV_FIND_LINKS ?= $(or $(PIP_FIND_LINKS),$(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null))

.PHONY: demo test test-all test-lowest fuzz audit lint bench bench-gpu packaged clean

demo: $(VENV)/installed
	$(BIN)/textgroup demo

test: $(VENV)/installed
	$(BIN)/pytest -m "not slow"

test-all: $(VENV)/installed
	$(BIN)/pytest

# The lowest version of each package that pyproject.toml names, in an environment of their own.
LOWEST ?= .venv-lowest
test-lowest: $(VENV)/installed
	$(PYTHON) -m venv $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct -e '.[dev]'
	$(LOWEST)/bin/pytest -m "not slow" tests/model tests/text tests/inference tests/cli tests/config tests/data tests/report

# Known holes of the pinned versions; a package about which the service says nothing fails too.
audit: $(VENV)/installed
	$(BIN)/uv tool run pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

# The tests whose inputs are made by hypothesis, with 5,000 inputs each instead of 100.
fuzz: $(VENV)/installed
	$(BIN)/pytest -m hypothesis --hypothesis-profile=fuzz --hypothesis-show-statistics

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What the benchmarks need beside the package is the extra `bench`; a peer that is not there is a row "not run".
# `make bench BENCHMARKS=end_to_end` takes ten minutes more.
BENCHMARKS ?= segment features scaling train_step schedule
bench: $(VENV)/installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[bench]'
	for name in $(BENCHMARKS); do $(BIN)/python benchmarks/$$name.py --out benchmarks/results/$$name.json || exit 1; done
	$(BIN)/python benchmarks/report.py

# All that waits for a GPU, in less than nine minutes. Without make: PYTHONPATH=src python benchmarks/gpu.py
bench-gpu: $(VENV)/installed
	$(BIN)/python benchmarks/gpu.py

# The packaged models. The English one: its router from captions alone, then its image side from Flickr8k's tar shards and
# MobileNetV2's directory or Hub name. The multilingual one: from the captions that its configuration names.
CAPTIONS ?= [data/flickr30k_entities.zip,data/captions/coco.jsonl.gz]
FLICKR8K ?= data/flickr8k
BACKBONE ?= google/mobilenet_v2_1.0_224
packaged: $(VENV)/installed
	$(BIN)/textgroup train --config configs/units.yaml --data.captions "$(CAPTIONS)"
	for split in train val; do $(BIN)/textgroup features --images "$(FLICKR8K)/flickr8k-$$split-*.tar" \
	  --encoder backbone:$(BACKBONE) --size 448 --groups --out features/flickr8k-$$split-448 || exit 1; done
	$(BIN)/textgroup train --config configs/photographs.yaml --router runs/units --image_encoder backbone:$(BACKBONE) \
	  --data.features features/flickr8k-train-448 --data.val_features features/flickr8k-val-448 \
	  --data.captions '$(FLICKR8K)/flickr8k-train-*.tar' --data.val_captions '$(FLICKR8K)/flickr8k-val-*.tar'
	$(BIN)/textgroup export -c runs/photographs --with-encoder --out runs/packaged
	$(BIN)/textgroup export -c runs/packaged --onnx runs/onnx
	cp runs/onnx/segmenter.onnx runs/onnx/spans.onnx runs/onnx/image.onnx runs/packaged
	$(BIN)/textgroup train --config configs/units_multilingual.yaml
	$(BIN)/textgroup export -c runs/units_multilingual --out runs/packaged_multilingual

$(VENV)/installed: pyproject.toml constraints.txt
	@echo "installing into $(VENV): PyTorch and what else is needed, some minutes the first time"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
