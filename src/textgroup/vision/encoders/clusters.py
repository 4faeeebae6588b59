"""Any image model of transformers as an object encoder: its patches, clustered by k-means within each image."""

from typing import Any

import torch
from torch import Tensor, nn

from textgroup.errors import InputError
from textgroup.vision.encoders.backbone import Backbone
from textgroup.vision.encoders.objects import Objects

OBJECTS = 8
"""Objects of an image, as many as GroupViT's."""
ROUNDS = 10
"""Of Lloyd's algorithm."""


class Clusters:
    """An `ObjectEncoder`: the clusters of a `Backbone`'s patches, and its pooled vector."""

    published = ""

    @staticmethod
    def transformers_class(where: str) -> Any:
        """See `OpenableEncoder.transformers_class`."""
        return Backbone.transformers_class(where)

    def __init__(self, backbone: Backbone) -> None:
        self.name = backbone.name.replace("backbone:", "clusters:", 1)
        self.width, self.objects, self.transform = backbone.width, OBJECTS, backbone.transform
        self.sizes: tuple[int, ...] = (backbone.transform.crop,)
        self._backbone = backbone

    @classmethod
    def open(
        cls, where: str, resize: int | None = None, device: str | None = None, size: int | None = None
    ) -> "Clusters":
        """Open a directory or a Hub name; see `open.open_encoder`."""
        return cls(Backbone.open(where, resize, device, size))

    def identity(self) -> dict[str, Any]:
        """See `ObjectEncoder.identity`."""
        return {**self._backbone.identity(), "encoder": self.name}

    @torch.no_grad()
    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        """See `ObjectEncoder.encode`. Masks are (B, G, h, w), 0 or 1, on the grid of the patches."""
        if not (vectors or masks):
            return Objects(None, self._backbone.pooled(pixels), None)
        patches = self._backbone.patches(pixels)  # (B, N, D)
        pooled = self._backbone.pooled(pixels, patches)
        centres, owner = kmeans(patches, self.objects)
        grid = None
        if masks:
            member = nn.functional.one_hot(owner, self.objects).transpose(1, 2).float()  # (B, G, N)
            grid = member.unflatten(2, self._backbone.grid).to(pixels.device)
        return Objects(centres.to(pixels.device) if vectors else None, pooled, grid)


def kmeans(points: Tensor, groups: int, rounds: int = ROUNDS) -> tuple[Tensor, Tensor]:
    """Cluster the points of each image on their own: points (B, N, D) -> centres (B, G, D), owner (B, N).

    The same points always give the same clusters: the first centre is the point farthest from the mean, each
    next one the point farthest from all centres before it. Centres are the means of their points; one that
    has no points (an image with fewer than G different patches) stays where it is.
    """
    batch, count, _ = points.shape
    if count < groups:
        raise InputError(f"{count} patches cannot make {groups} objects: take a larger crop or another encoder")
    rows = torch.arange(batch, device=points.device)
    centres = [points[rows, (points - points.mean(1, keepdim=True)).square().sum(2).argmax(1)]]  # (B, D)
    nearest = torch.full((batch, count), torch.inf, device=points.device, dtype=points.dtype)
    while len(centres) < groups:
        nearest = nearest.minimum((points - centres[-1][:, None]).square().sum(2))
        centres.append(points[rows, nearest.argmax(1)])
    centre = torch.stack(centres, dim=1)  # (B, G, D)
    for _ in range(rounds):
        owner = torch.cdist(points, centre).argmin(2)  # (B, N)
        member = nn.functional.one_hot(owner, groups).to(points.dtype).transpose(1, 2)  # (B, G, N)
        size = member.sum(2, keepdim=True)
        centre = torch.where(size > 0, member @ points / size.clamp(min=1), centre)
    return centre, owner
