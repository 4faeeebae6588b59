"""Initial token embeddings from co-occurrence: tokens that occur with the same others begin alike.

As Levy & Goldberg (2014): a singular value decomposition of positive pointwise mutual information, here of two tokens
in a caption, with the root of the singular values on each side. It helps where captions are few.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from textgroup.data.captions import CaptionData

if TYPE_CHECKING:  # only training needs it
    from scipy.sparse import coo_matrix, csr_matrix

CAPTIONS = 200_000
"""Largest number of captions that are counted, spread over the data set: time and memory do not grow with it."""


def cooccurrence(data: CaptionData, vocabulary: int, width: int, seed: int) -> Tensor:
    """Vectors (vocabulary, width) of unit variance, fp32: alike for two tokens that occur with the same others more
    often than by chance. Zeros for a token that never occurs with another.

    A random rotation (`seed`) makes all components equally large.
    """
    information = _positive_information(_occurrence_matrix(data, vocabulary))
    coordinates, values = (torch.from_numpy(x) for x in (np.stack(information.coords), information.data))
    sparse = torch.sparse_coo_tensor(coordinates, values, information.shape, check_invariants=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vector, value, _ = torch.svd_lowrank(sparse.float(), min(width, vocabulary), niter=4)
        rotation = torch.linalg.qr(torch.randn(width, width)).Q
    vectors = vector * value.sqrt() @ rotation[: len(value)]  # (V, D)
    met = torch.zeros(vocabulary, dtype=torch.bool)
    met[coordinates[0]] = True
    return torch.where(met[:, None], vectors / vectors[met].square().mean().sqrt(), 0)


def _occurrence_matrix(data: CaptionData, vocabulary: int) -> "csr_matrix":
    """1 where a token is in a caption, (captions, vocabulary); start and end of text are left out."""
    from scipy.sparse import csr_matrix

    chosen = np.arange(0, len(data.starts) - 1, -(-(len(data.starts) - 1) // CAPTIONS))
    first, lengths = data.starts[chosen] + 1, np.diff(data.starts)[chosen] - 2
    ends = np.cumsum(lengths)
    positions = np.arange(ends[-1]) + np.repeat(first - ends + lengths, lengths)
    occurs = csr_matrix(
        (np.ones(len(positions), dtype=np.float32), (np.repeat(np.arange(len(chosen)), lengths), data.ids[positions])),
        shape=(len(chosen), vocabulary),
    )
    occurs.sum_duplicates()
    occurs.data[:] = 1
    return occurs


def _positive_information(occurs: "csr_matrix") -> "coo_matrix":
    """Pointwise mutual information of two different tokens in a caption, where it is above 0: (V, V), nats."""
    from scipy.sparse import coo_matrix

    pairs = (occurs.T @ occurs).tocoo()
    different = pairs.row != pairs.col
    row, col, count = pairs.row[different], pairs.col[different], pairs.data[different].astype(np.float64)
    marginal = np.bincount(row, weights=count, minlength=occurs.shape[1])
    information = np.log(count * count.sum() / (marginal[row] * marginal[col]))
    positive = information > 0
    return coo_matrix((information[positive], (row[positive], col[positive])), shape=pairs.shape)
