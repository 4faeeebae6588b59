"""The losses against sums written out by hand."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.model import DecoderConfig
from textgroup.config.run import LossConfig
from textgroup.data.batches import Batch
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.late_interaction import NULL, found_similarity
from textgroup.model.sharpness import SHARPNESS
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.build import build_model
from textgroup.training.exactness import gradcache
from textgroup.training.objectives import grounding
from textgroup.training.objectives.alignment import alignment_loss
from textgroup.training.objectives.balance import balance_loss, group_usage
from textgroup.training.objectives.contiguity import contiguity_cost
from textgroup.training.objectives.contract import ChunkOutput
from textgroup.training.objectives.contrastive import info_nce
from textgroup.training.objectives.grounding import Grounding, grounding_loss
from textgroup.training.objectives.reconstruction import token_weights
from textgroup.training.objectives.total import combine, compute, gather, objectives_for


def test_info_nce_is_equations_6_to_8() -> None:
    generator = torch.Generator().manual_seed(0)
    text, image = (F.normalize(torch.randn(5, 7, generator=generator), dim=1) for _ in range(2))
    tau, b = 0.07, 5
    sim = [[float(text[i] @ image[j]) for j in range(b)] for i in range(b)]
    i_t = (
        -sum(math.log(math.exp(sim[i][i] / tau) / sum(math.exp(sim[j][i] / tau) for j in range(b))) for i in range(b))
        / b
    )
    t_i = (
        -sum(math.log(math.exp(sim[i][i] / tau) / sum(math.exp(sim[i][j] / tau) for j in range(b))) for i in range(b))
        / b
    )
    assert info_nce(text, image, tau).item() == pytest.approx((i_t + t_i) / 2, rel=1e-5)


def test_info_nce_of_unrelated_pairs_is_the_logarithm_of_the_batch() -> None:
    same = F.normalize(torch.ones(8, 4), dim=1)
    assert info_nce(same, same, 0.07).item() == pytest.approx(math.log(8))


def test_alignment_is_info_nce_over_sets_and_asks_each_unit_for_an_object_here_and_none_elsewhere() -> None:
    """Written out with the probability that a unit refers to none: one over one plus the objects' odds."""
    generator, b, tau = torch.Generator().manual_seed(0), 3, 0.5
    units, objects = (F.normalize(torch.randn(b, 2, 5, generator=generator), dim=2) for _ in range(2))

    def none(i: int, k: int, j: int) -> float:
        return 1 / (1 + sum(math.exp((float(units[i, k] @ objects[j, g]) - NULL) / tau) for g in range(2)))

    similarity = torch.tensor(
        [[sum(-math.log(none(i, k, j)) for k in range(2)) / 2 for j in range(b)] for i in range(b)]
    )
    here = [-math.log(1 - none(i, k, i)) for i in range(b) for k in range(2)]
    elsewhere = [-math.log(none(i, k, j)) for i in range(b) for k in range(2) for j in range(b) if i != j]
    own = similarity.diag()
    contrastive = ((similarity.logsumexp(0) - own).mean() + (similarity.logsumexp(1) - own).mean()) / 2
    expected = contrastive.item() + sum(here) / len(here) + sum(elsewhere) / len(elsewhere)
    assert alignment_loss(units, objects, tau).item() == pytest.approx(expected, rel=1e-5)


