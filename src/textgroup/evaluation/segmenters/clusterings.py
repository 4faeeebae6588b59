"""The clusterings of Table 3: the encoded tokens of the paper's baseline, each caption clustered by itself.

The paper says only which algorithms; here the features have unit length and the rest is scikit-learn's default.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch

from textgroup.data.batches import pad
from textgroup.errors import InputError
from textgroup.evaluation.phrases.tokens import BATCH
from textgroup.evaluation.segmenters.request import Request
from textgroup.model.pretrained import load_model
from textgroup.units import Segmenter, Unit, merge_tokens


def open_kmeans(request: Request) -> Segmenter:
    """`kmeans:K`."""
    return clustering("kmeans", request.whole_number(), request.needed_features_from())


def open_spectral(request: Request) -> Segmenter:
    """`spectral:K`."""
    return clustering("spectral", request.whole_number(), request.needed_features_from())


def open_meanshift(request: Request) -> Segmenter:
    """`meanshift`, which finds by itself how many clusters there are."""
    return clustering("meanshift", None, request.needed_features_from())


def clustering(name: Literal["kmeans", "spectral", "meanshift"], clusters: int | None, checkpoint: str) -> Segmenter:
    """Units by clustering the tokens of a baseline checkpoint. clusters: how many; None for `meanshift`."""
    label = _cluster_labels(name, clusters)
    model, tokenizer = load_model(checkpoint)
    nothing = pad([[tokenizer.start, tokenizer.end]])
    try:
        model.encoder.encode_tokens(*nothing)
    except InputError:
        raise InputError(
            f"--features-from {checkpoint}: not a baseline checkpoint (train one with --config baseline)"
        ) from None

    @torch.inference_mode()
    def segment(captions: Sequence[str]) -> list[list[Unit]]:
        """Tokens of a caption in one cluster, and side by side, are a unit."""
        segmented = []
        for a in range(0, len(captions), BATCH):
            tokens = tokenizer.encode_batch(captions[a : a + BATCH])
            chunk = pad([t.ids for t in tokens])
            encoded = model.encoder.encode_tokens(chunk.ids, chunk.mask)  # (B, M, D)
            for caption, t, states in zip(captions[a : a + BATCH], tokens, encoded):
                inner = slice(1, len(t.ids) - 1)
                features = torch.nn.functional.normalize(states[inner], dim=-1).numpy()
                segmented.append(merge_tokens(caption, t.spans[inner], label(features)))
        return segmented

    return segment


def _cluster_labels(name: str, clusters: int | None) -> Callable[[np.ndarray], list[int]]:
    """Features (tokens, D) -> the cluster of each token."""
    try:
        from sklearn.cluster import KMeans, MeanShift, SpectralClustering, estimate_bandwidth
    except ImportError:
        raise InputError(f"segmenter {name} needs scikit-learn: pip install 'textgroup[clusterings]'") from None

    def label(features: np.ndarray) -> list[int]:
        """A cluster for each of a caption's tokens; with no more tokens than clusters, one each."""
        count = len(features)
        if count <= (clusters or 1):
            return list(range(count))
        if name == "kmeans":
            method = KMeans(clusters, n_init=10, random_state=0)
        elif name == "spectral":
            method = SpectralClustering(clusters, random_state=0)
        else:
            bandwidth = estimate_bandwidth(features)
            if bandwidth == 0:  # so few tokens that the nearest neighbour of each is itself
                return list(range(count))
            method = MeanShift(bandwidth=bandwidth)
        with warnings.catch_warnings():  # of tokens that coincide, of graphs in parts: a caption has few tokens
            warnings.simplefilter("ignore")
            try:
                return method.fit_predict(features).tolist()
            except ValueError:
                if name != "meanshift":
                    raise
                return list(range(count))  # rounding: no token lies within the bandwidth of any, itself included

    return label
