"""Patches of an image, clustered."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from textgroup.errors import InputError
from textgroup.vision.encoders.clusters import kmeans
from textgroup.vision.encoders.open import open_encoder


def blobs(batch: int, groups: int, each: int) -> tuple[Tensor, Tensor]:
    """Points (B, groups * each, 16) around far centres, shuffled, and the blob of each (B, N)."""
    random = torch.Generator().manual_seed(0)
    centres = torch.randn(batch, groups, 16, generator=random) * 10
    owner = torch.stack([torch.arange(groups * each)[torch.randperm(groups * each, generator=random)] % groups] * batch)
    points = centres.gather(1, owner[:, :, None].expand(-1, -1, 16))
    return points + torch.randn(points.shape, generator=random) * 0.1, owner


def test_kmeans_finds_well_separated_groups_in_each_image() -> None:
    points, truth = blobs(batch=3, groups=5, each=9)
    centres, owner = kmeans(points, 5)
    same = truth[:, :, None] == truth[:, None, :]
    assert torch.equal(owner[:, :, None] == owner[:, None, :], same)
    assert centres.shape == (3, 5, 16)


def test_kmeans_gives_the_same_groups_every_time_and_whatever_else_is_in_the_batch() -> None:
    points = torch.randn(4, 49, 16, generator=torch.Generator().manual_seed(0))
    centres, owner = kmeans(points, 8)
    again = kmeans(points[1:2], 8)
    assert torch.equal(again[1], owner[1:2])
    assert torch.allclose(again[0], centres[1:2], atol=1e-5)


def test_kmeans_gets_no_worse_from_round_to_round() -> None:
    points = torch.randn(4, 49, 16, generator=torch.Generator().manual_seed(0))

    def spread(rounds: int) -> float:
        centres, owner = kmeans(points, 8, rounds)
        return (points - centres.gather(1, owner[:, :, None].expand(-1, -1, 16))).square().sum().item()

    found = [spread(rounds) for rounds in (1, 2, 4, 10)]
    assert found == sorted(found, reverse=True)


def test_an_image_of_one_colour_has_one_group_and_no_nans() -> None:
    centres, owner = kmeans(torch.ones(2, 16, 4), 8)
    assert (owner == 0).all()
    assert torch.equal(centres, torch.ones(2, 8, 4))


def test_more_groups_than_patches_are_refused() -> None:
    with pytest.raises(InputError, match="4 patches cannot make 8 objects"):
        kmeans(torch.randn(1, 4, 3), 8)


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_pooled_is_the_mean_of_the_clusters_weighted_by_their_masks(kind: str, request: pytest.FixtureRequest) -> None:
    encoder = open_encoder(f"clusters:{request.getfixturevalue(kind)}", device="cpu")
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    objects = encoder.encode(pixels, vectors=True, masks=True)
    assert objects.vectors is not None
    assert objects.masks is not None
    assert objects.vectors.shape == (2, 8, encoder.width)
    assert torch.equal(objects.masks.sum(1), torch.ones_like(objects.masks[:, 0]))
    share = objects.masks.mean((2, 3))  # (B, G)
    assert torch.allclose((share[:, :, None] * objects.vectors).sum(1), objects.pooled, atol=1e-5)
    assert torch.equal(encoder.encode(pixels).pooled, objects.pooled)


def test_the_clusters_have_the_weights_of_their_backbone(vit: Path) -> None:
    one, other = (open_encoder(f"{kind}:{vit}", device="cpu").identity() for kind in ("clusters", "backbone"))
    assert one["weights"] == other["weights"]
    assert (one["encoder"], other["encoder"]) == (f"clusters:{vit}", f"backbone:{vit}")
