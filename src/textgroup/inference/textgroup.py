"""A trained checkpoint in use: captions to units, captions and images to vectors that can be compared."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock
from typing import overload

import numpy as np
import torch

from textgroup.devices import pick_device
from textgroup.errors import InputError
from textgroup.inference.aligning import align_units, centres
from textgroup.inference.cutter import ModelCutter
from textgroup.inference.forcing import SpanEncoder
from textgroup.inference.given import Given, captions_given
from textgroup.inference.given_images import Image, identity, images_given, numbered, one_image
from textgroup.inference.grounder import Grounder
from textgroup.inference.looking import look_at
from textgroup.inference.scene import Scene
from textgroup.inference.spans import length_batches
from textgroup.inference.vectors import Assignment, assignment, encode, span_encoder, unit_vectors, warn_of_long
from textgroup.model.pretrained import load_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.units import Reference
from textgroup.vision.decode import decode
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.objects import ObjectEncoder
from textgroup.vision.encoders.open import open_again

IMAGES = 8
"""Photographs decoded and encoded at once: memory does not depend on how many there are."""

_OPENING = Lock()
"""Images may be prepared in several threads, of which one opens the encoder."""


class TextGroup(Grounder):
    """A checkpoint ready for use; made by `load`.

    encoder: opens the image encoder under this name instead of the one that the checkpoint names (its
    weights must be the same).
    """

    def __init__(self, model: TextGroupModel, tokenizer: CaptionTokenizer, encoder: str | None = None) -> None:
        super().__init__(ModelCutter(model.eval()), tokenizer)
        self.model = model
        self._encoder_name = encoder
        self._encoder: ObjectEncoder | None = None

    @torch.inference_mode()
    def encode_text(self, captions: str | Iterable[str]) -> np.ndarray:
        """A caption -> a unit vector (E,), captions -> (captions, E); fp32. Needs a model trained with images.

        An empty caption has no direction: its vector is zeros, and its cosine with everything 0. Of a caption of more
        than `tokenizer.max_tokens` tokens the rest is not read: a `UserWarning` says how many there are.
        """
        self._require_image_side("encode_text")
        given = captions_given(captions, "encode_text")
        tokens = self.tokenizer.encode_batch(given)
        warn_of_long([t.left_out for t in tokens], "encode_text", self.tokenizer.max_tokens)
        vectors = np.empty((len(tokens), self.model.embedding), dtype=np.float32)
        for rows in length_batches([len(t.ids) for t in tokens]):
            vectors[rows] = self.model.embed_text(encode(self.model, [tokens[i] for i in rows])).float().cpu().numpy()
        vectors[[len(t.ids) <= 2 for t in tokens]] = 0  # start and end of text alone
        answer: np.ndarray = given.answer(vectors)
        return answer

    @overload
    def encode_units(self, captions: str) -> np.ndarray: ...  # type: ignore[overload-overlap]
    @overload
    def encode_units(self, captions: Iterable[str]) -> list[np.ndarray]: ...
    def encode_units(self, captions: str | Iterable[str]) -> np.ndarray | list[np.ndarray]:
        """A caption -> a unit vector for each unit that `segment` gives, (units, E), fp32; captions -> a list of such.

        Their products with `encode_image` are cosines. Needs a model trained with images.
        """
        self._require_image_side("encode_units")
        given = captions_given(captions, "encode_units")
        vectors = [unit_vectors(self.model, self.tokenizer, units.caption, units) for units in self._stream(given)]
        answer: np.ndarray | list[np.ndarray] = given.answer(vectors)
        return answer

    def assignment(self, caption: str) -> Assignment:
        """How much of each subword of a caption each group has, before each subword goes to one of them (Eq. 2).

        Groups that the caption does not have are left out, and so is what is not read of a long caption.
        """
        (text,) = captions_given(caption, "assignment")
        return assignment(self.model, self.tokenizer, text)

    def encode_image(self, images: Image | Iterable[Image]) -> np.ndarray:
        """A photograph -> a unit vector (E,), photographs -> (images, E); fp32.

        By the image encoder that the model was trained with, a few at a time. Raises `BrokenImage` for one that cannot
        be decoded, `InputError` for what is none.
        """
        self._require_image_side("encode_image")
        given = images_given(images, "encode_image")
        vectors = np.empty((len(given), self.model.embedding), dtype=np.float32)
        for a in range(0, len(given), IMAGES):
            pixels = []
            for i in range(a, min(a + IMAGES, len(given))):
                with numbered(given, i):
                    pixels.append(self.prepare(given[i]))
            vectors[a : a + IMAGES] = self.encode_pixels(np.stack(pixels))
        answer: np.ndarray = given.answer(vectors)
        return answer

    def prepare(self, image: Image) -> np.ndarray:
        """A photograph -> the pixels (3, H, W) that the image encoder takes. Raises `BrokenImage`."""
        return self._open_encoder().transform(image)

    @torch.inference_mode()
    def encode_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Prepared photographs (images, 3, H, W) -> unit vectors (images, E), fp32."""
        pooled = self._open_encoder().encode(torch.from_numpy(pixels)).pooled
        device = next(self.model.parameters()).device
        return self.model.embed_image(pooled.float().to(device)).cpu().numpy()

    def similarity(self, images: Image | Iterable[Image], captions: str | Iterable[str]) -> np.ndarray:
        """Cosine of the pooled embeddings (images, captions), in -1..1; one image or one caption has no axis."""
        return self.encode_image(images) @ self.encode_text(captions).T

    @overload
    def align(self, captions: str, images: Image | Iterable[Image]) -> list[Reference]: ...  # type: ignore[overload-overlap]
    @overload
    def align(self, captions: Iterable[str], images: Image | Iterable[Image]) -> list[list[Reference]]: ...
    def align(
        self, captions: str | Iterable[str], images: Image | Iterable[Image]
    ) -> list[Reference] | list[list[Reference]]:
        """The units of a caption, or of each of several, with the object of its image that each refers to, or None.

        images: one for each caption, or one for all. Objects are numbered as the image encoder gives them;
        `object_points` says where they are. How often this is right: docs/alignment.md. Raises `InputError`, also for
        a caption without an image.
        """
        self._require_image_side("align")
        given, pictures = captions_given(captions, "align"), images_given(images, "align")
        if pictures.single:
            pictures = Given(list(pictures) * len(given), single=True)
        if len(given) != len(pictures):
            raise InputError(
                f"align: {len(given)} captions and {len(pictures)} images: give one image, or one for each caption"
            )
        if not given:
            return []
        objects: dict[object, torch.Tensor] = {}  # of each image once
        for i, image in enumerate(pictures):
            if identity(image) not in objects:
                with numbered(pictures, i):
                    objects[identity(image)] = self._encode_objects(image)
        aligned = self.align_objects(given, torch.cat([objects[identity(image)] for image in pictures]))
        references: list[Reference] | list[list[Reference]] = given.answer(aligned)
        return references

    @torch.inference_mode()
    def _encode_objects(self, image: Image) -> torch.Tensor:
        vectors = self._open_encoder().encode(torch.from_numpy(self.prepare(image)[None]), vectors=True).vectors
        assert vectors is not None, "they were asked for"
        return vectors

    def align_objects(self, captions: Sequence[str], vectors: torch.Tensor) -> list[list[Reference]]:
        """`align` with images that are encoded already: vectors (captions, G, D_image), zeros after an image's last."""
        self._require_image_side("align")
        return align_units(self.model, self.tokenizer, captions, vectors)

    @torch.inference_mode()
    def object_points(self, image: Image) -> list[tuple[float, float] | None]:
        """Where the objects are that `align` numbers: the centre of each, as shares of the photograph's width and
        height; None for one that is nowhere. Raises `BrokenImage`."""
        picture, encoder = decode(one_image(image, "object_points")), self._open_encoder()
        masks = encoder.encode(torch.from_numpy(encoder.transform(picture)[None]), masks=True).masks
        assert masks is not None, "they were asked for"
        return centres(masks[0].float().cpu(), encoder.transform.seen(*picture.size))

    def _look_at(self, image: Image, call: str) -> Scene:
        self._require_image_side(call)
        return look_at(self.model, self._open_encoder(), image)

    @property
    def _span_encoder(self) -> SpanEncoder:
        return span_encoder(self.model, self.tokenizer)

    def _require_image_side(self, call: str) -> None:
        if self.model.image_head is None:
            raise InputError(f"{call}: this checkpoint was trained on captions alone and has no image head")

    def _open_encoder(self) -> ObjectEncoder:
        self._require_image_side("encode_image")
        with _OPENING:
            if self._encoder is None:
                identity = self.model.image_encoder
                if identity is None:
                    raise InputError("this checkpoint does not say which image encoder it was trained with")
                encoder = open_again(self._encoder_name or identity["encoder"], identity["transform"])
                check_same_encoder(identity, encoder.identity(), "the checkpoint", encoder.name)
                self._encoder = encoder
        return self._encoder


def load(path: str | Path | None = None, *, device: str = "cpu", encoder: str | None = None) -> TextGroup:
    """Open a checkpoint directory, a run directory (its newest checkpoint), a Hub name, or a packaged checkpoint.

    Without a path it is the one that comes with the package: units of English captions, and where they are in a
    photograph. "multilingual" comes with it too: units of English, German, French and Czech captions, without images; a
    directory of that name goes first. device: where the text side runs, "cpu" or "cuda". encoder: see `TextGroup`.
    Raises `InputError` for what is no checkpoint, and for a device that is not there.
    """
    chosen = pick_device(device)
    model, tokenizer = load_model(path)
    return TextGroup(model.to(chosen), tokenizer, encoder)
