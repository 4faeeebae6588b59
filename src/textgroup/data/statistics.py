"""What the captions alone say of where a unit begins: left branching entropy (Harris, 1955)."""

import numpy as np

from textgroup.data.captions import CaptionData


def left_entropy(data: CaptionData, vocabulary: int) -> np.ndarray:
    """Entropy, in nats, of the tokens that stand before each token type in the captions: (vocabulary,).

    High for what begins a unit (many different words come before "a"), low for what goes on with one (few come
    before "hat"), 0 for a type that has one left neighbour or was never seen.
    """
    inside = np.ones(len(data.ids), dtype=bool)
    inside[data.starts[:-1]] = False  # the first token of a caption has nothing before it
    places = np.flatnonzero(inside)
    pairs, count = np.unique(data.ids[places].astype(np.int64) * vocabulary + data.ids[places - 1], return_counts=True)
    second = pairs // vocabulary
    total = np.bincount(second, weights=count, minlength=vocabulary)
    share = count / total[second]
    return -np.bincount(second, weights=share * np.log(share), minlength=vocabulary)


def cohesion(data: CaptionData, vocabulary: int) -> np.ndarray:
    """How firmly each token type holds on to the token before it, in 0..1: (vocabulary,), fp32.

    1 minus its left entropy as a share of the largest one: 0 for the type that follows anything.
    """
    entropy = left_entropy(data, vocabulary)
    return (1 - entropy / max(entropy.max(), 1e-9)).astype(np.float32)
