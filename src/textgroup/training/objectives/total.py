"""The total loss of a batch (Eq. 5): each chunk passes the encoder, the outputs are gathered, the terms added up."""

from collections.abc import Sequence

import torch
from torch import Tensor

from textgroup.config.run import LossConfig
from textgroup.data.batches import Batch, without_specials
from textgroup.model.noise import Noise
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.distributed import all_reduce, gather_rows
from textgroup.training.objectives.alignment import Alignment
from textgroup.training.objectives.balance import Balance
from textgroup.training.objectives.contiguity import Contiguity
from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk, Losses, Objective
from textgroup.training.objectives.contrastive import Contrastive
from textgroup.training.objectives.grounding import Grounding
from textgroup.training.objectives.paraphrase import Paraphrase
from textgroup.training.objectives.reconstruction import Reconstruction
from textgroup.training.precision import autocast


def objectives_for(config: LossConfig, cohesion: Tensor | None = None) -> list[Objective]:
    """The terms of Eq. 5, and ours, that have a weight. cohesion: see `Contiguity`."""
    objectives: list[Objective] = [
        Contrastive(config.temperature),
        Reconstruction(config.reconstruction, config.written, config.reduction),
        Balance(config.balance),
        Contiguity(config.contiguity, cohesion),
        Alignment(config.alignment, config.temperature),
        Grounding(config.grounding, config.temperature),
        Paraphrase(config.paraphrase, config.temperature),
    ]
    return [objective for objective in objectives if objective.weight]


def encode_chunk(
    model: TextGroupModel, chunk: Batch, objectives: Sequence[Objective], key: int | None, decode: bool = True
) -> ChunkOutput:
    """What the losses need of `chunk`, a batch of one chunk. key: as in `compute`. decode: see `EncodedChunk`."""
    ((ids, mask),), positions = chunk.chunks, chunk.positions
    assert positions is not None, "a chunk knows its places in the batch"
    noise = None if key is None else Noise(key, positions)
    with autocast(ids.device):
        competing = model.encoder.noise_groups
        drawn = model.noise * noise.gumbel("groups", competing, ids.shape[1]) if noise and competing else None
        text = model.encode(ids, drop_tokens(mask, model.word_dropout, noise), drawn)
        encoded = EncodedChunk(model, ids, mask, text, chunk.image, chunk.objects, chunk.with_objects, noise, decode)
        outputs = [objective.of_chunk(encoded) for objective in objectives]
    vectors = {name: x for output in outputs for name, x in output.vectors.items()}
    return ChunkOutput(vectors, {name: x for output in outputs for name, x in output.sums.items()})


def gather(outputs: Sequence[ChunkOutput], batch: Batch) -> ChunkOutput:
    """The outputs of all chunks of a batch as one, with those of the other processes."""
    vectors = {name: torch.cat([output.vectors[name] for output in outputs]) for name in outputs[0].vectors}
    sums = {name: torch.stack([output.sums[name] for output in outputs]).sum(dim=0) for name in outputs[0].sums}
    if batch.positions is not None and batch.total is not None:
        vectors = {name: gather_rows(x, batch.positions, batch.total) for name, x in vectors.items()}
        sums = {name: all_reduce(x) for name, x in sums.items()}
    return ChunkOutput(vectors, sums)


def combine(whole: ChunkOutput, objectives: Sequence[Objective], pairs: Tensor | None) -> Losses:
    """The losses of a batch (Eq. 5) from what all its captions give. pairs: see `Batch`."""
    terms: dict[str, Tensor] = {}
    weighted = []
    for objective in objectives:
        losses = objective.losses(whole, pairs)
        terms |= losses
        weighted += [objective.weight * loss for loss in losses.values()]
    return Losses(torch.stack(weighted).sum(), terms)


def compute(model: TextGroupModel, batch: Batch, objectives: Sequence[Objective], key: int | None) -> Losses:
    """The losses of one batch, and of the shares that other processes have of it.

    key: of all the noise of a training step (`keys.key_of`); None is evaluation, without noise.
    """
    outputs = [encode_chunk(model, chunk, objectives, key) for chunk in batch.each_chunk()]
    return combine(gather(outputs, batch), objectives, batch.pairs)


def drop_tokens(mask: Tensor, share: float, noise: Noise | None) -> Tensor:
    """The mask (B, M) without a random `share` of the tokens; a caption's first and last always stay."""
    if noise is None or not share:
        return mask
    return mask & ((noise.uniform("words", mask.shape[1]) >= share) | ~without_specials(mask))
