"""Models of others: the vectors are those that transformers itself gives, prepared as their authors did."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.evaluation.two_towers import write_clip, write_groupvit, write_siglip, write_tokenizer
from textgroup.errors import InputError
from textgroup.evaluation.open_model import Towers, open_dual_encoder
from textgroup.vision.decode import BrokenImage
from textgroup.vision.preprocess import IMAGENET_MEAN, IMAGENET_STD

WRITERS: dict[str, Callable[[Path], Path]] = {
    "transformers:clip": write_clip,
    "transformers:siglip": write_siglip,
    "groupvit:groupvit": write_groupvit,
}
CAPTIONS = ["a red fox", "a blue picture on a rug", "owl"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("towers")
    for spec, write in WRITERS.items():
        write(where / spec.partition(":")[2])
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(where / "noise.png")
    return where


def opened(spec: str, folder: Path) -> Towers:
    kind, _, name = spec.partition(":")
    found = open_dual_encoder(f"{kind}:{folder / name}", device="cpu")
    assert isinstance(found, Towers)
    return found


@pytest.mark.parametrize("spec", WRITERS)
def test_vectors_have_length_one_and_do_not_depend_on_the_company(spec: str, folder: Path) -> None:
    model = opened(spec, folder)
    together = model.encode_text(CAPTIONS)
    alone = np.concatenate([model.encode_text([caption]) for caption in CAPTIONS])
    assert np.allclose(together, alone, atol=1e-6), "padding must not change a caption"
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    pixels = model.prepare(folder / "noise.png")
    image = model.encode_pixels(np.stack([pixels, pixels]))
    assert image.shape == (2, together.shape[1])
    assert np.allclose(np.linalg.norm(image, axis=1), 1, atol=1e-6)


def test_clip_ranks_as_its_own_logits_do(folder: Path) -> None:
    from transformers import AutoImageProcessor, AutoTokenizer, CLIPModel

    where = folder / "clip"
    model = opened("transformers:clip", folder)
    picture = Image.open(folder / "noise.png")
    pixels = AutoImageProcessor.from_pretrained(where)(images=[picture], return_tensors="pt")["pixel_values"]
    tokens = AutoTokenizer.from_pretrained(where)(CAPTIONS, padding=True, return_tensors="pt")
    clip = CLIPModel.from_pretrained(where).eval()
    with torch.no_grad():
        out = clip(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], pixel_values=pixels)
        wanted = (out.logits_per_image[0] / clip.logit_scale.exp()).numpy()
    found = (model.encode_pixels(model.prepare(folder / "noise.png")[None]) @ model.encode_text(CAPTIONS).T)[0]
    assert np.allclose(found, wanted, atol=1e-5)


def test_siglip_captions_are_padded_to_the_full_length_without_a_mask(folder: Path) -> None:
    from transformers import AutoTokenizer, SiglipModel

    where = folder / "siglip"
    tokens = AutoTokenizer.from_pretrained(where)(CAPTIONS, padding="max_length", max_length=12, return_tensors="pt")
    siglip = SiglipModel.from_pretrained(where).eval()
    with torch.no_grad():
        features = siglip.get_text_features(input_ids=tokens["input_ids"])
    wanted = torch.nn.functional.normalize(getattr(features, "pooler_output", features), dim=-1).numpy()
    assert np.allclose(opened("transformers:siglip", folder).encode_text(CAPTIONS), wanted, atol=1e-6)


def test_groupvit_compares_by_its_own_heads_on_images_prepared_as_its_authors_did(folder: Path) -> None:
    from transformers import AutoTokenizer, GroupViTModel

    model = opened("groupvit:groupvit", folder)
    pixels = model.prepare(folder / "noise.png")
    red = model.prepare(_solid(folder, (255, 0, 0)))
    wanted_red = (np.array([1.0, 0, 0]) - IMAGENET_MEAN) / IMAGENET_STD
    assert np.allclose(red[:, 5, 5], wanted_red, atol=1e-5)
    tokens = AutoTokenizer.from_pretrained(folder / "groupvit")(CAPTIONS, padding=True, return_tensors="pt")
    groupvit = GroupViTModel.from_pretrained(folder / "groupvit", attn_implementation="eager").eval()
    with torch.no_grad():
        out = groupvit(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            pixel_values=torch.from_numpy(pixels)[None],
        )
        wanted = (out.logits_per_image[0] / groupvit.logit_scale.exp()).numpy()
    found = (model.encode_pixels(pixels[None]) @ model.encode_text(CAPTIONS).T)[0]
    assert np.allclose(found, wanted, atol=1e-5)


def _solid(folder: Path, colour: tuple[int, int, int]) -> Path:
    Image.new("RGB", (40, 40), colour).save(folder / "solid.png")
    return folder / "solid.png"


def test_a_caption_beyond_the_window_is_cut_and_not_a_crash(folder: Path) -> None:
    for spec in WRITERS:
        assert opened(spec, folder).encode_text(["a fox on a rug " * 20]).shape[0] == 1


def test_half_a_character_in_a_caption_is_a_question_mark(folder: Path) -> None:
    for spec in WRITERS:
        half, mark = opened(spec, folder).encode_text(["a fox \ud800", "a fox ?"])
        assert np.array_equal(half, mark)


@pytest.mark.parametrize("mark", ["<end>", "<pad>", "<unk>"])
def test_text_that_spells_a_special_token_is_text(folder: Path, mark: str) -> None:
    for spec in WRITERS:
        model = opened(spec, folder)
        fox, owl = model.encode_text([f"a {mark} fox", f"a {mark} owl"])
        assert not np.allclose(fox, owl), "what follows is read"
        spelled, spaced = model.encode_text([f"a {mark} fox", f"a {' '.join(['<', mark[1:-1], '>'])} fox"])
        assert np.array_equal(spelled, spaced)


def test_siglip_reads_captions_in_lower_case_as_it_was_trained(folder: Path) -> None:
    assert np.array_equal(*opened("transformers:siglip", folder).encode_text(["A Fox on a RUG", "a fox on a rug"]))


def test_a_sentencepiece_tokenizer_is_read_or_its_package_named(tmp_path: Path, monkeypatch: Any) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    where, file = write_siglip(tmp_path / "siglip"), io.BytesIO()
    captions = iter(["a cab", "cab a"] * 20)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=captions, model_writer=file, vocab_size=14, hard_vocab_limit=False, minloglevel=2
    )
    for old in where.glob("*token*"):
        old.unlink()
    (where / "spiece.model").write_bytes(file.getvalue())
    (where / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "SiglipTokenizer"}))
    cab, same, other = open_dual_encoder(f"transformers:{where}").encode_text(["a cab", "A CAB", "a bac"])
    assert np.array_equal(cab, same)
    assert not np.allclose(cab, other)

    def fails(*_: Any, **__: Any) -> None:
        raise ImportError("SiglipTokenizer requires the SentencePiece library but it was not found")

    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", fails)
    monkeypatch.setattr("textgroup.evaluation.open_model.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs sentencepiece: pip install 'textgroup\[siglip\]'"):
        open_dual_encoder(f"transformers:{where}")


def test_siglip_for_images_of_any_shape_is_refused_with_the_remedy(tmp_path: Path) -> None:
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model

    from tests.evaluation.two_towers import TEXT, VISION

    vision = {name: value for name, value in VISION.items() if name != "image_size"} | {"num_patches": 16}
    Siglip2Model(Siglip2Config(text_config=TEXT, vision_config=vision)).save_pretrained(tmp_path)
    Siglip2ImageProcessor(patch_size=8, max_num_patches=16).save_pretrained(tmp_path)
    write_tokenizer(tmp_path)
    with pytest.raises(InputError, match=r"NaFlex.*take one of a fixed resolution"):
        open_dual_encoder(f"transformers:{tmp_path}")


def test_a_preparation_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip")
    file = clip / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"size": {"shortest_edge": 10**6}}))
    with pytest.raises(InputError, match="size 1000000: images have 4096 pixels at most"):
        open_dual_encoder(f"transformers:{clip}")


def test_an_image_that_is_a_text_file_is_a_broken_image(folder: Path) -> None:
    (folder / "text.jpg").write_text("this is not a picture")
    for spec in WRITERS:
        with pytest.raises(BrokenImage, match=r"text\.jpg"):
            opened(spec, folder).prepare(folder / "text.jpg")


def test_what_is_not_two_towers_is_refused(folder: Path, tmp_path: Path) -> None:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    with pytest.raises(InputError, match=r"take model\[:PATH\], groupvit"):
        open_dual_encoder("clip:x")
    with pytest.raises(InputError, match="take model"):
        open_dual_encoder("transformers:")
    with pytest.raises(InputError, match="no directory"):
        open_dual_encoder("transformers:/nowhere")
    CLIPVisionModel(CLIPVisionConfig(**{**_vision(), "projection_dim": 8})).save_pretrained(tmp_path / "half")
    with pytest.raises(InputError, match="no two towers"):
        open_dual_encoder(f"transformers:{tmp_path / 'half'}")


def _vision() -> dict[str, int]:
    from tests.evaluation.two_towers import VISION

    return VISION


def test_pickled_weights_and_a_missing_tokenizer_are_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    clip = write_clip(tmp_path / "pickled")
    torch.save(load_file(clip / "model.safetensors"), clip / "pytorch_model.bin")
    (clip / "model.safetensors").unlink()
    with pytest.raises(InputError, match="safetensors"):
        open_dual_encoder(f"transformers:{clip}")
    bare = write_clip(tmp_path / "bare")
    for file in bare.glob("*token*"):
        file.unlink()
    with pytest.raises(InputError, match="its tokenizer"):
        open_dual_encoder(f"transformers:{bare}")
    (bare / "preprocessor_config.json").unlink()
    write_tokenizer(bare)
    with pytest.raises(InputError, match="its image processor cannot be read"):
        open_dual_encoder(f"transformers:{bare}")
