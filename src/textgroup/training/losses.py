"""The objectives: InfoNCE (Eq. 6-8), reconstruction (Eq. 10), their sum (Eq. 5), and two terms of ours."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.config import LossConfig
from textgroup.data.captions import Batch, inner
from textgroup.model.encoder import TextGroups
from textgroup.model.grouping import gumbel
from textgroup.model.textgroup import TextGroupModel


class Losses(NamedTuple):
    """Scalars of one batch; a term that is not trained is None. `total` is what is minimised."""

    total: Tensor
    contrastive: Tensor | None
    reconstruction: Tensor | None
    balance: Tensor | None
    contiguity: Tensor | None
    views: Tensor | None


def info_nce(text: Tensor, image: Tensor, temperature: float) -> Tensor:
    """Eq. 6-8: mean of image-to-text and text-to-image InfoNCE. text, image: (B, E) unit vectors, paired."""
    similarity = text @ image.T / temperature  # (B, B), sim of Eq. 6: cosine
    target = torch.arange(len(text), device=text.device)
    return (F.cross_entropy(similarity.T, target) + F.cross_entropy(similarity, target)) / 2


def token_losses(states: Tensor, embedding: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
    """Cross-entropy of each valid token (N,), in reading order; padded positions never meet the vocabulary.

    states (B, M, D), embedding (V, D), targets and valid (B, M).
    """
    return F.cross_entropy((states[valid] @ embedding.T).float(), targets[valid], reduction="none")


def reduce_tokens(losses: Sequence[Tensor], lengths: Sequence[Tensor], reduction: str) -> Tensor:
    """Eq. 10 over the chunks of a batch.

    losses: one (N,) a chunk, caption after caption. lengths: one (B,) a chunk, tokens a caption.
    """
    flat, sizes = torch.cat(list(losses)), torch.cat(list(lengths))
    if reduction == "token_mean":
        return flat.mean()
    if reduction == "sum":
        return flat.sum()
    weight = torch.repeat_interleave(1.0 / sizes, sizes) / len(sizes)  # caption_mean
    return (flat * weight).sum()


def balance(outputs: Sequence[TextGroups]) -> Tensor:
    """log K minus the mutual information of token and group, in nats.

    0 when every token is sure of its group and the groups are equal over the batch; log K for a collapse, and
    for a uniform map too: equal shares alone would be had most easily by a map that decides nothing.
    """
    owned = torch.stack([out.assignment.sum(dim=(0, 2)) for out in outputs]).sum(dim=0)  # (K,)
    unsure = torch.stack([-torch.xlogy(out.assignment, out.assignment.clamp_min(1e-9)).sum() for out in outputs]).sum()
    share = owned / owned.sum()
    return math.log(len(share)) + torch.xlogy(share, share.clamp_min(1e-9)).sum() + unsure / owned.sum()


def contiguity(outputs: Sequence[TextGroups], cohesion: Sequence[Tensor]) -> Tensor:
    """What it costs to part neighbouring tokens, a mean over the pairs of neighbours.

    The probability that two neighbours lie in different groups, times how firmly the second holds on to the
    first. cohesion: (B, M) for each chunk, in 0..1 (`statistics.cohesion` of each token).
    """
    apart, pairs = [], []
    for out, firm in zip(outputs, cohesion):
        both = out.mask[:, 1:] & out.mask[:, :-1]
        together = (out.assignment[:, :, 1:] * out.assignment[:, :, :-1]).sum(dim=1)  # (B, M - 1)
        apart.append(((1 - together) * firm[:, 1:] * both).sum())
        pairs.append(both.sum())
    return torch.stack(apart).sum() / torch.stack(pairs).sum()


def two_views(outputs: Sequence[TextGroups]) -> Tensor:
    """What the place views learn: cross-entropy in nats, a mean over where units may begin plus one over the units.

    Where a unit begins, from the word view; and which places take units of several words, from the units themselves:
    what names something can be said in several words, and a bare noun stands where such units stand.
    """
    begin, names = [], []
    for out in outputs:
        assert out.views is not None, "only an encoder of kind dynamic has two views"
        views, may, unit = out.views, out.views.open(), out.views.cut.begins
        begin.append(_cross_entropy(views.place[may], views.word[may] > 0))
        names.append(_cross_entropy(views.names_place[unit], views.cut.several[unit]))
    return torch.cat(begin).mean() + torch.cat(names).mean()


def _cross_entropy(logits: Tensor, yes: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, yes.float(), reduction="none")


def compute(
    model: TextGroupModel,
    batch: Batch,
    config: LossConfig,
    generator: torch.Generator | None,
    cohesion: Tensor | None = None,
) -> tuple[Losses, list[TextGroups]]:
    """The losses of one batch (Eq. 5) and what the encoder gave for each of its chunks.

    generator: draws all the noise of a training step; None is evaluation, without noise. cohesion: (V,), see
    `contiguity`; None holds all neighbours equally firmly.
    """
    outputs, token, lengths = [], [], []
    for ids, mask in batch.chunks:
        noise = None
        if generator is not None:
            noise = model.noise * gumbel((len(ids), model.groups, ids.shape[1]), generator).to(ids.device)
        out = model.encode(ids, shown(mask, model.word_dropout, generator), noise)
        outputs.append(out)
        if model.decoder is not None:
            states, targets, valid = model.decode(ids, mask, out, generator)
            token.append(token_losses(states, model.encoder.embedding.token.weight, targets, valid))
            lengths.append(valid.sum(dim=1))

    contrastive = None
    if batch.image is not None and model.image_head is not None:
        text = torch.cat([model.embed_text(out) for out in outputs])
        contrastive = info_nce(text, model.embed_image(batch.image, generator), config.temperature)
    reconstruction = reduce_tokens(token, lengths, config.reduction) if token else None
    balanced = balance(outputs) if config.balance else None
    contiguous = None
    if config.contiguity:
        firm = [
            torch.ones_like(ids, dtype=torch.float32) if cohesion is None else cohesion[ids] for ids, _ in batch.chunks
        ]
        contiguous = contiguity(outputs, firm)
    views = two_views(outputs) if config.views else None
    total = _weighted(
        (1.0, contrastive),
        (config.reconstruction, reconstruction),
        (config.balance, balanced),
        (config.contiguity, contiguous),
        (config.views, views),
    )
    return Losses(total, contrastive, reconstruction, balanced, contiguous, views), outputs


def shown(mask: Tensor, share: float, generator: torch.Generator | None) -> Tensor:
    """The mask (B, M) without a random `share` of the tokens; a caption's first and last always stay."""
    if generator is None or not share:
        return mask
    kept = torch.rand(mask.shape, generator=generator).to(mask.device) >= share
    return mask & (kept | ~inner(mask))


def _weighted(*terms: tuple[float, Tensor | None]) -> Tensor:
    """Eq. 5."""
    return torch.stack([weight * term for weight, term in terms if term is not None]).sum()
