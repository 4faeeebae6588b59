"""A model whose cosines can be counted by hand: each word is an axis, a caption the sum of its words."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from textgroup.inference.result import Units
from textgroup.inference.vectors import Assignment
from textgroup.units import Grounding, Unit

WORDS = ("man", "dog", "car", "in", "on", "sees")
NOTHING = ("in", "on", "sees")
PICTURE = Image.new("RGB", (90, 60), "teal")


def _vector(words: list[str]) -> np.ndarray:
    counts = np.array([float(words.count(word)) for word in WORDS])
    return counts / max(np.linalg.norm(counts), 1e-9)


class StandIn:
    """Every word is a unit; the picture shows a man and a dog."""

    def __init__(self, sees: bool = True) -> None:
        self.model = SimpleNamespace(image_head=object() if sees else None)
        self.tokenizer: Any = SimpleNamespace(encode_batch=self._tokens)

    def _tokens(self, captions: list[str]) -> list[Any]:
        return [SimpleNamespace(left_out=max(0, len(caption.split()) - 20)) for caption in captions]

    def unfamiliar(self, captions: list[str]) -> list[bool]:
        return ["chien" in caption for caption in captions]

    def assignment(self, caption: str) -> Assignment:
        """Two groups: the first has all of a word that names something, and a quarter of the others."""
        words = caption.split()
        first = [0.25 if word in NOTHING else 1.0 for word in words]
        return Assignment(words, np.array([first, [1 - share for share in first]], np.float32))

    def segment(self, captions: list[str]) -> list[Units]:
        found = []
        for caption in captions:
            start, units = 0, []
            for word in caption.split():
                start = caption.index(word, start)
                units.append(Unit(word, start, start + len(word), 0, word not in NOTHING))
                start += len(word)
            found.append(Units(caption, units))
        return found

    def encode_image(self, picture: Image.Image) -> np.ndarray:
        return _vector(["man", "dog"])

    def encode_text(self, captions: list[str]) -> np.ndarray:
        return np.stack([_vector(caption.split()) for caption in captions]) if captions else np.zeros((0, len(WORDS)))

    def encode_units(self, captions: list[str]) -> list[np.ndarray]:
        return [self.encode_text([unit.text for unit in units]) for units in self.segment(captions)]

    def ground(self, picture: Image.Image, captions: list[str]) -> list[list[Grounding]]:
        return [[_grounding(unit) for unit in units] for units in self.segment(captions)]


def _grounding(unit: Unit) -> Grounding:
    if not unit.groundable:
        return Grounding(unit)
    if unit.text not in ("man", "dog"):
        return Grounding(unit, score=0.05)
    heat, column = np.zeros((2, 2)), int(unit.text == "dog")
    heat[0, column] = 1.0
    return Grounding(unit, heat, (column / 2 + 0.25, 0.25), (column / 2, 0.0, column / 2 + 0.5, 0.5), 0.7)
