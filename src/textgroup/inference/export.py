"""Writing a checkpoint to share: half precision, nothing but what is used, and, if wanted, its image encoder."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textgroup.errors import InputError
from textgroup.files import atomic_write, full_disk_told
from textgroup.model.pretrained import TOWER, checkpoint_directory, load_model, save_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.open import copy_encoder, open_again


def export(
    where: str | Path,
    out: Path,
    *,
    with_encoder: bool = False,
    encoder: str | None = None,
    card: Callable[[TextGroupModel], str] | None = None,
) -> None:
    """Write a checkpoint to the directory `out`, in half precision and without what only training needs.

    That is the decoder, and, where there are no images to compare units with, what makes vectors of units.

    with_encoder: also the image encoder, so that the directory needs nothing else. encoder: where that lies now, if not
    where it lay in training. card: writes the model card, README.md. Raises `InputError` if there is no checkpoint at
    `where`, if `out` exists, and for an encoder that is not there, or is another one.
    """
    if out.exists():
        raise InputError(f"{out} exists: give a directory that does not")
    model, tokenizer = load_model(where)
    model.decoder = None
    if model.image_head is None and model.encoder.config.kind == "dynamic":
        model = _router_alone(model)
    told = None if card is None else card(model)
    own_tower = checkpoint_directory(str(where)) / TOWER
    with full_disk_told(out, "nothing is written; make room, or give another directory"), atomic_write(out) as partial:
        identity = model.image_encoder
        if own_tower.is_dir():
            # As it is: the model knows it by the digest of its weights.
            shutil.copytree(own_tower, partial / TOWER, ignore=_all_but_a_model)
        elif with_encoder:
            if identity is None:
                raise InputError(f"{where} was trained on captions alone: it has no image encoder to export")
            identity = _export_encoder(identity, encoder or identity["encoder"], partial)
        save_model(model.half(), tokenizer, partial, decoder=None, image_encoder=identity)
        if told is not None:
            (partial / "README.md").write_text(told, encoding="utf-8", errors="backslashreplace")


def _router_alone(model: TextGroupModel) -> TextGroupModel:
    """A model that cuts captions alike, whose units have vectors of one number."""
    encoder = replace(model.encoder.config, width=1, heads=1, layers_after=0)
    alone = TextGroupModel(encoder, None, model.embedding, vocabulary=model.vocabulary).eval()
    alone.encoder.take_router(model.encoder)
    return alone


def _all_but_a_model(folder: str, names: list[str]) -> list[str]:
    """What else lies in a stranger's directory, links to other places among it, is nothing to share."""
    return [name for name in names if not name.endswith((".json", ".safetensors"))]


def _export_encoder(identity: dict[str, Any], spec: str, out: Path) -> dict[str, Any]:
    """Write the encoder to `out`, in half precision; its identity there, with the digest of the rounded weights."""
    check_same_encoder(identity, open_again(spec, identity["transform"]).identity(), "the checkpoint", spec)
    kind = spec.partition(":")[0]
    copy_encoder(spec, out / TOWER)
    rounded = open_again(f"{kind}:{out / TOWER}", identity["transform"]).identity()
    return {**rounded, "encoder": f"{kind}:{TOWER}"}
