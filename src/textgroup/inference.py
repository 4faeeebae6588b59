"""A trained checkpoint in use: captions to units, captions and images to vectors that can be compared."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np
import torch

from textgroup.data.captions import Chunk, pad
from textgroup.errors import InputError
from textgroup.model.encoder import Owners, TextGroups
from textgroup.model.interaction import NULL
from textgroup.model.pretrained import load_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.tokenizer import CaptionTokenizer, Tokens
from textgroup.units import Reference, Unit, runs
from textgroup.vision.features import check_same_encoder
from textgroup.vision.objects import ObjectEncoder, open_encoder

Image = str | Path | bytes
"""A photograph: its path, or its encoded bytes."""
WINDOW = 1024
"""Captions sorted by length together, so that a stream pays for little padding in constant memory."""
WINDOWS = 2
"""Windows worked on side by side: one is in Python while another is in the tokenizer or in the model."""
TOKENS = 2048
"""Tokens encoded at once, padding included: memory does not depend on how long the longest caption of a stream is."""


class TextGroup:
    """A checkpoint ready for use; made by `load`.

    encoder: opens the image encoder under this name instead of the one that the checkpoint names (its
    weights must be the same).
    """

    def __init__(self, model: TextGroupModel, tokenizer: CaptionTokenizer, encoder: str | None = None) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self._encoder_name = encoder
        self._encoder: ObjectEncoder | None = None
        self._opening = Lock()  # images may be prepared in several threads

    def segment(self, captions: Sequence[str]) -> list[list[Unit]]:
        """The units of each caption, in reading order.

        Neighbouring tokens of the same group are one unit; offsets refer to the caption as given. Characters
        that no token stands for (white space, what lies beyond `max_tokens`) are in no unit. Raises
        `InputError` for a single string and for an empty caption.
        """
        _check(captions, "segment")
        return list(self.segment_stream(captions))

    def segment_stream(self, captions: Iterable[str]) -> Iterator[list[Unit]]:
        """`segment` for an endless stream, in order and in constant memory; an empty caption has no units.

        Captions are read `WINDOWS` + 1 windows ahead at most, and the model runs in threads of its own: what is set for
        the caller's alone, as by `torch.autocast`, does not reach it.
        """
        stream = iter(captions)
        ahead: deque[Future[list[list[Unit]]]] = deque()
        pool = ThreadPoolExecutor(WINDOWS, "segment")
        try:
            while window := list(islice(stream, WINDOW)):
                ahead.append(pool.submit(self._window, window))
                if len(ahead) > WINDOWS:
                    yield from ahead.popleft().result()
            for rest in ahead:
                yield from rest.result()
        finally:
            pool.shutdown(cancel_futures=True)

    @torch.inference_mode()
    def _window(self, captions: list[str]) -> list[list[Unit]]:
        tokens = self.tokenizer.encode_batch(captions)
        found: list[list[Unit]] = [[] for _ in captions]
        for rows in batches([len(t.ids) for t in tokens]):
            owners = self.model.owners(*self._chunk([tokens[i] for i in rows]))
            for i, segmented in zip(rows, _units(captions, tokens, rows, owners)):
                found[i] = segmented
        return found

    @torch.inference_mode()
    def encode_text(self, captions: Sequence[str]) -> np.ndarray:
        """Captions -> unit vectors (captions, E), fp32. Needs a model trained with images."""
        self._need_image_side("encode_text")
        tokens = self.tokenizer.encode_batch(list(captions))
        vectors = np.empty((len(tokens), self.model.embedding), dtype=np.float32)
        for rows in batches([len(t.ids) for t in tokens]):
            vectors[rows] = self.model.embed_text(self._encode([tokens[i] for i in rows])).float().cpu().numpy()
        return vectors

    def encode_image(self, images: Sequence[Image]) -> np.ndarray:
        """Photographs -> unit vectors (images, E), fp32, by the image encoder that the model was trained with."""
        return self.encode_pixels(np.stack([self.prepare(image) for image in images]))

    def prepare(self, image: Image) -> np.ndarray:
        """A photograph -> the pixels (3, H, W) that the image encoder takes. Raises `BrokenImage`."""
        return self._open_encoder().transform(image)

    @torch.inference_mode()
    def encode_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Prepared photographs (images, 3, H, W) -> unit vectors (images, E), fp32."""
        pooled = self._open_encoder().encode(torch.from_numpy(pixels)).pooled
        place = next(self.model.parameters()).device
        return self.model.embed_image(pooled.float().to(place)).cpu().numpy()

    def similarity(self, images: Sequence[Image], captions: Sequence[str]) -> np.ndarray:
        """Cosine of the pooled embeddings (images, captions), in -1..1."""
        return self.encode_image(images) @ self.encode_text(captions).T

    def align(self, captions: Sequence[str], images: Sequence[Image]) -> list[list[Reference]]:
        """The units of each caption, each with the object of the caption's image that it refers to, or None.

        captions and images are pairs; objects are numbered as the image encoder gives them (`objects.ObjectEncoder`).
        With what training it is right how often: docs/alignment.md. Raises `InputError`, as `segment` does and for a
        caption without an image.
        """
        self._need_image_side("align")
        _check(captions, "align")
        if len(captions) != len(images):
            raise InputError(
                f"align: {len(captions)} captions and {len(images)} images: give an image for each caption"
            )
        if not captions:
            return []
        seen = {image: self._objects(image) for image in dict.fromkeys(images)}  # each once
        return self.align_objects(captions, torch.cat([seen[image] for image in images]))

    @torch.inference_mode()
    def _objects(self, image: Image) -> torch.Tensor:
        groups = self._open_encoder().encode(torch.from_numpy(self.prepare(image)[None]), groups=True).groups
        assert groups is not None, "they were asked for"
        return groups

    @torch.inference_mode()
    def align_objects(self, captions: Sequence[str], groups: torch.Tensor) -> list[list[Reference]]:
        """`align` with images that are encoded already: groups (captions, G, D_image), zeros after an image's last."""
        self._need_image_side("align")
        place = next(self.model.parameters()).device
        objects = self.model.embed_objects(groups.float().to(place))  # (captions, G, E)
        number = (groups != 0).any(dim=2).sum(dim=1).tolist()
        tokens = self.tokenizer.encode_batch(list(captions))
        found: list[list[Reference]] = [[] for _ in captions]
        for rows in batches([len(t.ids) for t in tokens]):
            text = self._encode([tokens[i] for i in rows])
            cosines = (self.model.embed_units(text) @ objects[rows].transpose(1, 2)).tolist()  # (B, K, G)
            for i, segmented, of_group in zip(rows, _units(captions, tokens, rows, text), cosines):
                found[i] = [reference(unit, of_group[unit.group][: number[i]]) for unit in segmented]
        return found

    def _encode(self, tokens: Sequence[Tokens]) -> TextGroups:
        return self.model.encode(*self._chunk(tokens))

    def _chunk(self, tokens: Sequence[Tokens]) -> Chunk:
        place = next(self.model.parameters()).device
        return Chunk(*(x.to(place) for x in pad([t.ids for t in tokens])))

    def _need_image_side(self, what: str) -> None:
        if self.model.image_head is None:
            raise InputError(f"{what}: this checkpoint was trained on captions alone and has no image head")

    def _open_encoder(self) -> ObjectEncoder:
        self._need_image_side("encode_image")
        with self._opening:
            if self._encoder is None:
                identity = self.model.image_encoder
                if identity is None:
                    raise InputError("this checkpoint does not say which image encoder it was trained with")
                encoder = open_encoder(
                    self._encoder_name or identity["encoder"], resize=identity["transform"]["resize"]
                )
                check_same_encoder(identity, encoder.identity(), "the checkpoint", encoder.name)
                self._encoder = encoder
        return self._encoder


