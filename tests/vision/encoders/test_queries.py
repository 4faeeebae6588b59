"""The queries of detectors and segmenters are objects. Small models with random weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from textgroup.errors import InputError
from textgroup.vision.encoders.open import open_again, open_encoder
from textgroup.vision.encoders.queries import GRID, fill_boxes, found_something

PREPROCESSOR = {"size": {"height": 64, "width": 64}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
SMALL: dict[str, Any] = {
    "d_model": 16,
    **{f"{part}_{size}": 1 for part in ("encoder", "decoder") for size in ("layers", "ffn_dim")},
    **{f"{part}_attention_heads": 2 for part in ("encoder", "decoder")},
    "num_queries": 5,
    "num_labels": 3,
}
OWN_BACKBONE: dict[str, Any] = {"use_timm_backbone": False, "backbone": None, "use_pretrained_backbone": False}
STAGES = [f"stage{number}" for number in range(1, 5)]


def _convolutional(stages: list[str]) -> Any:
    from transformers import ResNetConfig

    sizes = {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1] * 4}
    return ResNetConfig(**sizes, layer_type="basic", out_features=stages)  # type: ignore[arg-type]


def _detr() -> Any:
    from transformers import DetrConfig, DetrForObjectDetection

    config = DetrConfig(**OWN_BACKBONE, backbone_config=_convolutional(STAGES[-1:]), **SMALL)
    return DetrForObjectDetection(config)


def _conditional() -> Any:
    from transformers import ConditionalDetrConfig, ConditionalDetrForObjectDetection

    config = ConditionalDetrConfig(**OWN_BACKBONE, backbone_config=_convolutional(STAGES[-1:]), **SMALL)
    return ConditionalDetrForObjectDetection(config)


def _rt_detr() -> Any:
    from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

    sizes = {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1] * 4}
    backbone = RTDetrResNetConfig(**sizes, layer_type="basic", out_features=STAGES[1:])  # type: ignore[arg-type]
    channels = {"encoder_in_channels": [8, 16, 16], "decoder_in_channels": [16] * 3, "encoder_hidden_dim": 16}
    config = RTDetrConfig(backbone_config=backbone, num_denoising=0, decoder_n_points=2, **channels, **SMALL)
    return RTDetrForObjectDetection(config)


def _maskformer() -> Any:
    from transformers import DetrConfig, MaskFormerConfig, MaskFormerForInstanceSegmentation

    wide = {"fpn_feature_size": 32, "mask_feature_size": 32}
    config = MaskFormerConfig(backbone_config=_windows(), decoder_config=DetrConfig(**SMALL), num_labels=3, **wide)
    return MaskFormerForInstanceSegmentation(config)


def _mask2former() -> Any:
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation

    wide = {"feature_size": 32, "mask_feature_size": 32, "hidden_dim": 32}
    few = {"encoder_layers": 1, "decoder_layers": 2, "num_attention_heads": 2, "num_queries": 5, "num_labels": 3}
    wide |= {"encoder_feedforward_dim": 16, "dim_feedforward": 16}
    config = Mask2FormerConfig(backbone_config=_windows(), **wide, **few)
    return Mask2FormerForUniversalSegmentation(config)


def _windows() -> Any:
    from transformers import SwinConfig

    sizes = {"image_size": 64, "patch_size": 4, "embed_dim": 8, "depths": [1] * 4, "num_heads": [1] * 4}
    return SwinConfig(**sizes, window_size=2, out_features=STAGES)  # type: ignore[arg-type]


MODELS = {
    "DETR": (_detr, GRID),
    "Conditional DETR": (_conditional, GRID),
    "RT-DETR": (_rt_detr, GRID),
    "MaskFormer": (_maskformer, 16),
    "Mask2Former": (_mask2former, 16),
}


def save(model: Any, folder: Path) -> str:
    torch.manual_seed(0)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return f"queries:{folder}"


@pytest.mark.parametrize("name", MODELS)
def test_a_query_is_an_object_with_a_vector_and_a_mask(name: str, tmp_path: Path) -> None:
    make, side = MODELS[name]
    encoder = open_encoder(save(make(), tmp_path), device="cpu")
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = encoder.encode(pixels, vectors=True, masks=True)
    assert found.vectors is not None
    assert found.masks is not None
    assert found.vectors.shape == (2, encoder.objects, encoder.width)
    assert encoder.objects == 5
    assert found.masks.shape == (2, 5, side, side)
    assert 0 <= found.masks.min() <= found.masks.max() <= 1
    present = (found.vectors != 0).any(dim=2)
    assert present.any(dim=1).all()
    means = [vectors[here].mean(dim=0) for vectors, here in zip(found.vectors, present)]
    assert torch.allclose(torch.stack(means), found.pooled, atol=1e-5)
    assert torch.equal(encoder.encode(pixels).pooled, found.pooled)
    assert open_again(encoder.name, encoder.transform.to_dict()).identity() == encoder.identity()


def test_no_object_is_an_answer_but_never_of_all_queries() -> None:
    sure, none = [4.0, -4, -4, -4], [-4.0, -4, -4, 4]
    assert found_something(torch.tensor([[sure, none]]), labels=3).tolist() == [[True, False]]
    faint = [-4.0, -3, -4, 4]
    assert found_something(torch.tensor([[none, faint]]), labels=3).tolist() == [[False, True]]
    sigmoids = torch.tensor([[[-1.0, 1, -1], [-2, -1, -2]]])  # without a class "no object"
    assert found_something(sigmoids, labels=3).tolist() == [[True, False]]


def test_a_box_is_filled_where_it_is() -> None:
    mask = fill_boxes(torch.tensor([[[0.25, 0.5, 0.5, 1.0], [0.99, 0.01, 0.0, 0.0]]]))[0]
    assert mask[0, :, : GRID // 2].all()
    assert not mask[0, :, GRID // 2 :].any()
    assert mask[1].nonzero().tolist() == [[0, GRID - 1]]  # a box without an area still is somewhere


def test_a_model_that_finds_no_objects_is_refused(vit: Path) -> None:
    with pytest.raises(InputError, match=f"queries:{vit}"):
        open_encoder(f"queries:{vit}")
