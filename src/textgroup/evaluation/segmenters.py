"""Everything that cuts captions into units, opened by a word of the command line.

A segmenter takes captions and gives the units of each: the model, cuts that do not look, clusterings, chunkers
and anybody's own file all are one, and evaluation never asks which.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textgroup.data.tables import numbered_lines
from textgroup.errors import InputError
from textgroup.evaluation.tokens import spans_of
from textgroup.tokenizer import CaptionTokenizer
from textgroup.units import Segmenter, Unit, runs

SPECS = (
    "model[:PATH], equal:K, singletons, random:K, untrained:CONFIG, left-entropy:THRESHOLD, "
    "kmeans:K, spectral:K, meanshift, chunker:nltk, chunker:grammar, chunker:spacy, file:UNITS.jsonl"
)


def open_segmenter(
    spec: str,
    tokenizer: CaptionTokenizer | None,
    *,
    fit_on: str | None = None,
    features_from: str | None = None,
) -> Segmenter:
    """The segmenter that `spec` names (one of `SPECS`).

    tokenizer: of the evaluation tokens, which the cuts cut; None: words. fit_on: the captions that `left-entropy`
    counts. features_from: the baseline checkpoint whose tokens `kmeans`, `spectral` and `meanshift` cluster.
    Raises `InputError` for what cannot be opened.
    """
    name, _, value = spec.partition(":")
    match name:
        case "model" if spec != "model:":  # a path that came out empty is not the packaged checkpoint
            return _checkpoint(value)
        case "equal":
            parts = _whole(spec, value)
            return _cut(tokenizer, lambda length: equal_split(length, parts))
        case "singletons" if not value:
            return _cut(tokenizer, lambda length: list(range(length)))
        case "random":
            groups, random = _whole(spec, value), np.random.default_rng(0)
            return _cut(tokenizer, lambda length: random.integers(groups, size=length).tolist())
        case "untrained":
            return _untrained(value, tokenizer)
        case "left-entropy":
            from textgroup.evaluation.branching import left_entropy_segmenter

            return left_entropy_segmenter(_number(spec, value), _needed(spec, "--fit-on", fit_on))
        case "kmeans" | "spectral":
            from textgroup.evaluation.clusterings import clustering

            return clustering(name, _whole(spec, value), _needed(spec, "--features-from", features_from))
        case "meanshift" if not value:
            from textgroup.evaluation.clusterings import clustering

            return clustering(name, None, _needed(spec, "--features-from", features_from))
        case "chunker" if value == "nltk":
            from textgroup.evaluation.chunkers import nltk_chunker

            return nltk_chunker()
        case "chunker" if value == "grammar":
            from textgroup.evaluation.chunkers import grammar_chunker

            return grammar_chunker()
        case "chunker" if value == "spacy":
            from textgroup.evaluation.chunkers import spacy_chunker

            return spacy_chunker()
        case "file":
            return _from_file(Path(value))
    raise InputError(f"no segmenter {spec!r}: there are {SPECS}")


def equal_split(length: int, parts: int) -> list[int]:
    """The unit of each of `length` tokens when the caption is cut into `parts` runs of (nearly) equal length."""
    return [j * parts // length for j in range(length)] if length > parts else list(range(length))


def _cut(tokenizer: CaptionTokenizer | None, groups: Callable[[int], list[int]]) -> Segmenter:
    """A segmenter that sees nothing but the number of tokens."""
    tokens = spans_of(tokenizer)
    return lambda captions: [
        runs(caption, spans, groups(len(spans))) for caption, spans in zip(captions, tokens(captions))
    ]


def _checkpoint(where: str) -> Segmenter:
    from textgroup.inference import load

    model = load(where or None)  # `model` alone: the packaged checkpoint
    return lambda captions: list(model.segment_stream(captions))


def _untrained(where: str, tokenizer: CaptionTokenizer | None) -> Segmenter:
    """The architecture of a configuration with its random initial weights: Table 3's "random"."""
    if tokenizer is None:
        raise InputError(f"segmenter untrained:{where}: words have no ids; give --tokenizer a BPE")
    from dataclasses import replace

    import torch

    from textgroup.config import load_run
    from textgroup.inference import TextGroup
    from textgroup.model.textgroup import TextGroupModel

    config = load_run(["--config", where])
    torch.manual_seed(config.seed)
    encoder = replace(config.model.encoder, vocabulary=len(tokenizer))
    model = TextGroupModel(**vars(replace(config.model, encoder=encoder)))
    own = TextGroup(model, CaptionTokenizer(tokenizer.merges, encoder.max_tokens))
    return lambda captions: list(own.segment_stream(captions))


def _from_file(path: Path) -> Segmenter:
    """Units that somebody wrote down: a line {"caption": ..., "units": [{"start": ..., "end": ...}, ...]} a caption."""
    if not path.is_file():
        raise InputError(f"segmenter file:{path}: there is no such file")
    units_of: dict[str, list[Unit]] = {}
    for number, line in numbered_lines(path):
        if line.strip():
            caption, units = _units(f"{path}:{number}", line)
            units_of[caption] = units

    def segment(captions: Sequence[str]) -> list[list[Unit]]:
        for caption in captions:
            if caption not in units_of:
                raise InputError(f"{path} has no line for the caption {caption[:60]!r}: every caption needs one")
        return [units_of[caption] for caption in captions]

    return segment


def _units(where: str, line: str) -> tuple[str, list[Unit]]:
    try:
        record: Any = json.loads(line)
        caption, units = record["caption"], record["units"]
        if not isinstance(caption, str):
            raise TypeError("a caption is text")
        groups = [u["group"] for u in units] if any("group" in u for u in units) else range(len(units))
        found = [
            Unit(caption[u["start"] : u["end"]], u["start"], u["end"], group, u.get("groundable"))
            for u, group in zip(units, groups)
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f'{where}: not {{"caption": "...", "units": [{{"start": 0, "end": 5}}, ...]}} in one line'
        ) from None
    for unit in found:
        if not 0 <= unit.start < unit.end <= len(caption):
            raise InputError(
                f"{where}: unit {unit.start}..{unit.end} does not lie in a caption of {len(caption)} characters"
            )
        if not isinstance(unit.group, int) or unit.group < 0 or not isinstance(unit.groundable, bool | None):
            raise InputError(f"{where}: group must be a whole number from 0, groundable true, false or null")
    return caption, found


def _whole(spec: str, value: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,5}", value):
        raise InputError(f"segmenter {spec[:40]}: after the colon give a whole number from 1 to 999999")
    return int(value)


def _number(spec: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InputError(f"segmenter {spec}: after the colon give a threshold in nats, such as 3.6")
    return number


def _needed(spec: str, option: str, value: str | None) -> str:
    if value is None:
        raise InputError(f"segmenter {spec} needs {option}")
    return value
