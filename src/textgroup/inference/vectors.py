"""Vectors of units: each one alone, as the text encoder gives it."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from textgroup.inference.cutter import padded
from textgroup.inference.forcing import Span, SpanEncoder
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer, Tokens
from textgroup.units import Unit


class Assignment(NamedTuple):
    """pieces: the M subwords of a caption that are read. shares: (K, M), fp32, how much of each subword each group has;
    columns sum to 1.
    """

    pieces: list[str]
    shares: np.ndarray

    @property
    def soft(self) -> bool:
        """False where each subword belongs to one group alone."""
        return bool(((self.shares > 0) & (self.shares < 1)).any())


def encode(model: TextGroupModel, tokens: Sequence[Tokens]) -> TextGroups:
    """The groups of captions, as many and as much of each as the model takes."""
    return model.encode(*padded([t.ids for t in tokens], model))


@torch.inference_mode()
def assignment(model: TextGroupModel, tokenizer: CaptionTokenizer, caption: str) -> Assignment:
    """The groups' shares of a caption's subwords, without noise; start and end of text are left out."""
    (tokens,) = tokenizer.encode_batch([caption])
    groups = encode(model, [tokens])
    shares = groups.assignment[0, groups.present[0], 1 : len(tokens.ids) - 1]
    return Assignment(tokenizer.pieces(tokens.ids[1:-1]), shares.float().cpu().numpy())


def unit_vectors(model: TextGroupModel, tokenizer: CaptionTokenizer, caption: str, units: Sequence[Unit]) -> np.ndarray:
    """The vector of each unit of a caption, (units, E), fp32, unit length.

    Units of the same group have the same vector, where groups are not units.
    """
    encode_spans = span_encoder(model, tokenizer)
    if model.encoder.reach is not None:
        return encode_spans(caption, [[(unit.start, unit.end)] for unit in units])
    read = tokenizer.encode(caption).spans[-2][1]
    of_group: dict[tuple[int, int], list[Span]] = {}  # beyond what is read, a group is that of another part
    keys = [(unit.group, unit.start if unit.start >= read else 0) for unit in units]
    for k in range(model.most_groups):
        of_group[k, 0] = []  # a group's own number decides
    for unit, key in zip(units, keys):
        of_group.setdefault(key, []).append((unit.start, unit.end))
    rows = {key: n for n, key in enumerate(of_group)}
    vectors: np.ndarray = encode_spans(caption, list(of_group.values()))[[rows[key] for key in keys]]
    return vectors


def span_encoder(model: TextGroupModel, tokenizer: CaptionTokenizer) -> SpanEncoder:
    """The model's text encoder for spans. The baseline has one group, <eos>, whatever is forced."""

    @torch.inference_mode()
    def embed(ids: list[int], forced: np.ndarray) -> np.ndarray:
        chunk = padded([ids], model)
        text = model.encode(*chunk, forced=torch.from_numpy(forced)[None].to(chunk.ids.device))
        vectors: np.ndarray = model.embed_units(text)[0].float().cpu().numpy()
        return vectors

    return SpanEncoder(embed, model.most_groups, model.embedding, tokenizer)


def warn_of_long(left_out: Sequence[int], call: str, limit: int) -> None:
    """Say how many captions are not read to their end."""
    if long := sum(map(bool, left_out)):
        warnings.warn(
            f"{call}: {long:,} of {len(left_out):,} captions are longer than the {limit} tokens that are read; "
            f"at least {sum(left_out):,} tokens are left out",
            stacklevel=4,
        )
