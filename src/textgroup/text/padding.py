"""Lists of token ids as one array."""

from collections.abc import Sequence

import numpy as np


def pad_ids(ids: Sequence[Sequence[int] | np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Ids (B, M), padded with 0 (a real token: the mask tells), and mask (B, M), True where a token is valid."""
    lengths = np.array([len(row) for row in ids])
    mask = np.arange(lengths.max()) < lengths[:, None]  # (B, M)
    padded = np.zeros(mask.shape, dtype=np.int64)
    padded[mask] = np.concatenate(ids)
    return padded, mask
