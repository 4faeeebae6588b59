"""What a source ends with: how much of it was used, and what was left out, by reason, with examples."""

import json
from collections import Counter
from dataclasses import dataclass, field
from threading import RLock
from typing import IO

from textgroup.errors import InputError

EXAMPLES = 3
"""Places that are remembered of each reason."""
BLANK = "a blank caption"
NO_TEXT = "a caption that is no text"
OTHER = "a file that is neither an image nor a caption"
OTHER_SPLIT = "of another split (name the one to read behind the source: SOURCE#SPLIT)"
MEANT = (OTHER, OTHER_SPLIT)
"""Reasons with which nothing is wrong."""


@dataclass
class Count:
    """The images and captions that a source gave: given = used + skipped, exactly.

    A row or member that cannot be read at all counts as one thing. Give one to `read_samples`, and it is filled while
    the samples are drawn; what happens to them later, such as an image that cannot be decoded, may be added to it.

    samples, images, captions: what was used. skipped: how many were left out, by reason. examples: places of the first
    of each reason. strict: the first that would be left out is an `InputError` instead, unless its reason is one of
    `MEANT`. log: an open text file that gets a JSON line, {"where": ..., "why": ...}, for each.
    """

    strict: bool = False
    log: IO[str] | None = None
    samples: int = 0
    images: int = 0
    captions: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock, repr=False, compare=False)  # one thread reads, another decodes

    @property
    def used(self) -> int:
        """Images and captions that became samples."""
        return self.images + self.captions

    @property
    def given(self) -> int:
        """All things that the source holds."""
        return self.used + self.skipped.total()

    def use(self, captions: int, image: bool) -> None:
        """Count a sample."""
        with self._lock:
            self.samples += 1
            self.captions += captions
            self.images += image

    def skip(self, where: str, why: str, detail: str = "") -> None:
        """Count one thing that is left out. where: file and line or member. why: one of few reasons. detail: of this
        one. Raises `InputError` if the count is strict."""
        told = f"{where} ({detail})" if detail else where
        if self.strict and why not in MEANT:
            raise InputError(f"{told}: {why}")
        with self._lock:
            self.skipped[why] += 1
            if len(examples := self.examples.setdefault(why, [])) < EXAMPLES:
                examples.append(told if len(told) <= 200 else f"…{told[-200:]}")
            if self.log is not None:
                self.log.write(json.dumps({"where": where, "why": f"{why} ({detail})" if detail else why}) + "\n")

    def lose_image(self, where: str, why: str, detail: str = "") -> None:
        """Count an image that was a sample's and turned out to be of no use."""
        with self._lock:
            self.images -= 1
        self.skip(where, why, detail)

    def reasons(self) -> list[str]:
        """A line for each reason, the most frequent first: how often, and examples."""
        return [
            f"{times:,} x {why}, such as {', '.join(self.examples[why])}" for why, times in self.skipped.most_common()
        ]

    def __str__(self) -> str:
        """One line: what was used, and what was left out."""
        return f"{self.used_in_words()}{': ' if self.skipped else ''}{'; '.join(self.reasons())}"

    def used_in_words(self) -> str:
        """How much was used, and how many things were not."""
        used = f"{self.samples:,} samples with {self.images:,} images and {self.captions:,} captions"
        return (
            f"{used}; {self.skipped.total():,} of {self.given:,} skipped" if self.skipped else f"{used}, none skipped"
        )
