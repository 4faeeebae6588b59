"""Writing a checkpoint as ONNX files, each compared with PyTorch before it is kept."""

import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from textgroup.errors import InputError
from textgroup.files import atomic_write, full_disk_told
from textgroup.inference.onnx.cutter import SEGMENTER
from textgroup.inference.onnx.grounder import IMAGE, SPANS
from textgroup.inference.onnx.parts import TEXT, Part, image_part, segmenter_part, spans_part, text_part
from textgroup.inference.onnx.session import open_session, run
from textgroup.inference.onnx.smaller import halve, quantise, strip
from textgroup.model.pretrained import load_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.open import open_again

TOLERANCE = 1e-4
"""Largest difference from PyTorch of a number of a unit vector; whole numbers and marks are equal."""
INT8 = "segmenter_int8.onnx"
ONE_SIZE = "written for images of one size, so ground looks at them once, and PyTorch three times"


def export_onnx(where: str | Path | None, out: Path, *, encoder: str | None = None) -> dict[str, str]:
    """Write `segmenter.onnx`, `segmenter_int8.onnx`, `text.onnx`, `spans.onnx`, `image.onnx` and `tokenizer.json` to a
    new directory.

    where: as `load` takes it. encoder: where the image encoder lies now, if not where it lay in training. Returns what
    is to be said of some files: why one is not written (a checkpoint that was trained on captions alone has a segmenter
    only, and one whose encoder cannot be opened no image tower), or is written for one size of images. Raises
    `InputError` where `out` exists, for an `encoder` that is another one, and for a file that does not compute what
    PyTorch does.
    """
    if out.exists():
        raise InputError(f"{out} exists: give a directory that does not")
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise InputError("export --onnx needs onnx and onnxscript: pip install 'textgroup[onnx]'") from None
    model, tokenizer = load_model(where)
    parts, notes = _parts(model, encoder)
    room = "nothing is written; make room, or give another directory"
    with full_disk_told(out, room), atomic_write(out) as partial, _quiet():
        partial.mkdir()
        written = [_write_fitting(part, partial / part.file) for part in parts]
        notes |= {part.file: ONE_SIZE for part, fitting in zip(parts, written) if fitting is not part}
        shutil.copyfile(partial / SEGMENTER, partial / INT8)
        quantise(partial / INT8)
        for part in written:
            halve(partial / part.file)
            check(part, partial / part.file)
        tokenizer.save(partial / "tokenizer.json")
    return notes


def _parts(model: TextGroupModel, encoder: str | None) -> tuple[list[Part], dict[str, str]]:
    """The parts that a checkpoint has, and why the others are not written."""
    parts = [segmenter_part(model)]
    if model.image_head is None or model.image_encoder is None:
        reason = "not written: the checkpoint was trained on captions alone"
        return parts, dict.fromkeys((TEXT, SPANS, IMAGE), reason)
    parts += [text_part(model), spans_part(model)]
    identity = model.image_encoder
    try:
        tower = open_again(encoder or identity["encoder"], identity["transform"], device="cpu")
        check_same_encoder(identity, tower.identity(), "the checkpoint", tower.name)
    except InputError as error:
        if encoder is not None:
            raise
        return parts, {IMAGE: f"not written: {error}"}
    return [*parts, image_part(model, tower)], {}


def _write_fitting(part: Part, file: Path) -> Part:
    """Write the part, or, where its free axes cannot be written, the one of fixed axes; returns what was written."""
    if part.fixed is not None:
        try:
            _write(part, file)
            check(part, file)
            return part
        except OSError:
            raise
        except Exception:  # the exporter raises errors of many kinds
            part = part.fixed
    _write(part, file)
    return part


@torch.no_grad()
def _write(part: Part, file: Path) -> None:
    import onnx

    program: Any = torch.onnx.export(
        part.module.eval(),
        part.draw(2, min(12, part.longest or 12), 0),
        dynamo=True,
        dynamic_shapes=tuple(part.inputs.values()),
        input_names=list(part.inputs),
        output_names=part.outputs,
        verbose=False,
    )
    onnx.save(strip(program.model_proto, part.facts), file)


def check(part: Part, file: Path) -> float:
    """The largest difference between a file and PyTorch, on random input of several sizes. Raises `InputError` if it is
    above `TOLERANCE`, or a whole number differs."""
    session = open_session(file)
    largest = 0.0
    longest = part.longest or 200
    for seed, (batch, length) in enumerate([(1, 2), (3, longest // 2), (2, longest)]):
        inputs = part.draw(batch, length, seed)
        with torch.no_grad():
            expected = part.module(*inputs)
        found = run(session, file, {name: x.numpy() for name, x in zip(part.inputs, inputs)})
        for name, ours, theirs in zip(part.outputs, found, expected):
            difference = float(np.abs(ours.astype(np.float64) - theirs.numpy().astype(np.float64)).max())
            if not difference <= (TOLERANCE if theirs.is_floating_point() else 0):
                raise InputError(f"{file.name}: {name} differs from PyTorch's by {difference:.2g}: not written")
            largest = max(largest, difference)
    return largest


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the libraries say of others that are not there, and of their own future."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
