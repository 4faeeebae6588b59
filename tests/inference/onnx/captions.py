"""Captions of generated scenes, and those of benchmarks/mixed, for comparing ONNX with PyTorch."""

import re
from itertools import islice
from pathlib import Path

from textgroup.data.scenes.scene import scenes

ROOT = Path(__file__).parents[3]
STRANGE = ["", " ", "a", "!", "caf\u00e9 \U0001f600 a dog", "\u4e00\u53ea\u72d7", "a dog. " * 300, "tea &amp; a cup"]


def captions() -> list[str]:
    """300 of scenes, 174 that a person might write, and strange ones."""
    bracketed = [file.read_text().strip() for file in sorted((ROOT / "benchmarks/mixed/Sentences").glob("*.txt"))]
    mixed = [re.sub(r"\[/EN#\S+ ([^\]]*)\]", r"\1", text) for text in bracketed]
    return [*(scene.caption for scene in islice(scenes(0), 300)), *mixed, *STRANGE]
