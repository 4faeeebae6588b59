"""Which object of an image each unit of a caption refers to, or none (not in the paper).

A unit is compared with every object and with a null object, to which its similarity is 0 whatever the image: NULL of
IBM's alignment models (Brown et al., 1993). What a caption and an image have in common is late interaction (ColBERT,
Khattab & Zaharia, 2020; FILIP, Yao et al., 2021): each unit's best match, a mean over the units. The best is a smooth
one, a log-sum-exp over objects and null (as in SCAN, Lee et al., 2018): its gradient is the probability that the unit
refers to the object. A unit that names nothing has the null object for its best in every image, and adds the same.

Vectors have unit length, and zeros where there is none: a caption of few units, an image of few objects.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

NULL = 0.0
"""Similarity of every unit to the null object."""
ENTRIES = 1 << 24
"""Similarities of unit and object that are in memory at once."""


def set_similarity(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """units (A, K, E) of captions, objects (B, G, E) of images -> (A, B), 0 for what has nothing in common, and more.

    temperature: of the smooth maximum over the objects. Some captions at a time: similarities (A, K, B, G) are never
    there all at once, not in backward either.
    """
    step = max(1, ENTRIES // (units.shape[1] * objects.shape[0] * objects.shape[1]))
    rows = [
        checkpoint(_similarity, part, objects, temperature, use_reentrant=False, preserve_rng_state=False)
        for part in units.split(step)
    ]
    return torch.cat(rows)


def _similarity(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    cosine = torch.einsum("ake,bge->akbg", units, objects) / temperature
    cosine = cosine.masked_fill(~_there(objects), -torch.inf)
    best = F.pad(cosine, (0, 1), value=NULL / temperature).logsumexp(dim=-1)  # (A, K, B)
    there = _there(units)  # (A, K)
    mean = there / there.sum(dim=1, keepdim=True).clamp_min(1)
    return temperature * torch.einsum("akb,ak->ab", best, mean.to(best))


def _there(vectors: Tensor) -> Tensor:
    """(..., E) -> (...), False for zeros."""
    return (vectors != 0).any(dim=-1)