def _check(captions: Sequence[str], what: str) -> None:
    if isinstance(captions, str):
        raise InputError(f"{what} takes a list of captions: put the caption in [ ]")
    for caption in captions:
        if not caption.strip():
            raise InputError("a caption is empty: give it at least one word")


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of captions of these lengths, shortest first, in batches of at most `TOKENS` tokens with padding."""
    rows: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if rows and (len(rows) + 1) * lengths[i] > TOKENS:
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows


def _units(
    captions: Sequence[str], tokens: Sequence[Tokens], rows: Sequence[int], text: Owners | TextGroups
) -> Iterator[list[Unit]]:
    """The units of the captions `rows`, whose tokens `text` gives to groups."""
    named = [None] * len(rows) if text.views is None else text.views.groundable().tolist()  # (B, M)
    for i, groups, names in zip(rows, text.owner.tolist(), named):
        yield units(captions[i], tokens[i].spans, groups, names)


def reference(unit: Unit, cosines: list[float]) -> Reference:
    """The object of the largest cosine, or None where that is no larger than the null object's, or there is none."""
    best = max(range(len(cosines)), key=cosines.__getitem__, default=None)
    return Reference(unit, None if best is None or cosines[best] <= NULL else best, cosines)


def units(
    caption: str, spans: Sequence[tuple[int, int]], groups: Sequence[int], names: Sequence[bool] | None = None
) -> list[Unit]:
    """Runs of tokens of one group as spans of the caption; start and end of text are left out.

    spans: characters (start, end) of each token. groups: the group of each token, start and end included; what lies
    beyond the tokens is ignored. names: for each token, whether a unit that ends with it is groundable; None leaves
    that open.
    """
    inner = slice(1, len(spans) - 1)
    return runs(caption, spans[inner], groups[inner], None if names is None else names[inner])


def load(path: str | Path | None = None, *, device: str = "cpu", encoder: str | None = None) -> TextGroup:
    """Open a checkpoint directory, a run directory (its newest checkpoint), a Hub name, or the packaged checkpoint.

    Without a path it is the one that comes with the package: units of English captions, no images.
    device: where the text side runs. encoder: see `TextGroup`. Raises `InputError` when it is no checkpoint.
    """
    model, tokenizer = load_model(path)
    return TextGroup(model.to(device), tokenizer, encoder)
