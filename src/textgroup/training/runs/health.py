"""What is said when numbers are no longer finite: where it began, on which captions, and what is still good."""

import json
import math
from pathlib import Path

import numpy as np

from textgroup.config.run import RunConfig
from textgroup.data.captions import CaptionData, ImageRows
from textgroup.errors import InputError
from textgroup.training import distributed
from textgroup.training.build import Inputs
from textgroup.training.runs.checkpoint import name_newest
from textgroup.vision.store.reading import FeatureStore

FAILED = "failed_batch.json"
"""The captions of the step that failed, in the directory of the run."""
SHOWN = 2
"""Captions of it that the message shows."""
BLOCK = 1 << 16
"""Rows of features looked at together."""


def bad_step(step: int, config: RunConfig, inputs: Inputs) -> InputError:
    """The error for a step (counted from 0) whose loss or gradient was not finite. Writes `FAILED`."""
    run, data = Path(config.out), inputs.train
    batch = data.batch(step, config.optim.batch_size, config.seed)
    captions = [
        inputs.tokenizer.decode(row[valid].tolist()) for ids, mask in batch.chunks for row, valid in zip(ids, mask)
    ]
    file = run / FAILED
    if distributed.rank() == 0:
        record = {"step": step + 1, "captions": captions}
        file.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    shown = ", ".join(repr(caption[:60]) for caption in captions[:SHOWN])
    remedy = f"lower optim.lr ({config.optim.lr:g}) and start again in another --out"
    return InputError(
        f"the loss or its gradient is not finite at step {step + 1}, on captions such as {shown} "
        f"(all are in {file}); {name_newest(run)}; {bad_features(data, config) or remedy}"
    )


def bad_features(data: CaptionData, config: RunConfig) -> str | None:
    """Which stored features are not finite, and what to do; None if all are."""
    stored = [x for x in (data.pooled, data.objects) if isinstance(x, np.ndarray)]
    rows = sorted(set[int]().union(*(_bad_rows(x) for x in stored)))
    if not rows:
        return None
    example = f"row {rows[0]}"
    if config.data.features is not None:
        example += f", image {FeatureStore.open(config.data.features).keys[rows[0]]!r}"
    return (
        f"the features of {len(rows)} of {len(stored[0])} images are not finite, such as {example}: encode the images "
        f"again into a new directory (data.features is {config.data.features})"
    )


def _bad_rows(x: ImageRows) -> list[int]:
    """The rows of x (N, ...) that hold a number that is not finite."""
    bad: list[int] = []
    for a in range(0, x.shape[0], BLOCK):
        block = x[np.arange(a, min(a + BLOCK, x.shape[0]))].reshape(-1, math.prod(x.shape[1:]))
        bad += (a + np.flatnonzero(~np.isfinite(block).all(axis=1))).tolist()
    return bad
