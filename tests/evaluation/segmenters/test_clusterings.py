"""Clusterings of a caption's tokens, where the tokens leave little to cluster."""

import numpy as np

from textgroup.evaluation.segmenters.clusterings import _cluster_labels


def test_mean_shift_of_tokens_that_nearly_coincide_gives_a_cluster_each() -> None:
    random = np.random.default_rng(0)
    label = _cluster_labels("meanshift", None)
    for _ in range(30):  # for a few of these, scikit-learn finds no token within its own bandwidth
        apart = random.normal(size=(random.integers(2, 8), 16)) * 10.0 ** random.uniform(-9, -5)
        tokens = random.normal(size=(1, 16)) + apart
        tokens = (tokens / np.linalg.norm(tokens, axis=1, keepdims=True)).astype(np.float32)
        assert len(label(tokens)) == len(tokens)
