"""Opening a model for comparison: a checkpoint of ours, GroupViT whole, any two towers of transformers."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from textgroup.devices import pick_device
from textgroup.errors import InputError
from textgroup.evaluation.dual_encoder import DualEncoder
from textgroup.files import local_or_hub
from textgroup.inference.textgroup import load
from textgroup.vision.decode import decode
from textgroup.vision.encoders.groupvit import PUBLISHED, authors_transform
from textgroup.vision.encoders.weights import MissingFile, load_frozen, read_preparation
from textgroup.vision.preprocess import MOST_PIXELS

MODELS = "model[:PATH], groupvit[:WHERE] or transformers:WHERE"


def open_dual_encoder(spec: str, device: str | None = None, encoder: str | None = None) -> DualEncoder:
    """Open a model for evaluation.

    spec: `model:PATH`, a checkpoint of ours, or `model`, the packaged one; `groupvit[:WHERE]`, GroupViT whole (the
    paper's "groupvit" row); `transformers:WHERE`, a model with `get_text_features` and `get_image_features`, such as
    CLIP or SigLIP. WHERE is a directory or a Hub name; only safetensors are read. device: a GPU if there is one.
    encoder: see `inference.TextGroup`. Raises `InputError`.
    """
    kind, _, where = spec.partition(":")
    where = local_or_hub(where)
    if spec == "model" or (kind == "model" and where):
        return load(where or None, device=str(pick_device(device)), encoder=encoder)
    if kind == "groupvit":
        return Towers.groupvit(where or PUBLISHED, device)
    if kind == "transformers" and where:
        return Towers.open(where, device)
    raise InputError(f"model {spec!r}: take {MODELS}, WHERE a directory or a Hub name")


class Towers:
    """A `DualEncoder` of transformers: a text and an image tower with heads into one space."""

    def __init__(
        self, name: str, model: nn.Module, tokenizer: Any, prepare: Callable[..., np.ndarray], device: str | None
    ) -> None:
        self.prepare = prepare
        self._device = pick_device(device)
        self._model: Any = model.to(self._device)
        self._open_tokenizer = tokenizer
        config: Any = model.config
        # SigLIP was trained on captions in lower case, padded to the full length, without a mask. Not all of its
        # tokenizers know.
        self._is_siglip = config.model_type.startswith("siglip")
        self._longest = config.text_config.max_position_embeddings
        try:
            picture = self.encode_pixels(prepare(Image.new("RGB", (64, 64)))[None])
            sentence = self.encode_text(["a"])
        except Exception as error:  # of transformers, and of the libraries that tokenise for it
            raise InputError(f"model {name}: it does not compare an image with a caption: {error!r:.200}") from None
        if picture.shape != sentence.shape:
            raise InputError(f"model {name}: an image has {picture.shape[1]} numbers, a caption {sentence.shape[1]}")

    @classmethod
    def open(cls, where: str, device: str | None = None) -> "Towers":
        """CLIP, SigLIP and their like, with the preparation of images and captions that they bring."""
        from transformers import AutoImageProcessor, AutoModel

        name = f"transformers:{where}"
        model: Any = load_frozen(AutoModel, where, name)
        if not (hasattr(model, "get_text_features") and hasattr(model, "get_image_features")):
            raise InputError(f"model {name}: {type(model).__name__} has no two towers with a common space")
        if model.config.model_type == "siglip2":
            raise InputError(
                f"model {name}: a SigLIP 2 for images of any shape (NaFlex), which are not read: take one of a fixed "
                "resolution, such as google/siglip2-base-patch16-224"
            )
        processor = _from_pretrained(AutoImageProcessor, "image processor", where, name)
        _check_sides(where, name)

        def prepare(image: bytes | Path | Image.Image) -> np.ndarray:
            pixels: np.ndarray = processor(images=[decode(image)], return_tensors="np")["pixel_values"][0]
            return pixels

        return cls(name, model, _open_tokenizer(where, name, model.config.text_config.vocab_size), prepare, device)

    @classmethod
    def groupvit(cls, where: str, device: str | None = None) -> "Towers":
        """GroupViT with its own 12 text layers and two-layer heads; images are prepared as its authors did."""
        from transformers import GroupViTModel

        name = "groupvit" if where == PUBLISHED else f"groupvit:{where}"
        model: Any = load_frozen(GroupViTModel, where, name)
        config = model.config
        tokenizer = _open_tokenizer(where, name, config.text_config.vocab_size)
        return cls(name, model, tokenizer, authors_transform(config.vision_config), device)

    @torch.inference_mode()
    def encode_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """See `DualEncoder`."""
        return _unit_vectors(self._model.get_image_features(pixel_values=torch.from_numpy(pixels).to(self._device)))

    @torch.inference_mode()
    def encode_text(self, captions: Sequence[str]) -> np.ndarray:
        """See `DualEncoder`. What does not fit into the model's window is cut off."""
        padding = "max_length" if self._is_siglip else True
        encodable = [caption.encode("utf-8", "replace").decode() for caption in captions]  # half a character is a "?"
        if self._is_siglip:
            encodable = [caption.lower() for caption in encodable]
        tokens = self._open_tokenizer(
            encodable,
            padding=padding,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
            split_special_tokens=True,  # "<|endoftext|>" in a caption is text
        ).to(self._device)
        mask = {} if self._is_siglip else {"attention_mask": tokens["attention_mask"]}
        return _unit_vectors(self._model.get_text_features(input_ids=tokens["input_ids"], **mask))


def _unit_vectors(output: Any) -> np.ndarray:
    """Unit vectors; transformers 4 gives the projected features themselves, 5 an object that holds them."""
    features: Tensor = output if isinstance(output, Tensor) else output.pooler_output
    return nn.functional.normalize(features.float(), dim=-1).cpu().numpy()


def _open_tokenizer(where: str, name: str, vocabulary: int) -> Any:
    from transformers import AutoTokenizer

    tokenizer = _from_pretrained(AutoTokenizer, "tokenizer", where, name)
    if 2 * len(tokenizer) < vocabulary:  # what transformers 5 makes up, without a word, where the files are missing
        raise InputError(
            f"model {name}: its tokenizer has {len(tokenizer)} entries, the model {vocabulary}: add its files"
        )
    return tokenizer


def _check_sides(where: str, name: str) -> None:
    """Raise `InputError` if images would be resized to what no memory holds."""
    with suppress(MissingFile):
        preparation = read_preparation(where, name)
        for field in ("size", "crop_size", "pad_size"):
            sides = preparation.get(field)
            for side in sides.values() if isinstance(sides, dict) else [sides]:
                if isinstance(side, int | float) and not side <= MOST_PIXELS:
                    raise InputError(f"model {name}: {field} {side!r:.40}: images have {MOST_PIXELS} pixels at most")


def _from_pretrained(kind: Any, what: str, where: str, name: str) -> Any:
    """What lies beside the weights."""
    try:
        return kind.from_pretrained(where, trust_remote_code=False)
    except Exception as error:  # whatever transformers and the Hub's client raise
        if "sentencepiece" in str(error).lower() and find_spec("sentencepiece") is None:
            raise InputError(f"model {name}: its {what} needs sentencepiece: pip install 'textgroup[siglip]'") from None
        raise InputError(f"model {name}: its {what} cannot be read: {' '.join(str(error).split())[:200]}") from None
