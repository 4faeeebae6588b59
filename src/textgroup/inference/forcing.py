"""Vectors of spans of a caption, as if each were a unit: its tokens are forced into a group of their own.

NumPy alone: the text encoder may run in PyTorch (`vectors.py`) or in onnxruntime (`onnx/grounder.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from textgroup.text.tokenizer import CaptionTokenizer

Span = tuple[int, int]
"""Characters (start, end)."""
Embed = Callable[[list[int], np.ndarray], np.ndarray]
"""Token ids of a caption (M,) and which tokens each group has, (K, M), 0 or 1 -> vectors (K, E), unit length."""


@dataclass(frozen=True)
class SpanEncoder:
    """A text encoder for spans. most: K, the groups that it takes at once. width: E."""

    embed: Embed
    most: int
    width: int
    tokenizer: CaptionTokenizer

    def __call__(self, caption: str, groups: Sequence[Sequence[Span]]) -> np.ndarray:
        """The vector of each group, whose tokens are those of its spans: (groups, E), fp32, unit length; zeros for a
        group without tokens.

        Of a group that lies beyond what the encoder reads of a caption, the first span is encoded by itself.
        """
        (tokens,) = self.tokenizer.encode_batch([caption])
        found = np.zeros((len(groups), self.width), np.float32)
        starts, ends = np.array(tokens.spans).T  # (M,) each
        for a in range(0, len(groups), self.most):
            some = groups[a : a + self.most]
            forced = np.zeros((self.most, len(tokens.ids)), np.float32)
            for k, spans in enumerate(some):
                for start, end in spans:
                    forced[k, (starts < end) & (start < ends)] = 1
            found[a : a + len(some)] = self.embed(tokens.ids, forced)[: len(some)]
        seen = tokens.spans[-2][1]
        for k, spans in enumerate(groups):
            if spans and spans[0][0] >= seen > 0:
                start, end = spans[0]
                (found[k],) = self(caption[start:end], [[(0, end - start)]])
        return found
