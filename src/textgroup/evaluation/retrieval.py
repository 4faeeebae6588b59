"""Image-text retrieval: recall at 1, 5 and 10 and the median rank, in both directions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from textgroup.data.captions import CaptionData
from textgroup.data.sources.count import Count
from textgroup.data.sources.sample import Sample
from textgroup.errors import InputError
from textgroup.evaluation.dual_encoder import DualEncoder, embed_captions, embed_images
from textgroup.model.textgroup import TextGroupModel
from textgroup.report.terminal import progress_bar


@dataclass(frozen=True)
class Recall:
    """Recall in per cent, and the median rank of the first right answer (1 is best)."""

    r1: float
    r5: float
    r10: float
    median_rank: float

    def __str__(self) -> str:
        return f"{self.r1:.1f}/{self.r5:.1f}/{self.r10:.1f}"


@dataclass(frozen=True)
class Retrieval:
    """Both directions over the same images and captions; chance is `chance_r1` per cent."""

    image_to_text: Recall
    text_to_image: Recall
    images: int
    captions: int

    @property
    def chance_r1(self) -> float:
        """Expected R@1 of a random ranking, text to image."""
        return 100 / self.images


def retrieval(similarity: np.ndarray, image_of: np.ndarray) -> Retrieval:
    """similarity: (captions, images). image_of: (captions,), the image that each caption describes.

    Image to text: the rank of the image's best caption. Ties count against us: a constant score ranks last.
    Raises `InputError` for a similarity that is no number: nothing is above NaN, so that all would rank first.
    """
    if not np.isfinite(similarity).all():
        raise InputError("the model gives similarities that are no numbers: its weights are broken")
    captions, images = similarity.shape
    own = similarity[np.arange(captions), image_of]  # (C,)
    text_to_image = (similarity >= own[:, None]).sum(axis=1)
    best = np.full(images, -np.inf, similarity.dtype)
    np.maximum.at(best, image_of, own)
    own_at_best = np.bincount(image_of, weights=own >= best[image_of], minlength=images)  # they are no rivals
    image_to_text = 1 + (similarity >= best).sum(axis=0) - own_at_best
    return Retrieval(_recall(image_to_text), _recall(text_to_image), images, captions)


def _recall(ranks: np.ndarray) -> Recall:
    r1, r5, r10 = (100 * float((ranks <= k).mean()) for k in (1, 5, 10))
    return Recall(r1, r5, r10, float(np.median(ranks)))


@torch.no_grad()
def evaluate(model: TextGroupModel, data: CaptionData, captions_per_image: int | None = None) -> Retrieval:
    """Retrieval over a data set with images; the first `captions_per_image` captions of each, or all."""
    device = next(model.parameters()).device
    text = torch.empty(len(data.starts) - 1, model.embedding)
    for chunk, numbers in data.chunks():
        groups = model.encode(chunk.ids.to(device), chunk.mask.to(device))
        text[torch.from_numpy(numbers)] = model.embed_text(groups).float().cpu()
    image = model.embed_image(data.images().to(device)).float().cpu()
    image_of = data.item_of_caption()
    if captions_per_image is not None:
        keep = np.arange(len(image_of)) - data.first[image_of] < captions_per_image
        text, image_of = text[torch.from_numpy(keep)], image_of[keep]
    return retrieval((text @ image.T).numpy(), image_of)


def evaluate_samples(
    model: DualEncoder,
    samples: Iterable[Sample],
    source: str,
    captions_per_image: int | None = None,
    batch_size: int | None = None,
    count: Count | None = None,
) -> Retrieval:
    """The same for any model, over images with captions; broken images are left out, and added to `count`.

    source: name of the samples, for messages. Samples of one key are one image, and give their captions together.
    """
    captions: dict[str, list[str]] = {}

    def pictures() -> Iterator[tuple[str, bytes | Path]]:
        for sample in samples:
            if sample.image is not None and sample.captions:
                known = sample.key in captions
                captions.setdefault(sample.key, []).extend(sample.captions)
                if not known or isinstance(sample.image, bytes):  # a path is the same image, wherever it comes
                    yield sample.key, sample.image

    with progress_bar("images", None) as advance:
        images = embed_images(model, pictures(), batch_size, advance)
    if count is not None:
        for key, reason in images.broken.items():
            count.lose_image(key, "an image that cannot be decoded", reason)
    if not images.row:
        why = next((f" ({reason})" for reason in images.broken.values()), "")
        raise InputError(f"--captions {source}: it holds no image that can be read and has a caption{why}")
    captions = {key: texts[:captions_per_image] for key, texts in captions.items()}
    texts = [caption for key in images.row for caption in captions[key]]
    with progress_bar("captions", len(texts)) as advance:
        text = embed_captions(model, texts, advance)
    image_of = np.repeat(np.arange(len(images.row)), [len(captions[key]) for key in images.row])
    return retrieval(text @ images.vectors.T, image_of)
