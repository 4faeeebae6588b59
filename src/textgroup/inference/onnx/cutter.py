"""The segmenter's ONNX file as the `Cutter` of `segmenting.py`: no PyTorch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textgroup.errors import InputError
from textgroup.inference.onnx.session import open_session, run
from textgroup.text.padding import pad_ids

SEGMENTER = "segmenter.onnx"
"""Inputs ids (B, M) and mask (B, M); outputs owner (B, M) and, if the model makes that mark, groundable (B, M). What it
says of itself: "vocabulary", the number of token ids, and "reach" (`Cutter.reach`), where that is a number."""


class OnnxCutter:
    """A `Cutter` on onnxruntime, on one core. file: a `SEGMENTER`. vocabulary: token ids of the tokenizer beside it.

    Raises `InputError` for a file that is none.
    """

    def __init__(self, file: Path, vocabulary: int) -> None:
        self._file, self._vocabulary = file, vocabulary
        self._session = open_session(file)
        facts = self._session.get_modelmeta().custom_metadata_map
        outputs = [output.name for output in self._session.get_outputs()]
        known = outputs in (["owner"], ["owner", "groundable"])
        if not known or not f"{facts.get('vocabulary')}{facts.get('reach', '')}".isdecimal():
            raise InputError(f"{file}: not a segmenter that `textgroup export --onnx` wrote")
        if int(facts["vocabulary"]) != vocabulary:
            raise InputError(f"{file}: it has {facts['vocabulary']} token ids, the tokenizer beside it {vocabulary}")
        self.reach = int(facts["reach"]) if "reach" in facts else None

    def owners(self, ids: Sequence[list[int]]) -> tuple[list[list[int]], list[list[bool]] | None]:
        """See `Cutter.owners`."""
        padded, mask = pad_ids(ids)
        owner, *groundable = run(self._session, self._file, {"ids": padded, "mask": mask})
        if any(values.shape != padded.shape for values in (owner, *groundable)):
            raise InputError(f"{self._file}: not a segmenter: it gives {owner.shape} for ids {padded.shape}")
        return owner.tolist(), groundable[0].tolist() if groundable else None

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes, which open the file anew."""
        return OnnxCutter, (self._file, self._vocabulary)
