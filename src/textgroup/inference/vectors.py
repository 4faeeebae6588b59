"""Vectors of units: each one alone, as the text encoder gives it."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.inference.cutter import padded
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer, Tokens
from textgroup.units import Unit

Span = tuple[int, int]


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


def unit_vectors(model: TextGroupModel, tokenizer: CaptionTokenizer, caption: str, units: Sequence[Unit]) -> Tensor:
    """The vector of each unit of a caption, (units, E), unit length.

    Units of the same group have the same vector, where groups are not units.
    """
    if model.encoder.reach is not None:
        return span_vectors(model, tokenizer, caption, [[(unit.start, unit.end)] for unit in units])
    read = tokenizer.encode(caption).spans[-2][1]
    of_group: dict[tuple[int, int], list[Span]] = {}  # beyond what is read, a group is that of another part
    keys = [(unit.group, unit.start if unit.start >= read else 0) for unit in units]
    for k in range(model.most_groups):
        of_group[k, 0] = []  # a group's own number decides
    for unit, key in zip(units, keys):
        of_group.setdefault(key, []).append((unit.start, unit.end))
    rows = {key: n for n, key in enumerate(of_group)}
    return span_vectors(model, tokenizer, caption, list(of_group.values()))[[rows[key] for key in keys]]


@torch.inference_mode()
def span_vectors(
    model: TextGroupModel, tokenizer: CaptionTokenizer, caption: str, groups: Sequence[Sequence[Span]]
) -> Tensor:
    """The vector (E,) of each group, as if its spans of characters were its tokens: (groups, E), unit length; zeros for
    a group without tokens.

    Of a group that lies beyond what the model reads of a caption, the first span is encoded by itself.
    """
    (tokens,) = tokenizer.encode_batch([caption])
    seen, device = tokens.spans[-2][1], next(model.parameters()).device
    vectors = [torch.zeros(0, model.embedding, device=device)]
    for a in range(0, len(groups), model.most_groups):
        some = groups[a : a + model.most_groups]
        forced = torch.zeros(1, model.most_groups, len(tokens.ids), device=device)
        for k, spans in enumerate(some):
            for start, end in spans:
                forced[0, k] += torch.tensor([float(x < end and start < y) for x, y in tokens.spans]).to(forced)
        text = model.encode(*padded([tokens.ids], model), forced=forced.clamp_max(1))
        vectors.append(model.embed_units(text)[0, : len(some)])
    found = torch.cat(vectors)
    for k, spans in enumerate(groups):
        if spans and spans[0][0] >= seen > 0:
            start, end = spans[0]
            (found[k],) = span_vectors(model, tokenizer, caption[start:end], [[(0, end - start)]])
    return found


def warn_of_long(left_out: Sequence[int], call: str, limit: int) -> None:
    """Say how many captions are not read to their end."""
    if long := sum(map(bool, left_out)):
        warnings.warn(
            f"{call}: {long:,} of {len(left_out):,} captions are longer than the {limit} tokens that are read; "
            f"at least {sum(left_out):,} tokens are left out",
            stacklevel=4,
        )