def test_a_unit_that_is_as_common_elsewhere_as_here_is_best_off_with_none() -> None:
    """All captions have the same unit, so InfoNCE has nothing to say: its cosine falls below null's."""
    images = torch.eye(6).view(3, 2, 6)
    unit = torch.full((6,), 0.4, requires_grad=True)
    optimizer = torch.optim.SGD([unit], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        alignment_loss(unit.expand(3, 1, 6), images, 0.07).backward()
        optimizer.step()
    assert (unit < NULL).all()
    assert unit.detach().numpy() == pytest.approx(NULL - 0.07 * math.log(2), abs=0.01), "even odds, two objects"


@pytest.mark.parametrize(
    ("reduction", "expected"), [("token_mean", 21 / 6), ("sum", 21.0), ("caption_mean", (1 + 5 / 2 + 15 / 3) / 3)]
)
def test_reductions_count_the_tokens_of_the_whole_batch(reduction: str, expected: float) -> None:
    """Three captions of 1, 2 and 3 tokens, in two chunks, with losses 1 | 2 3 | 4 5 6."""
    nats = [torch.tensor([1.0, 2, 3]), torch.tensor([4.0, 5, 6])]
    valid = [torch.tensor([[1, 0], [1, 1]]).bool(), torch.tensor([[1, 1, 1]]).bool()]
    parts = []
    for lost, where in zip(nats, valid):
        weight, divisor = token_weights(where, reduction)
        parts.append(ChunkOutput({}, {"reconstruction": torch.stack([(lost * weight).sum(), divisor.float()])}))
    batch = Batch([], None)
    losses = combine(gather(parts, batch), objectives_for(LossConfig(reconstruction=0.5)), None)
    assert losses.terms["reconstruction"].item() == pytest.approx(expected)
    assert losses.total.item() == pytest.approx(expected / 2)


def test_paraphrase_compares_the_two_captions_of_each_image_as_info_nce_does() -> None:
    text, image = (F.normalize(torch.randn(6, 4, generator=torch.Generator().manual_seed(n)), dim=1) for n in (0, 1))
    pairs = torch.tensor([[4, 0], [1, 5], [2, 3]])
    config = LossConfig(paraphrase=0.25)
    objectives = objectives_for(config)
    vectors = ChunkOutput({"text": text, "image": image}, {})
    losses = combine(vectors, objectives, pairs)
    expected = info_nce(text[[4, 1, 2]], text[[0, 5, 3]], config.temperature)
    assert losses.terms["paraphrase"].item() == pytest.approx(expected.item())
    assert losses.total.item() == pytest.approx(losses.terms["contrastive"].item() + 0.25 * expected.item())
    assert "paraphrase" not in combine(vectors, objectives, None).terms, "with one caption an image there is nothing"


def test_of_a_batch_only_a_share_is_written_and_another_in_each_step() -> None:
    """The mean over many steps is that of all captions."""
    made, batch = tiny_model(), tiny_inputs().train.batch(0, 16, 0)
    every, share = (objectives_for(LossConfig(reduction="caption_mean", written=written)) for written in (1, 0.3))
    with torch.no_grad():
        whole = compute(made, batch, every, 0).terms["reconstruction"]
        shares = torch.stack([compute(made, batch, share, key).terms["reconstruction"] for key in range(60)])
        assert compute(made, batch, share, None) == compute(made, batch, every, None)
    assert len(set(shares.tolist())) > 50
    assert shares[shares > 0].mean().item() == pytest.approx(whole.item(), rel=0.02)


@pytest.mark.parametrize("chunk", [None, 1])
def test_a_share_that_happens_to_be_no_caption_leaves_a_gradient_of_zero_everywhere(chunk: int | None) -> None:
    """Of captions alone: nothing else has a gradient. Other processes wait for all of them."""
    made, batch = tiny_model(), tiny_inputs().train.batch(0, 4, 0, chunk)._replace(image=None)
    objectives = objectives_for(LossConfig(written=1e-9))
    for key in range(8):
        made.zero_grad()
        if chunk is None:
            found = compute(made, batch, objectives, key)
            found.total.backward()
        else:
            found = gradcache.backward(made, batch, objectives, key)
        assert found.total.item() == 0
        gradients = [p.grad for name, p in made.named_parameters() if "head" not in name]
        assert all(gradient is not None and not gradient.any() for gradient in gradients)


def tiny_model() -> TextGroupModel:
    """Without noise of its own, so that only the share that is written differs between steps."""
    config = tiny_config(Path("unused"))
    decoder, encoder = DecoderConfig(), replace(config.model.encoder, noise=0.0)
    return build_model(replace(config, model=replace(config.model, encoder=encoder, decoder=decoder)), tiny_inputs())


def groups_of(assignment: list[list[list[float]]], mask: list[list[int]]) -> TextGroups:
    soft, valid = torch.tensor(assignment), torch.tensor(mask).bool()
    return TextGroups.fixed(torch.zeros(len(soft), soft.shape[1], 2), soft * valid[:, None, :], valid)


def test_balance_is_zero_for_equal_groups_and_log_k_for_a_collapse() -> None:
    equal = groups_of([[[1.0, 1, 0, 0], [0, 0, 1, 1]]], [[1, 1, 1, 1]])
    collapsed = groups_of([[[1.0, 1, 1, 1], [0, 0, 0, 0]]], [[1, 1, 1, 1]])
    assert balance_loss(group_usage(equal)).item() == pytest.approx(0, abs=1e-6)
    assert balance_loss(group_usage(collapsed)).item() == pytest.approx(math.log(2))
    other = groups_of([[[0.0, 0, 0, 0], [1, 1, 1, 1]]], [[1, 1, 1, 1]])
    assert balance_loss(group_usage(collapsed) + group_usage(other)).item() == pytest.approx(
        0, abs=1e-6
    )  # over the batch, not the caption
    uniform = groups_of([[[0.5, 0.5], [0.5, 0.5]]], [[1, 1]])
    assert balance_loss(group_usage(uniform)).item() == pytest.approx(math.log(2))


def test_contiguity_counts_the_changes_between_neighbours_and_no_padding() -> None:
    hard = groups_of([[[1.0, 1, 0, 0, 9], [0, 0, 1, 1, 9]]], [[1, 1, 1, 1, 0]])
    ones = torch.ones(1, 5)
    assert contiguity_cost(hard, ones).tolist() == pytest.approx([1, 3])
    assert contiguity_cost(hard, torch.tensor([[9, 1, 0.25, 1, 9]])).tolist() == pytest.approx([0.25, 3])
    soft = groups_of([[[0.5, 0.5], [0.5, 0.5]]], [[1, 1]])
    assert contiguity_cost(soft, torch.ones(1, 2)).tolist() == pytest.approx([0.5, 1])


def test_grounding_is_equations_6_to_8_over_the_mean_cosine_with_what_each_unit_finds() -> None:
    """Written out; the second caption has one unit, the third image one object: what is not there counts nowhere."""
    generator, b, tau = torch.Generator().manual_seed(0), 3, 0.07
    units, objects = (F.normalize(torch.randn(b, 2, 5, generator=generator).double(), dim=2) for _ in range(2))
    units[1, 1] = 0
    objects[2, 1] = 0

    def found(i: int, j: int) -> float:
        cosines = []
        for unit in [units[i, k] for k in range(2) if units[i, k].any()]:
            each = [float(unit @ objects[j, g]) for g in range(2) if objects[j, g].any()]
            weights = [math.exp(SHARPNESS * cosine) for cosine in each]
            cosines.append(sum(w * cosine for w, cosine in zip(weights, each)) / sum(weights))
        return sum(cosines) / len(cosines)

    similarity = torch.tensor([[found(i, j) for j in range(b)] for i in range(b)]) / tau
    own = similarity.diag()
    expected = ((similarity.logsumexp(0) - own).mean() + (similarity.logsumexp(1) - own).mean()) / 2
    assert grounding_loss(units, objects, tau).item() == pytest.approx(expected.item(), rel=1e-4)


def test_grounding_contrasts_a_few_pairs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    units, objects = (F.normalize(torch.randn(5, 2, 5, generator=generator), dim=2) for _ in range(2))
    whole = grounding_loss(units, objects, 0.07)
    parts = [(range(3), 3 / 5), (range(3, 5), 2 / 5)]
    expected = sum(share * grounding_loss(units[list(rows)], objects[list(rows)], 0.07) for rows, share in parts)
    monkeypatch.setattr(grounding, "AMONG", 4)
    assert grounding_loss(units, objects, 0.07).item() == pytest.approx(float(expected))
    assert grounding_loss(units, objects, 0.07) < whole


def test_grounding_never_tells_an_image_that_comes_twice_from_itself() -> None:
    """Units that find their image, and its other caption's units as well: no loss, although the image comes twice."""
    units = objects = torch.eye(2)[[0, 1, 1, 0], None]  # (B, 1, E)
    pairs = torch.tensor([[0, 3], [1, 2]])
    batch = ChunkOutput({"names": units, "objects": objects}, {})
    found = Grounding(1.0, 0.07).losses(batch, pairs)["grounding"]
    assert found.item() == pytest.approx(0, abs=1e-5)
    assert Grounding(1.0, 0.07).losses(batch, None)["grounding"].item() == pytest.approx(math.log(2), abs=1e-5)


def test_an_image_without_objects_takes_part_in_grounding_with_similarity_0() -> None:
    generator = torch.Generator().manual_seed(0)
    units, objects = (F.normalize(torch.randn(2, 2, 5, generator=generator), dim=2) for _ in range(2))
    objects[1] = 0
    units.requires_grad_()
    assert found_similarity(units, objects)[:, 1].tolist() == [0, 0]
    grounding_loss(units, objects, 0.07).backward()
    assert units.grad is not None
    assert units.grad.isfinite().all()
