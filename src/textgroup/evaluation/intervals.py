"""How sure a figure is: a bootstrap over whole images (Efron, 1979).

The captions of an image are alike, so images are drawn, not captions. A figure is a function of sums over
captions; each draw has its own sums. The same seed draws the same images: two systems measured on the same
images are compared draw by draw.
"""

from collections.abc import Sequence

import numpy as np

DRAWS = 1000
_AT_ONCE = 100
"""Draws made together: bounds the memory at 100 numbers an image."""


def resampled(rows: np.ndarray, image_of: Sequence[str] | np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """rows (captions, S), and the image of each -> sums over the captions of images drawn with replacement, (draws, S).

    As many images are drawn as there are.
    """
    _, image = np.unique(np.asarray(image_of), return_inverse=True)
    images = int(image.max()) + 1
    sums = np.stack([np.bincount(image, weights=column, minlength=images) for column in rows.T], axis=1)  # (images, S)
    random = np.random.default_rng(seed)
    blocks = []
    for a in range(0, draws, _AT_ONCE):
        drawn = random.integers(images, size=(min(_AT_ONCE, draws - a), images))
        times = np.stack([np.bincount(row, minlength=images) for row in drawn])  # (draws, images)
        blocks.append(times @ sums)
    return np.concatenate(blocks)


def interval(drawn: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Percentiles of the draws (draws, ...) -> the two ends (2, ...)."""
    tail = 50 * (1 - level)
    return np.percentile(drawn, [tail, 100 - tail], axis=0)
