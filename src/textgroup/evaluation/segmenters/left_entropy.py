"""Units by left branching entropy (Harris, 1955): a unit begins at a word that many different words precede.

No model, no label, one threshold: the baseline for everything that is learned. The statistic is a function of the word
type.
"""

from collections.abc import Iterable

import numpy as np

from textgroup.data.captions import CaptionData
from textgroup.data.sources.samples import read_samples
from textgroup.data.statistics.entropy import left_entropy
from textgroup.errors import InputError
from textgroup.evaluation.phrases.tokens import word_spans
from textgroup.evaluation.segmenters.request import Request
from textgroup.units import Segmenter, Unit


def captions_to_count(source: str, caption_column: str = "caption") -> list[str]:
    """Training captions of any source (`data.sources.samples`): of Flickr30k Entities, the train split."""
    return [
        caption
        for sample in read_samples(source, images=False, caption_column=caption_column)
        for caption in sample.captions
    ]


def word_entropy(captions: Iterable[str]) -> dict[str, float]:
    """Left entropy, in nats, of each lower-case word; the first word of a caption follows nothing."""
    number: dict[str, int] = {}
    rows = [
        [number.setdefault(word, len(number)) for word in words] for caption in captions if (words := _words(caption))
    ]
    if not rows:
        raise InputError("--fit-on: there are no captions to count")
    ids = np.concatenate([np.asarray(row, dtype=np.int32) for row in rows])
    data = CaptionData(ids, np.cumsum([0, *map(len, rows)]), np.arange(len(rows) + 1))
    entropy, _ = left_entropy(data, len(number))
    return dict(zip(number, entropy.tolist()))


def open_left_entropy(request: Request) -> Segmenter:
    """`left-entropy:THRESHOLD`: cut before each word whose left entropy in the captions of `--fit-on` is above it."""
    threshold = request.threshold()
    return cut_above(threshold, word_entropy(captions_to_count(request.needed_fit_on(), request.caption_column)))


def cut_above(threshold: float, entropy: dict[str, float]) -> Segmenter:
    """A segmenter that cuts before each word whose entropy, in nats, is above the threshold."""

    def units(caption: str) -> list[Unit]:
        cut: list[Unit] = []
        for start, end in word_spans([caption])[0]:
            begins = entropy.get(caption[start:end].lower(), 0) > threshold
            first = start if begins or not cut else cut.pop().start
            cut.append(Unit(caption[first:end], first, end, len(cut)))
        return cut

    return lambda captions: [units(caption) for caption in captions]


def _words(caption: str) -> list[str]:
    return [caption[a:b].lower() for a, b in word_spans([caption])[0]]
