"""The request for a segmenter: its name on the command line and the options that go with it."""

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from textgroup.errors import InputError
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.units import Segmenter


class Request(NamedTuple):
    """spec: as it was typed, "NAME" or "NAME:VALUE". value: what stands after the colon.

    tokenizer: of the evaluation tokens; None: words. fit_on: captions to count on. features_from: checkpoint whose
    tokens are clustered. caption_column: of `fit_on`, where that is a table.
    """

    spec: str
    value: str
    tokenizer: CaptionTokenizer | None = None
    fit_on: str | None = None
    features_from: str | None = None
    caption_column: str = "caption"

    def whole_number(self) -> int:
        """The value as a whole number from 1. Raises `InputError`."""
        if not re.fullmatch("[1-9][0-9]{0,5}", self.value):
            raise InputError(f"segmenter {self.spec[:40]}: after the colon give a whole number from 1 to 999999")
        return int(self.value)

    def threshold(self) -> float:
        """The value as a finite number. Raises `InputError`."""
        try:
            number = float(self.value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(f"segmenter {self.spec}: after the colon give a threshold in nats, such as 3.6")
        return number

    def needed_fit_on(self) -> str:
        """`--fit-on`. Raises `InputError` where it is not given."""
        return self._needed("--fit-on", self.fit_on)

    def needed_features_from(self) -> str:
        """`--features-from`. Raises `InputError` where it is not given."""
        return self._needed("--features-from", self.features_from)

    def _needed(self, option: str, value: str | None) -> str:
        if value is None:
            raise InputError(f"segmenter {self.spec} needs {option}")
        return value


Opener = Callable[[Request], Segmenter]
"""Opens a segmenter. Raises `InputError` for what cannot be opened."""
