"""Captions to units, and units to places in a photograph, whatever computes the vectors."""

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np

from textgroup.inference.forcing import SpanEncoder
from textgroup.inference.given import captions_given, spans_given
from textgroup.inference.given_images import Image, one_image
from textgroup.inference.scene import Scene, grounded
from textgroup.inference.segmenter import TextSegmenter
from textgroup.units import Grounding


class Grounder(TextSegmenter):
    """A `TextSegmenter` that also points at what units name; made by `load_grounder`. It has `ground`, `look_at` and
    `heat_maps` of a `TextGroup`, which is one."""

    @overload
    def ground(self, image: Image, caption: str) -> list[Grounding]: ...  # type: ignore[overload-overlap]
    @overload
    def ground(self, image: Image, caption: Iterable[str]) -> list[list[Grounding]]: ...
    def ground(self, image: Image, caption: str | Iterable[str]) -> list[Grounding] | list[list[Grounding]]:
        """What each unit of a caption, or of each of several, means in a photograph: a heat map, a point, a box.

        The whole photograph is looked at, whatever its aspect ratio. A unit that names nothing (`Unit.groundable`), and
        one that nothing in the photograph answers, gets no heat map. Needs a model trained with images. Raises
        `InputError`, and `BrokenImage` for an image that cannot be decoded.
        """
        given = captions_given(caption, "ground")
        scene = self._look_at(one_image(image, "ground"), "ground")
        answers = []
        for text in given:
            units = self.segment(text)
            named = [unit for unit in units if unit.groundable is not False]
            heats = iter(self.heat_maps(scene, text, [(unit.start, unit.end) for unit in named]))
            answers.append([Grounding(u) if u.groundable is False else grounded(u, next(heats)) for u in units])
        groundings: list[Grounding] | list[list[Grounding]] = given.answer(answers)
        return groundings

    def look_at(self, image: Image) -> Scene:
        """A whole photograph as the model sees it, for `heat_maps`. Raises `BrokenImage`."""
        return self._look_at(one_image(image, "look_at"), "look_at")

    def heat_maps(self, scene: Scene, caption: str, spans: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        """The heat map (h, w) of each span of characters (start, end) of the caption, as if it were a unit.

        In each cell a cosine, less what the cell's distance from the middle costs (docs/grounding.md). Raises
        `InputError` for a span that is not in the caption.
        """
        found = spans_given(spans, caption, "heat_maps")
        return [scene.heat(vector) for vector in self._span_encoder(caption, [[span] for span in found])]

    def _look_at(self, image: Image, call: str) -> Scene:
        """The scene of a photograph, written by a subclass. call: who asks, for messages."""
        raise NotImplementedError

    @property
    def _span_encoder(self) -> SpanEncoder:
        """The text encoder, written by a subclass."""
        raise NotImplementedError
