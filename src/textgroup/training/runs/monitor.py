"""Monitors of the units while they form: the paper's failure signatures, measured from the first step on."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from textgroup.data.batches import Batch, without_specials
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.objectives.cross_entropy import linear_cross_entropy

UNIFORM, COLLAPSED, LEAKING = 0.95, 0.90, 0.50
"""Above these values of entropy, biggest share and leak, a plain warning is given."""


@dataclass(frozen=True)
class Monitors:
    """Means over the captions of a batch; start and end tokens are left out.

    groups_in_use: groups that own a token of the caption. runs: contiguous runs of one group in the caption.
    entropy: of the soft assignment of a token, as a share of log K; 1 is a uniform map (Figure 3).
    biggest_share: share of the caption's tokens that its biggest group owns; 1 is one group for all.
    leak: share of what the decoder learns from the groups that it still learns when no token is assigned to
    any group (see `leak`); None without a decoder.
    """

    groups_in_use: float
    runs: float
    entropy: float
    biggest_share: float
    leak: float | None = None

    def as_dict(self) -> dict[str, float]:
        """The values that were measured."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def warnings(self, groups: int) -> list[str]:
        """One plain sentence for each failure signature that shows; none for K = 1, which has no choice."""
        sentences = []
        if groups > 1 and self.entropy > UNIFORM:
            sentences.append(
                f"uniform maps: assignment entropy is {self.entropy:.2f} of its maximum, no unit is forming"
            )
        if groups > 1 and self.biggest_share > COLLAPSED:
            sentences.append(f"collapse: the biggest group owns {self.biggest_share:.0%} of a caption's tokens")
        if self.leak is not None and self.leak > LEAKING:
            sentences.append(
                f"leak: {self.leak:.0%} of what the groups tell the decoder goes around the assignment "
                "(model.encoder.residual: none and values: embedded close it)"
            )
        return sentences


@torch.no_grad()
def monitor(model: TextGroupModel, batch: Batch) -> Monitors:
    """Monitors of a model, in evaluation mode, on one batch."""
    return measure_outputs([model.encode(ids, mask) for ids, mask in batch.chunks], leak(model, batch))


def measure_outputs(outputs: Sequence[TextGroups], leak: float | None = None) -> Monitors:
    """Monitors of what the encoder gave for the chunks of a batch."""
    rows = torch.cat([_per_caption(out) for out in outputs])  # (B, 4)
    in_use, runs, entropy, share = rows.mean(dim=0).tolist()
    return Monitors(in_use, runs, entropy, share, leak)


def _per_caption(out: TextGroups) -> Tensor:
    """groups in use, runs, entropy and biggest share of each caption: (B, 4)."""
    mask = without_specials(out.mask)
    tokens = mask.sum(dim=1).clamp_min(1)
    k = out.assignment.shape[1]
    hard = out.owner
    owned = torch.stack([((hard == g) & mask).sum(dim=1) for g in range(k)], dim=1)  # (B, K)
    changes = (hard[:, 1:] != hard[:, :-1]) & mask[:, 1:] & mask[:, :-1]
    entropy = -torch.xlogy(out.assignment, out.assignment).sum(dim=1) / max(math.log(k), 1e-9)  # (B, M)
    return torch.stack(
        [
            (owned > 0).sum(dim=1).float(),
            changes.sum(dim=1) + mask.any(dim=1).float(),
            (entropy * mask).sum(dim=1) / tokens,
            owned.amax(dim=1) / tokens,
        ],
        dim=1,
    )


@torch.no_grad()
def leak(model: TextGroupModel, batch: Batch) -> float | None:
    """Share of the groups' information that reaches the decoder *around* the assignment, in 0..1.

    Informative: how much worse the decoder does with another caption's groups than with the caption's own. Leaked: the
    same when no token is assigned to any group, so that what the groups still know came another way (`residual:
    groups`). The leak is leaked / informative, and exactly 0 if only what is assigned is passed on. None without a
    decoder, or if the groups are not informative.
    """
    if model.decoder is None:
        return None
    own, other, blocked_own, blocked_other = 0.0, 0.0, 0.0, 0.0
    for ids, mask in batch.chunks:
        if len(ids) < 2:
            continue
        text = model.encode(ids, mask)
        nothing = torch.zeros(len(ids), model.most_groups, ids.shape[1], device=ids.device)
        blocked = model.encode(ids, mask, forced=nothing)
        own += _reconstruction(model, ids, mask, text)
        other += _reconstruction(model, ids, mask, _groups_of_another(text))
        blocked_own += _reconstruction(model, ids, mask, blocked)
        blocked_other += _reconstruction(model, ids, mask, _groups_of_another(blocked))
    informative = other - own
    if not informative > 0.01 * other:
        return None
    return min(1.0, max(0.0, (blocked_other - blocked_own) / informative))


def _groups_of_another(text: TextGroups) -> TextGroups:
    """Each caption with the groups of the next one in the batch."""
    return text._replace(groups=text.groups.roll(1, dims=0), present=text.present.roll(1, dims=0))


def _reconstruction(model: TextGroupModel, ids: Tensor, mask: Tensor, text: TextGroups) -> float:
    """Summed loss of writing these captions from these groups."""
    states, targets, valid = model.decode(ids, mask, text)
    table = model.encoder.embedding.token.weight
    return linear_cross_entropy(states[valid], table, targets[valid], torch.ones_like(states[valid][:, 0])).item()
