"""Opening what cuts captions and points at pictures, with PyTorch only where it is needed."""

from pathlib import Path
from typing import TYPE_CHECKING

from textgroup.files import local_or_hub
from textgroup.inference.onnx.cutter import SEGMENTER, OnnxCutter
from textgroup.inference.segmenter import TextSegmenter
from textgroup.model.packaged import PACKAGED
from textgroup.text.tokenizer import CaptionTokenizer

if TYPE_CHECKING:
    from textgroup.inference.grounder import Grounder


def load_segmenter(path: str | Path | None = None, *, device: str = "cpu") -> TextSegmenter:
    """Open what cuts captions into units, and no more: the same units as with `load`, and ready sooner.

    A directory that `textgroup export --onnx` wrote needs no PyTorch, nor does the packaged model; any other checkpoint
    that `load` takes is opened by it. device: other than "cpu" also needs PyTorch. Raises `InputError` as `load` does.
    """
    directory = PACKAGED if path is None else Path(local_or_hub(str(path)))
    if device == "cpu" and (file := directory / SEGMENTER).is_file():
        tokenizer = CaptionTokenizer.from_pretrained(directory)
        return TextSegmenter(OnnxCutter(file, len(tokenizer)), tokenizer)
    from textgroup.inference.textgroup import load

    return load(path, device=device)


def load_grounder(path: str | Path | None = None, *, device: str = "cpu", encoder: str | None = None) -> "Grounder":
    """Open what grounds captions in photographs, and no more: the same answers as with `load`, and ready sooner.

    A directory that `textgroup export --onnx` wrote needs no PyTorch, nor does the packaged model; any other checkpoint
    that `load` takes is opened by it, as is one for a device other than "cpu" or with an `encoder` of another name.
    Raises `InputError` as `load` does.
    """
    from textgroup.inference.onnx.grounder import OnnxGrounder  # which needs Pillow

    directory = PACKAGED if path is None else Path(local_or_hub(str(path)))
    if device == "cpu" and encoder is None and OnnxGrounder.fits(directory):
        return OnnxGrounder(directory)
    from textgroup.inference.textgroup import load

    return load(path, device=device, encoder=encoder)
