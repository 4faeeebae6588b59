"""What an object encoder is: a frozen tower that turns an image into vectors of its objects."""

from typing import Any, NamedTuple, Protocol

from torch import Tensor

from textgroup.vision.preprocess import Transform


class Objects(NamedTuple):
    """What an encoder finds in B images.

    vectors: (B, G, D), one for each object, or None. pooled: (B, D), the image as a whole. masks: (B, G, h, w) on a
    grid over what the encoder sees, how much of each cell each object has; or None.
    """

    vectors: Tensor | None
    pooled: Tensor
    masks: Tensor | None


class ObjectEncoder(Protocol):
    """Images in, `Objects` out.

    An encoder is a plain class and no `nn.Module`, so that a model that holds one neither trains, moves nor
    saves it. (`.train()` would switch on GroupViT's Gumbel noise inside a tower that is meant to be frozen.)

    name: as `open_encoder` takes it. width: D. objects: G. transform: what `encode` expects done to an image.
    """

    name: str
    width: int
    objects: int
    transform: Transform

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pixels of a side at which `ground` looks at a photograph, `transform.crop` first; more than one only where
        objects are patches and `encode` takes images of these sizes too."""
        ...

    def identity(self) -> dict[str, Any]:
        """What determines the features: {"encoder": name, "weights": sha256, "transform": settings}, for JSON.

        "layers": how many the features have, where that is more than one. "pooled_at": pixels of a side of the image
        that `pooled` is of, where it is another one.
        """
        ...

    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        """pixels (B, 3, H, W) -> objects, without gradients, on the device of `pixels`.

        vectors, masks: what to give besides `pooled`.
        """
        ...


class OpenableEncoder(ObjectEncoder, Protocol):
    """An `ObjectEncoder` that can be listed in `open.ENCODERS`. published: Hub name of weights to take by default."""

    published: str

    @staticmethod
    def transformers_class(where: str) -> Any:
        """What reads the weights at this directory or Hub name: a class of transformers."""
        ...

    @classmethod
    def open(
        cls, where: str, resize: int | None = None, device: str | None = None, size: int | None = None
    ) -> "OpenableEncoder":
        """Open a directory or a Hub name; see `open.open_encoder`."""
        ...
