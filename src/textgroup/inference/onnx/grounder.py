"""`ground` on ONNX files: no PyTorch."""

import json
import math
from pathlib import Path

import numpy as np

from textgroup.errors import InputError
from textgroup.inference.forcing import SpanEncoder
from textgroup.inference.given_images import Image
from textgroup.inference.grounder import Grounder
from textgroup.inference.onnx.cutter import SEGMENTER, OnnxCutter
from textgroup.inference.onnx.session import open_session, run
from textgroup.inference.scene import Scene
from textgroup.text.padding import pad_ids
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.vision.decode import decode
from textgroup.vision.preprocess import Transform

SPANS = "spans.onnx"
"""Inputs ids (B, M), mask (B, M) and forced (B, K, M); output groups (B, K, E). What it says of itself: "vocabulary",
"groups", K, and "width", E."""
IMAGE = "image.onnx"
"""Input pixels (B, 3, H, W); outputs image (B, E) and objects (B, G, E). What it says of itself: "transform", how an
image is prepared, "patches", h and w, where objects are the cells of a grid, and "sizes", pixels of a side at which
`ground` looks at a photograph, where it does so at several."""
MOST = 4096
"""Largest number of groups, of numbers of a vector, of rows and columns of patches, and of pixels of a side."""
MOST_LOOKS = 8
"""Most sizes at which a photograph is looked at."""


class OnnxGrounder(Grounder):
    """The files of a directory that `textgroup export --onnx` wrote, on onnxruntime, on one core.

    Raises `InputError` for a file that is none of its own, and for objects that are no patches: where those are, only
    their encoder knows.
    """

    def __init__(self, directory: Path) -> None:
        tokenizer = CaptionTokenizer.from_pretrained(directory)
        super().__init__(OnnxCutter(directory / SEGMENTER, len(tokenizer)), tokenizer)
        self._directory = directory
        self._image, self._spans = open_session(directory / IMAGE), open_session(directory / SPANS)
        image, spans = (session.get_modelmeta().custom_metadata_map for session in (self._image, self._spans))
        if "patches" not in image:
            raise InputError(f"{directory / IMAGE}: it does not say where its objects are: open the checkpoint itself")
        try:
            self._transform = Transform.from_dict(json.loads(image["transform"]))
            self._h, self._w = map(int, image["patches"].split())
            self._sizes = tuple(map(int, image.get("sizes", str(self._transform.crop)).split()))
            vocabulary, groups, width = (int(spans[name]) for name in ("vocabulary", "groups", "width"))
            if not all(1 <= number <= MOST for number in (self._h, self._w, groups, width, *self._sizes)):
                raise ValueError(f"a number that is not in 1 to {MOST}")
            if len(self._sizes) > MOST_LOOKS:
                raise ValueError(f"{len(self._sizes)} sizes of a photograph, more than {MOST_LOOKS}")
        except (KeyError, ValueError, TypeError, RecursionError, InputError) as error:
            raise InputError(f"{directory}: not what `textgroup export --onnx` wrote: {error}") from None
        if vocabulary != len(tokenizer):
            raise InputError(f"{directory / SPANS}: it has {vocabulary} token ids, the tokenizer {len(tokenizer)}")
        self._encode_spans = SpanEncoder(self._embed, groups, width, tokenizer)

    @staticmethod
    def fits(directory: Path) -> bool:
        """Whether the files are there."""
        return all((directory / name).is_file() for name in (SEGMENTER, SPANS, IMAGE, "tokenizer.json"))

    @property
    def _span_encoder(self) -> SpanEncoder:
        return self._encode_spans

    def _embed(self, ids: list[int], forced: np.ndarray) -> np.ndarray:
        padded, mask = pad_ids([ids])
        inputs = {"ids": padded, "mask": mask, "forced": forced[None]}
        (groups,) = run(self._spans, self._directory / SPANS, inputs)
        wanted = (1, len(forced), self._encode_spans.width)
        if groups.shape != wanted:
            raise InputError(f"{self._directory / SPANS}: it gives {groups.shape}, and says {wanted}")
        vectors: np.ndarray = groups[0]
        return vectors

    def __reduce__(self) -> tuple[type["OnnxGrounder"], tuple[Path]]:
        """For other processes, which open the files anew."""
        return OnnxGrounder, (self._directory,)

    def _look_at(self, image: Image, call: str) -> Scene:
        picture = decode(image)
        looks: list[np.ndarray] = []
        count, width = self._h * self._w, self._encode_spans.width
        for size in self._sizes:
            pixels = self._transform.whole(size)(picture)[None]
            _, objects = run(self._image, self._directory / IMAGE, {"pixels": pixels})
            side = math.isqrt(max(1, objects.shape[1])) if objects.ndim == 3 else 1
            wanted = f"{side} x {side}" if looks else f"{self._h} x {self._w}"
            if objects.shape != (1, side * side if looks else count, width):
                raise InputError(
                    f"{call}: {self._directory / IMAGE} gives {objects.shape} for {size} pixels a side, and not "
                    f"{wanted} objects with the {width} numbers of {SPANS}: export both again"
                )
            looks.append(objects[0])
        return Scene.of(looks, np.eye(count, dtype=np.float32).reshape(count, self._h, self._w))
