"""Chunk by chunk or all at once: the same losses and the same gradients."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from textgroup.config.model import DecoderConfig, EncoderConfig, ModelConfig
from textgroup.config.run import LossConfig
from textgroup.data.batches import Batch
from textgroup.data.captions import CaptionData
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.exactness import gradcache
from textgroup.training.objectives import total
from textgroup.training.objectives.contract import Losses, Objective
from textgroup.training.objectives.total import compute, objectives_for

KEY = 12345
GROUPING = EncoderConfig(max_tokens=12, width=16, heads=2, layers_before=1, layers_after=1, groups=3, word_dropout=0.2)
EQUATIONS = replace(GROUPING, block="equations", residual="none", values="embedded")
ALL = LossConfig(balance=0.3, contiguity=0.7, alignment=0.6, grounding=0.5)


def model(encoder: EncoderConfig, image_width: int | None = 5) -> TextGroupModel:
    torch.manual_seed(0)
    decoder = DecoderConfig(bottleneck=8, noise=0.5, word_dropout=0.3)
    config = ModelConfig(encoder=encoder, decoder=decoder, embedding=6, image_dropout=0.2)
    made = TextGroupModel(**vars(config), vocabulary=40, image_width=image_width).double().train()
    with torch.no_grad():  # GroupViT's small initial weights would make all captions nearly alike
        for p in made.parameters():
            p.add_(torch.randn_like(p), alpha=0.2)
    return made


def data(items: int = 23) -> CaptionData:
    random = np.random.default_rng(0)
    lengths = random.integers(3, 12, items)
    ids = random.integers(0, 38, lengths.sum()).astype(np.int32)
    ids[np.cumsum(lengths) - 1] = 39  # end of text
    return CaptionData(
        ids=ids,
        starts=np.cumsum([0, *lengths]),
        first=np.arange(items + 1),
        pooled=random.normal(size=(items, 5)).astype(np.float32),
        rows=np.arange(items),
        objects=random.normal(size=(items, 3, 5)) * (np.arange(3) < random.integers(1, 4, (items, 1)))[:, :, None],
    )


def batch_of(chunk: int | None, images: bool = True) -> Batch:
    return seen_in(data().batch(0, 23, 0, chunk), torch.float64 if images else None)


def seen_in(batch: Batch, kind: torch.dtype | None) -> Batch:
    """The batch with its images in this type, or without."""
    image, objects = (None if x is None or kind is None else x.to(kind) for x in (batch.image, batch.objects))
    return batch._replace(image=image, objects=objects)


def gradients(made: TextGroupModel) -> dict[str, torch.Tensor]:
    found = {name: p.grad.clone() for name, p in made.named_parameters() if p.grad is not None}
    made.zero_grad()
    return found


def furthest(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    """The largest difference, relative to the largest gradient of the same parameter.

    Or to a thousandth of the largest of all: some gradients, as that of a key's bias, are 0 but for rounding.
    """
    assert ours.keys() == theirs.keys()
    size = {name: gradient.abs().max().item() for name, gradient in theirs.items()}
    floor = 1e-3 * max(size.values())
    return max((ours[name] - theirs[name]).abs().max().item() / max(size[name], floor) for name in ours)


def at_once(made: TextGroupModel, batch: Batch, config: LossConfig) -> tuple[Losses, dict[str, torch.Tensor]]:
    found = compute(made, batch, terms_of(config), KEY)
    found.total.backward()
    return found, gradients(made)


def cached(made: TextGroupModel, batch: Batch, config: LossConfig) -> tuple[Losses, dict[str, torch.Tensor]]:
    return gradcache.backward(made, batch, terms_of(config), KEY), gradients(made)


def terms_of(config: LossConfig) -> list[Objective]:
    return objectives_for(config, torch.rand(40, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("chunk", [1, 5, 22, 23])  # 5 and 22 leave a short last chunk
@pytest.mark.parametrize(
    "encoder", [GROUPING, EQUATIONS, replace(GROUPING, kind="baseline"), replace(GROUPING, kind="soft")]
)
def test_it_is_exact_with_all_noise_and_all_terms(encoder: EncoderConfig, chunk: int) -> None:
    """Against the graph of the whole batch, itself cut in no more than one piece, in float64."""
    made = model(encoder)
    expected, theirs = at_once(made, batch_of(23), ALL)
    found, ours = cached(made, batch_of(chunk), ALL)
    assert (
        found.terms.keys()
        == expected.terms.keys()
        >= {"reconstruction", "balance", "contiguity", "alignment", "grounding"}
    )
    for name, value in expected.as_dict().items():
        assert abs(found.as_dict()[name] - value) < 1e-10 * max(1, abs(value)), name
    assert furthest(ours, theirs) < 1e-10


@pytest.mark.parametrize("reduction", ["token_mean", "caption_mean", "sum"])
@pytest.mark.parametrize("images", [True, False])
def test_every_reduction_is_exact_with_images_and_without(reduction: str, images: bool) -> None:
    made = model(GROUPING)
    config = LossConfig(reduction=reduction)  # type: ignore[arg-type]
    _, theirs = at_once(made, batch_of(23, images), config)
    _, ours = cached(made, batch_of(6, images), config)
    assert furthest(ours, theirs) < 1e-10


@pytest.mark.parametrize("chunk", [1, 7])  # of 46 captions
def test_it_is_exact_for_two_captions_an_image_and_a_share_of_them_written(chunk: int) -> None:
    made = model(GROUPING)
    config = LossConfig(paraphrase=0.5, written=0.4)
    pairs = replace(data(), per_item=2)
    whole, parts = (seen_in(pairs.batch(0, 46, 0, size), torch.float64) for size in (46, chunk))
    expected, theirs = at_once(made, whole, config)
    found, ours = cached(made, parts, config)
    assert "paraphrase" in found.terms
    assert found.total.item() == pytest.approx(expected.total.item(), rel=1e-10)
    assert furthest(ours, theirs) < 1e-10


def test_it_is_exact_where_a_router_cuts() -> None:
    encoder = replace(GROUPING, kind="dynamic")
    made = model(encoder)
    made.encoder.router.ends_word[::2] = True
    config = LossConfig(alignment=0.6, grounding=0.5)
    _, theirs = at_once(made, batch_of(23), config)
    _, ours = cached(made, batch_of(5), config)
    assert furthest(ours, theirs) < 1e-5  # the router's logits are in fp32


def test_the_noise_matters_and_another_would_be_seen() -> None:
    made = model(GROUPING)
    _, one = at_once(made, batch_of(23), ALL)
    compute(made, batch_of(23), terms_of(ALL), KEY + 1).total.backward()
    assert furthest(gradients(made), one) > 0.01


def test_adding_up_the_chunks_own_losses_would_be_wrong() -> None:
    """What GradCache is for: InfoNCE within chunks is another loss."""
    made = model(GROUPING)
    _, theirs = at_once(made, batch_of(23), ALL)
    for part in batch_of(5).each_chunk():
        alone = part._replace(positions=None, total=None)
        (compute(made, alone, terms_of(ALL), KEY).total * alone.size / 23).backward()
    assert furthest(gradients(made), theirs) > 0.01


def test_memory_holds_the_graph_of_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that autograd keeps for backward, at most: the same for four times the captions."""

    def most(items: int, chunk: int) -> int:
        kept, peak = 0, 0

        class Saved:
            def __init__(self, x: torch.Tensor) -> None:
                nonlocal kept, peak
                self.x = x
                kept += x.numel()
                peak = max(peak, kept)

            def __del__(self) -> None:
                nonlocal kept
                kept -= self.x.numel()

        batch = seen_in(data(items).batch(0, items, 0, chunk), torch.float64)
        with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.x):
            gradcache.backward(model(GROUPING), batch, objectives_for(LossConfig()), KEY)
        return peak

    assert most(128, 16) < 1.2 * most(32, 16)
    assert most(128, 128) > 3 * most(128, 16)


def test_in_bf16_it_is_as_close_to_the_truth_as_the_whole_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    made = model(GROUPING).float()

    def whole(chunk: int) -> Batch:
        return seen_in(batch_of(chunk), torch.float32)

    _, truth = at_once(made, whole(23), ALL)
    monkeypatch.setattr(total, "autocast", lambda device: torch.autocast("cpu", dtype=torch.bfloat16))
    _, theirs = at_once(made, whole(23), ALL)
    _, ours = cached(made, whole(5), ALL)

    def far(found: dict[str, torch.Tensor]) -> float:
        return sum(((found[n] - truth[n]).norm() / truth[n].norm().clamp_min(1e-9)).item() for n in truth)

    assert far(theirs) > 1e-2 * len(truth) / 10, "it is in bf16 indeed"
    assert far(ours) < 1.3 * far(theirs)
