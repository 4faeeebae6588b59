"""Captions to units, without PyTorch: what cuts them may be a model, or what was exported of one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import overload

from textgroup.inference.given import captions_given, checked_captions
from textgroup.inference.result import Phrases, Units
from textgroup.inference.segmenting import Cutter, segment
from textgroup.inference.streaming import stream_windows
from textgroup.text.tokenizer import SPECIAL, CaptionTokenizer

WINDOWS = 2
"""Windows that are processed at the same time: one in Python, another in the tokenizer or the model."""


def has_new_words(tokenizer: CaptionTokenizer, captions: Sequence[str], share: float) -> list[bool]:
    """For each caption, whether the tokenizer has more than this share of its words in pieces only."""
    pieces = (Counter(w for w in tokens.words if w != SPECIAL).values() for tokens in tokenizer.encode_batch(captions))
    return [sum(count > 1 for count in counts) > share * len(counts) for counts in pieces]


class TextSegmenter:
    """Cuts captions into units; made by `load_segmenter`. It has `segment`, `segment_stream` and `phrases` of a
    `TextGroup`, which is one that knows images too."""

    def __init__(self, cutter: Cutter, tokenizer: CaptionTokenizer) -> None:
        self._cutter, self.tokenizer = cutter, tokenizer

    @overload
    def segment(self, captions: str) -> Units: ...  # type: ignore[overload-overlap]  # a str is one caption
    @overload
    def segment(self, captions: Iterable[str]) -> list[Units]: ...
    def segment(self, captions: str | Iterable[str]) -> Units | list[Units]:
        """The units of a caption, or of each of several, in reading order.

        Neighbouring words of the same group are one unit; offsets refer to the caption as given. Every character that
        is not white space is in exactly one unit, however long the caption; an empty caption has none. No unit crosses
        the end of a sentence. Raises `InputError` for what is no text.
        """
        given = captions_given(captions, "segment")
        units: Units | list[Units] = given.answer(list(self._stream(given)))
        return units

    @overload
    def phrases(self, captions: str) -> Phrases: ...  # type: ignore[overload-overlap]
    @overload
    def phrases(self, captions: Iterable[str]) -> list[Phrases]: ...
    def phrases(self, captions: str | Iterable[str]) -> Phrases | list[Phrases]:
        """The units that name something, of a caption or of each of several: what a detector is asked for."""
        given = captions_given(captions, "phrases")
        phrases: Phrases | list[Phrases] = given.answer([units.phrases for units in self._stream(given)])
        return phrases

    def segment_stream(self, captions: str | Iterable[str]) -> Iterator[Units]:
        """`segment` for an endless stream, in order and in constant memory: yields the units of each caption.

        At most `WINDOWS` + 1 windows of captions are read ahead. The model runs in threads of its own: settings of the
        caller's thread, such as `torch.autocast`, do not reach it.
        """
        return self._stream(checked_captions(captions, "segment_stream"))

    def unfamiliar(self, captions: Iterable[str], share: float = 0.5) -> list[bool]:
        """For each caption, whether more than this share of its words is new to the model: it has them in pieces only,
        as those of another language. Where most words are new, little is to be expected of the units."""
        return has_new_words(self.tokenizer, captions_given(captions, "unfamiliar"), share)

    def segment_window(self, captions: Sequence[str]) -> list[Units]:
        """`segment` for one window of captions, in the caller's thread."""
        return [
            Units(caption, units) for caption, units in zip(captions, segment(self._cutter, self.tokenizer, captions))
        ]

    def _stream(self, captions: Iterable[str]) -> Iterator[Units]:
        return stream_windows(ThreadPoolExecutor(WINDOWS, "segment"), WINDOWS, self.segment_window, captions)
