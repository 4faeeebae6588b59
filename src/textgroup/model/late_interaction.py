"""Late interaction of units and objects (not in the paper), in two forms.

`found_similarity`, for many objects such as patches: each unit attends to the objects, and its similarity is the mean
cosine with what it finds (as in SCAN, Lee et al., 2018).

`set_similarity`, for few objects, has a null object for units that name none of the others. A unit refers to one of an
image's objects or to the null object, whose cosine with every unit is `NULL`, as NULL in IBM's alignment models (Brown
et al., 1993). The probabilities are a softmax of the cosines. The similarity of a caption and an image is each unit's
best match, averaged over the units (ColBERT, Khattab & Zaharia, 2020; FILIP, Yao et al., 2021). The best match is
smooth, a log-sum-exp over objects and null (as in SCAN): its gradient is the probability that the unit refers to the
object.

Vectors have unit length, or are zeros where there is none: a caption of few units, an image of few objects.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from textgroup.devices import quick
from textgroup.model.sharpness import SHARPNESS

NULL = 0.3
"""Cosine of every unit and the null object: more than the best of eight objects has by chance (the mean is 0.18 for
random vectors of 64 numbers, and less for longer ones), so that training begins with units that refer to none."""
ENTRIES = 1 << 24
"""Cosines of unit and object that are in memory at once."""


def found_similarity(units: Tensor, objects: Tensor) -> Tensor:
    """units (A, K, E) of captions, objects (B, G, E) of images -> similarities (A, B), between -1 and 1.

    Mean over the caption's units of sum over the image's objects of p * cosine, p the softmax of `SHARPNESS` * cosine;
    0 with an image that has no object.
    """
    return _mean_over_units(_found, units, objects, SHARPNESS)


def set_similarity(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """units (A, K, E) of captions, objects (B, G, E) of images -> similarities (A, B), at least 0; 0 if all units refer
    to null.

    Mean over the caption's units of log(1 + sum over the image's objects of exp((cosine - NULL) / temperature)), which
    is minus the log probability of null.
    """
    return _mean_over_units(_best, units, objects, temperature)


def _mean_over_units(
    similarity: Callable[[Tensor, Tensor, float], Tensor], units: Tensor, objects: Tensor, factor: float
) -> Tensor:
    """A few units at a time: the cosines of all units and objects are never in memory, in backward neither."""
    present = _is_present(units)  # (A, K)
    step = max(1, ENTRIES // (objects.shape[0] * objects.shape[1]))
    rows = [
        checkpoint(similarity, some_units, objects, factor, use_reentrant=False, preserve_rng_state=False)
        for some_units in units[present].split(step)  # (U, E)
    ]
    of_unit = units.new_zeros(*present.shape, len(objects), dtype=rows[0].dtype)  # (A, K, B)
    of_unit[present] = torch.cat(rows)
    return torch.einsum("akb,ak->ab", of_unit, _unit_weights(units).to(of_unit))


def _found(units: Tensor, objects: Tensor, sharpness: float) -> Tensor:
    """units (U, E), objects (B, G, E) -> (U, B): the mean cosine with what each unit finds in each image."""
    cosine = torch.einsum("ue,bge->ubg", *quick(units, objects))
    nowhere = torch.finfo(cosine.dtype).min  # not -inf: an image without any object would give nan instead of 0
    attention = (sharpness * cosine).masked_fill(~_is_present(objects), nowhere).softmax(dim=-1)
    return (attention * cosine).sum(dim=-1, dtype=units.dtype)


def _best(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """units (U, E), objects (B, G, E) -> (U, B): the smooth best match of each unit in each image, or null."""
    cosine = torch.einsum("ue,bge->ubg", units, objects)
    odds = ((cosine - NULL) / temperature).masked_fill(~_is_present(objects), -torch.inf)
    return F.pad(odds, (0, 1)).logsumexp(dim=-1)  # over objects and null


def log_odds(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """Log odds that a unit refers to an object and not to null, a mean over the caption's units, for paired captions
    and images.

    units (B, K, E), objects (B, G, E) -> (B,).
    """
    odds = (units @ objects.transpose(1, 2) - NULL) / temperature  # (B, K, G)
    best = odds.masked_fill(~_is_present(objects)[:, None, :], -torch.inf).logsumexp(dim=2)  # (B, K)
    return (best * _unit_weights(units)).sum(dim=1)


def _unit_weights(units: Tensor) -> Tensor:
    """Weight of each unit in its caption's mean, (A, K)."""
    present = _is_present(units)
    return (present / present.sum(dim=1, keepdim=True).clamp_min(1)).to(units)


def _is_present(vectors: Tensor) -> Tensor:
    """(..., E) -> (...), False for zeros."""
    return (vectors != 0).any(dim=-1)
