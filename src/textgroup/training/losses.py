"""The objectives: InfoNCE (Eq. 6-8), reconstruction (Eq. 10), their sum (Eq. 5), and terms of ours.

All of them are functions of what the chunks of a batch give (`Part`), put together: vectors for InfoNCE, sums for the
others. So a batch may lie in many chunks, on many processes, and its losses are the same.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.config import LossConfig
from textgroup.data.captions import Batch, inner
from textgroup.model.encoder import TextGroups
from textgroup.model.interaction import log_odds, set_similarity
from textgroup.model.noise import Noise
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.cross_entropy import linear_cross_entropy
from textgroup.training.distributed import gathered, summed


class Losses(NamedTuple):
    """Scalars of one batch; a term that is not trained is None. `total` is what is minimised."""

    total: Tensor
    contrastive: Tensor | None
    reconstruction: Tensor | None
    balance: Tensor | None
    contiguity: Tensor | None
    views: Tensor | None
    names: Tensor | None
    alignment: Tensor | None
    paraphrase: Tensor | None


class Part(NamedTuple):
    """What the losses need of some captions.

    vectors: "text" and "image", (B, E) unit vectors; for the alignment "units" (B, K, E) and "objects" (B, G, E), zeros
    where there is none; or nothing. sums: by term, to be added up over the captions.
    """

    vectors: dict[str, Tensor]
    sums: dict[str, Tensor]


def info_nce(text: Tensor, image: Tensor, temperature: float) -> Tensor:
    """Eq. 6-8: mean of image-to-text and text-to-image InfoNCE. text, image: (B, E) unit vectors, paired.

    The similarities (B, B) are never there all at once.
    """
    pair = torch.arange(len(text), device=text.device)
    each = torch.full_like(text[:, 0], 0.5 / len(text))
    text = text / temperature  # sim of Eq. 6: cosine
    return linear_cross_entropy(image, text, pair, each) + linear_cross_entropy(text, image, pair, each)


def align(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """InfoNCE with units against objects, and what it leaves open: which units refer to none (`model/interaction.py`).

    InfoNCE sees differences between images alone. So each unit is also to refer to an object of its own image, and to
    none in the others, both weighing the same: one that is as common elsewhere as here ("and") is then as well off with
    none. units (B, K, E) and objects (B, G, E), paired; zeros where there is none.
    """
    similarity = set_similarity(units, objects, temperature)  # (B, B)
    pair = torch.arange(len(similarity), device=similarity.device)
    contrastive = (F.cross_entropy(similarity, pair) + F.cross_entropy(similarity.T, pair)) / 2
    own = similarity.diagonal()
    here = own - log_odds(units, objects, temperature)  # minus the log probability of an object
    elsewhere = (similarity.sum() - own.sum()) / max(1, len(own) * (len(own) - 1))
    return contrastive + here.mean() + elsewhere


def token_weights(valid: Tensor, reduction: str) -> tuple[Tensor, Tensor]:
    """Eq. 10's sum over tokens: the weight of each valid token (N,), and what the weighted sum is divided by.

    valid: (B, M). The divisor is to be added up over the batch.
    """
    lengths = valid.sum(dim=1)
    ones = torch.ones(int(lengths.sum()), device=valid.device)
    if reduction == "token_mean":
        return ones, ones.sum()
    if reduction == "caption_mean":
        return ones / torch.repeat_interleave(lengths, lengths), torch.ones_like(lengths).sum()
    return ones, ones.new_zeros(())  # sum: divided by nothing


def usage(out: TextGroups) -> Tensor:
    """Tokens of each group, and the entropy of the assignments: (K + 1,)."""
    unsure = -torch.xlogy(out.assignment, out.assignment.clamp_min(1e-9)).sum()
    return torch.cat([out.assignment.sum(dim=(0, 2)), unsure[None]])


def balance(used: Tensor) -> Tensor:
    """log K minus the mutual information of token and group, in nats. used: `usage` of the batch.

    0 when every token is sure of its group and the groups are equal over the batch; log K for a collapse, and
    for a uniform map too: equal shares alone would be had most easily by a map that decides nothing.
    """
    owned, unsure = used[:-1], used[-1]
    share = owned / owned.sum()
    return math.log(len(share)) + torch.xlogy(share, share.clamp_min(1e-9)).sum() + unsure / owned.sum()


def contiguity(out: TextGroups, firm: Tensor) -> Tensor:
    """What it costs to part neighbouring tokens, a sum over the pairs of neighbours, and their number: (2,).

    The probability that two neighbours lie in different groups, times how firmly the second holds on to the
    first. firm: (B, M), in 0..1 (`statistics.cohesion` of each token).
    """
    both = out.mask[:, 1:] & out.mask[:, :-1]
    together = (out.assignment[:, :, 1:] * out.assignment[:, :, :-1]).sum(dim=1)  # (B, M - 1)
    return torch.stack([((1 - together) * firm[:, 1:] * both).sum(), both.sum()])


def two_views(out: TextGroups) -> Tensor:
    """What the place view learns from the word view: cross-entropy, in nats, a sum over where it is open whether a
    unit begins, and the number of those places: (2,)."""
    assert out.views is not None, "only an encoder of kind dynamic has two views"
    views, may = out.views, out.views.open()
    return _cross_entropy(views.place[may], views.word[may] > 0)


def naming(out: TextGroups) -> Tensor:
    """What places learn of naming: cross-entropy, in nats, a sum over the units, and their number: (2,).

    Which places take units of several words, as the units themselves show: what names something can be said in
    several words, and a bare noun stands where such units stand.
    """
    assert out.views is not None, "only an encoder of kind dynamic has two views"
    views, unit = out.views, out.views.cut.begins
    return _cross_entropy(views.names_place[unit], views.cut.several[unit])


def _cross_entropy(logits: Tensor, yes: Tensor) -> Tensor:
    """Sum and number, (2,)."""
    lost = F.binary_cross_entropy_with_logits(logits, yes.to(logits), reduction="sum")
    return torch.stack([lost, lost.new_tensor(len(logits))])


def reconstruct(
    model: TextGroupModel, part: Batch, out: TextGroups, config: LossConfig, noise: Noise | None, decode: bool
) -> Tensor:
    """Eq. 10 over the one chunk of `part`, or in training over a share of its captions: the weighted sum, in nats, and
    what it is to be divided by: (2,). Arguments as in `look`; out: the groups of its captions."""
    ((ids, mask),) = part.chunks
    if noise is not None and config.written < 1:
        drawn = noise.uniform("written", 1).squeeze(1) < config.written  # (B,)
        ids, mask, noise = ids[drawn], mask[drawn], Noise(noise.key, noise.rows[drawn])
        out = out._replace(groups=out.groups[drawn], present=out.present[drawn])
    weight, divisor = token_weights(mask[:, 1:], config.reduction)
    table = model.encoder.embedding.token.weight
    written = table.new_zeros(())
    if decode:  # of no caption too: each process and chunk has a gradient for everything
        states, targets, valid = model.decode(ids, mask, out, noise)
        written = linear_cross_entropy(states[valid], table, targets[valid], weight)
    return torch.stack([written, divisor.to(written)])


def look(
    model: TextGroupModel,
    part: Batch,
    config: LossConfig,
    key: int | None,
    cohesion: Tensor | None = None,
    decode: bool = True,
) -> Part:
    """What the losses need of the one chunk of `part`; arguments as in `compute`.

    decode: False leaves the reconstruction's sum at 0. Its gradient is the same whatever it is.
    """
    ((ids, mask),), rows = part.chunks, part.rows
    assert rows is not None, "a part knows its places in the batch"
    noise = None if key is None else Noise(key, rows)
    with fast(ids.device):
        drawn = None if noise is None else model.noise * noise.gumbel("groups", model.groups, ids.shape[1])
        out = model.encode(ids, shown(mask, model.word_dropout, noise), drawn)
        vectors, sums = {}, {}
        if part.image is not None and model.image_head is not None:
            vectors = {"text": model.embed_text(out), "image": model.embed_image(part.image, noise)}
        if config.alignment and part.objects is not None:
            vectors |= {"units": model.embed_units(out), "objects": model.embed_objects(part.objects, noise)}
        if model.decoder is not None:
            sums["reconstruction"] = reconstruct(model, part, out, config, noise, decode)
        if config.balance:
            sums["balance"] = usage(out)
        if config.contiguity:
            firm = torch.ones_like(ids, dtype=torch.float32) if cohesion is None else cohesion[ids]
            sums["contiguity"] = contiguity(out, firm)
        if config.views:
            sums |= {"views": two_views(out), "names": naming(out)}
    return Part(vectors, sums)


def join(parts: Sequence[Part], batch: Batch) -> Part:
    """The parts of a batch as one, with those of the other processes."""
    vectors = {name: torch.cat([part.vectors[name] for part in parts]) for name in parts[0].vectors}
    sums = {name: torch.stack([part.sums[name] for part in parts]).sum(dim=0) for name in parts[0].sums}
    if batch.rows is not None and batch.whole is not None:
        vectors = {name: gathered(x, batch.rows, batch.whole) for name, x in vectors.items()}
        sums = {name: summed(x) for name, x in sums.items()}
    return Part(vectors, sums)


def weigh(whole: Part, config: LossConfig, pairs: Tensor | None) -> Losses:
    """The losses of a batch (Eq. 5) from what all its captions give. pairs: see `Batch`."""

    def mean(name: str) -> Tensor | None:
        return whole.sums[name][0] / whole.sums[name][1].clamp_min(1) if name in whole.sums else None

    seen = whole.vectors
    contrastive = info_nce(seen["text"], seen["image"], config.temperature) if "text" in seen else None
    aligned = align(seen["units"], seen["objects"], config.temperature) if "units" in seen else None
    alike = None
    if pairs is not None and "text" in seen:  # as an image and its caption: two of its captions
        alike = info_nce(seen["text"][pairs[:, 0]], seen["text"][pairs[:, 1]], config.temperature)
    balanced = balance(whole.sums["balance"]) if config.balance else None
    reconstruction, contiguous = mean("reconstruction"), mean("contiguity")
    views, names = mean("views"), mean("names")
    weighted = (
        (1.0, contrastive),
        (config.reconstruction, reconstruction),
        (config.balance, balanced),
        (config.contiguity, contiguous),
        (config.views, views),
        (config.views, names),
        (config.alignment, aligned),
        (config.paraphrase, alike),
    )
    total = torch.stack([weight * term for weight, term in weighted if term is not None]).sum()
    return Losses(total, contrastive, reconstruction, balanced, contiguous, views, names, aligned, alike)


def compute(
    model: TextGroupModel, batch: Batch, config: LossConfig, key: int | None, cohesion: Tensor | None = None
) -> Losses:
    """The losses of one batch, and of the shares that other processes have of it.

    key: of all the noise of a training step (`noise.key_of`); None is evaluation, without noise. cohesion: (V,),
    see `contiguity`; None holds all neighbours equally firmly.
    """
    parts = [look(model, part, config, key, cohesion) for part in batch.parts()]
    return weigh(join(parts, batch), config, batch.pairs)


def shown(mask: Tensor, share: float, noise: Noise | None) -> Tensor:
    """The mask (B, M) without a random `share` of the tokens; a caption's first and last always stay."""
    if noise is None or not share:
        return mask
    return mask & ((noise.uniform("words", mask.shape[1]) >= share) | ~inner(mask))


def fast(place: torch.device) -> torch.autocast | nullcontext[None]:
    """bf16 where the GPU has it; a CPU is far slower in it."""
    if place.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()
