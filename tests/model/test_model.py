"""What the text side must do, whatever its weights."""

from dataclasses import replace

import pytest
import torch

from textgroup.config.model import DecoderConfig, EncoderConfig, ModelConfig
from textgroup.config.run import LossConfig
from textgroup.data.batches import Batch, Chunk, pad
from textgroup.model.decoder import reverse
from textgroup.model.noise import Noise
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.objectives.total import compute, objectives_for

SMALL = EncoderConfig(max_tokens=20, width=16, heads=2, layers_before=2, layers_after=1, groups=3)
DECODER = DecoderConfig()
ENCODERS = [
    SMALL,
    replace(SMALL, residual="none", values="embedded"),
    replace(SMALL, block="equations"),
    replace(SMALL, block="equations", residual="none", values="embedded"),
    replace(SMALL, kind="baseline"),
    replace(SMALL, kind="dynamic"),
    replace(SMALL, kind="soft"),
    replace(SMALL, kind="bottom_up"),
    replace(SMALL, kind="two_blocks"),
    replace(SMALL, kind="equal"),
    replace(SMALL, kind="tokens"),
]
CAPTIONS = [[58, 5, 6, 7, 59], [58, 8, 59], [58, *range(9, 20), 59], [58, 0, 0, 59]]


def model(encoder: EncoderConfig = SMALL, decoder: DecoderConfig | None = DECODER, seed: int = 0) -> TextGroupModel:
    torch.manual_seed(seed)
    made = TextGroupModel(
        **vars(ModelConfig(encoder=encoder, decoder=decoder, embedding=8)), vocabulary=60, image_width=10
    )
    with torch.no_grad():  # far from the initial weights, so that everything shows
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return made.eval()


def wider(chunk: Chunk, by: int) -> Chunk:
    """The same captions with more padding, of ids that are real tokens."""
    ids = torch.cat([chunk.ids, torch.full((len(chunk.ids), by), 7)], dim=1)
    return Chunk(ids, torch.cat([chunk.mask, torch.zeros(len(chunk.ids), by, dtype=torch.bool)], dim=1))


@pytest.mark.parametrize("encoder", ENCODERS)
@torch.no_grad()
def test_padding_changes_no_output(encoder: EncoderConfig) -> None:
    made, chunk = model(encoder).double(), pad(CAPTIONS)  # weights are large: in double, nothing is lost to rounding
    length = chunk.ids.shape[1]
    for by in (1, 7):
        plain, padded = made.encode(*chunk), made.encode(*wider(chunk, by))
        assert (plain.groups - padded.groups).abs().max() < 1e-6
        assert (plain.assignment - padded.assignment[:, :, :length]).abs().max() < 1e-6
        assert padded.assignment[:, :, length:].abs().max() == 0
        states, _, valid = made.decode(*chunk, plain)
        states_padded, _, valid_padded = made.decode(*wider(chunk, by), padded)
        assert (states[valid] - states_padded[valid_padded]).abs().max() < 1e-6


@pytest.mark.parametrize("encoder", ENCODERS)
@torch.no_grad()
def test_units_alone_are_those_that_come_with_vectors(encoder: EncoderConfig) -> None:
    made, chunk = model(encoder), pad(CAPTIONS)
    alone, text = made.owners(*chunk), made.encode(*chunk)
    assert torch.equal(alone.owner, text.owner)
    assert (alone.groundable is None) == (text.groundable is None)
    if alone.groundable is not None and text.groundable is not None:
        assert torch.equal(alone.groundable, text.groundable)


@torch.no_grad()
def test_a_caption_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    made = model().double()
    together = made.encode(*pad(CAPTIONS)).groups
    for i, caption in enumerate(CAPTIONS):
        assert (made.encode(*pad([caption])).groups[0] - together[i]).abs().max() < 1e-6


@torch.no_grad()
def test_unmasked_padding_is_read_and_always_to_the_full_length() -> None:
    made, chunk = model(replace(SMALL, mask_padding=False)), pad(CAPTIONS)
    masked = model()
    assert (made.encode(*chunk).groups - masked.encode(*chunk).groups).abs().max() > 1e-4
    assert made.encode(*chunk).assignment.shape == (4, 3, chunk.ids.shape[1])


@torch.no_grad()
def test_with_one_group_all_tokens_share_a_unit() -> None:
    out = model(replace(SMALL, groups=1)).encode(*pad(CAPTIONS))
    assert (out.owner[out.mask] == 0).all()
    assert torch.allclose(out.assignment.sum(dim=1), out.mask.float())


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("decoder", [DecoderConfig(), DecoderConfig(bottleneck=4, noise=0.5, word_dropout=0.3)])
def test_gradients_flow_to_every_parameter(encoder: EncoderConfig, decoder: DecoderConfig) -> None:
    made = model(encoder, decoder).train()
    captions = [[58, *torch.randint(0, 58, (17,)).tolist(), 59] for _ in range(8)]  # all 19 positions in use
    batch = Batch([pad([*captions, [58, *range(18), 59]])], torch.randn(9, 10))
    if encoder.kind == "dynamic":
        made.encoder.router.ends_word.fill_(True)  # so that there are several units
    config = LossConfig() if encoder.kind == "dynamic" else LossConfig(balance=0.1, contiguity=0.1)
    losses = compute(made, batch, objectives_for(config), key=0)
    losses.total.backward()
    trained = {name: p.grad for name, p in made.named_parameters() if p.requires_grad}
    without = [name for name, gradient in trained.items() if gradient is None or not gradient.abs().sum() > 0]
    assert not without


def test_a_forced_assignment_takes_the_place_of_the_models() -> None:
    made = model(replace(SMALL, block="equations", residual="none", values="embedded"))
    chunk = pad(CAPTIONS)
    nothing = torch.zeros(4, 3, chunk.ids.shape[1])
    with torch.no_grad():
        groups = made.encode(*chunk, forced=nothing).groups
    assert (groups - groups[0]).abs().max() < 1e-6  # nothing was assigned: no caption shows


def test_the_leak_is_open_with_the_residual_and_closed_without() -> None:
    """Change one token that is assigned to group 0: with the leak closed, only group 0's input may change."""
    for encoder, leaks in ((SMALL, True), (replace(SMALL, residual="none", values="embedded", layers_after=0), False)):
        made, chunk = model(encoder), pad([[58, 5, 6, 7, 8, 59]])
        forced = torch.zeros(1, 3, 6)
        forced[0, [0, 1, 2, 2, 1, 0], range(6)] = 1
        other = chunk.ids.clone()
        other[0, 1] = 20  # owned by group 1
        with torch.no_grad():
            before, after = (made.encode(ids, chunk.mask, forced=forced).groups for ids in (chunk.ids, other))
        moved = (before - after).abs().amax(dim=(0, 2)) > 1e-5
        assert moved.tolist() == ([True] * 3 if leaks else [False, True, False])


@torch.no_grad()
def test_head_and_mean_commute() -> None:
    made = model()
    assert made.image_head is not None
    objects = torch.randn(5, 8, 10)
    each = torch.nn.functional.normalize(made.image_head(objects).mean(dim=1), dim=-1)
    assert torch.allclose(each, made.embed_image(objects.mean(dim=1)), atol=1e-6)


def test_reversing_keeps_padding_at_the_end() -> None:
    ids, mask = pad([[1, 2, 3, 4], [5, 6]])
    assert reverse(ids, mask).tolist() == [[4, 3, 2, 1], [6, 5, 0, 0]]


@pytest.mark.parametrize("direction", ["left_to_right", "right_to_left"])
@torch.no_grad()
def test_the_decoder_predicts_each_next_token_and_sees_no_later_one(direction: str) -> None:
    made = model(decoder=DecoderConfig(direction=direction))  # type: ignore[arg-type]
    ids, mask = pad([[58, 5, 6, 7, 59]])
    text = made.encode(ids, mask)
    states, targets, valid = made.decode(ids, mask, text)
    assert targets[valid].tolist() == ([5, 6, 7, 59] if direction == "left_to_right" else [7, 6, 5, 58])
    changed = ids.clone()
    changed[0, 3 if direction == "left_to_right" else 1] = 30
    moved = (made.decode(changed, mask, text)[0] - states).abs().amax(dim=(0, 2)) > 1e-6
    assert moved.tolist() == [False, False, False, True]


@torch.no_grad()
def test_the_decoder_is_noisy_in_training_only_and_by_its_key() -> None:
    made = model(decoder=DecoderConfig(noise=1.0))
    chunk = pad(CAPTIONS)
    text = made.encode(*chunk)

    def states(seed: int | None) -> torch.Tensor:
        return made.decode(*chunk, text, None if seed is None else Noise(seed, torch.arange(4)))[0]

    assert torch.equal(states(None), states(None))
    assert torch.equal(states(1), states(1))
    assert not torch.allclose(states(1), states(2))
    assert not torch.allclose(states(1), states(None))


def test_the_embedding_is_shared_by_encoder_and_decoder() -> None:
    counts = model().parameter_counts()
    assert counts["embeddings"] == (60 + 20) * 16
    names = [name for name, _ in model().named_parameters()]
    assert sum("token.weight" in name for name in names) == 1


def test_the_paper_has_the_parameters_that_its_sizes_give() -> None:
    """Section 4.1: counted by hand from the sizes, about 8.9 M, of which 6.3 M are embeddings."""
    counts = TextGroupModel(**vars(ModelConfig()), vocabulary=49_408, image_width=384).parameter_counts()
    d, k = 128, 4
    layer = 12 * d * d + 13 * d  # attention 4 d^2 + 4 d, MLP 8 d^2 + 5 d, two norms 4 d
    equations = 4 * (d * d + d)
    mixing = (k * d // 2 + d // 2) + (d // 2 * k + k)
    cross = 4 * (d * d + d) + 8 * d * d + 5 * d
    channel = 8 * d * d + 5 * d
    norms = 6 * 2 * d
    assert counts["embeddings"] == (49_408 + 77) * d
    assert counts["encoder"] == 9 * layer + k * d + equations + mixing + cross + channel + norms + 2 * d
    assert counts["decoder"] == 77 * d + (4 * (d * d + d) * 2 + 8 * d * d + 5 * d + 3 * 2 * d) + 2 * d
    assert counts["text head"] == d * 256 + 256
    assert counts["image head"] == 384 * 256 + 256
    assert counts["total"] == sum(v for name, v in counts.items() if name != "total")
    assert 8.85e6 < counts["total"] < 8.95e6


def test_units_and_objects_that_are_not_there_are_zeros_and_the_others_have_unit_length() -> None:
    made = model(replace(SMALL, kind="dynamic"))
    chunk = pad(CAPTIONS)
    text = made.encode(chunk.ids, chunk.mask)
    assert not text.present.all()
    assert torch.allclose(made.embed_units(text).norm(dim=2), text.present.float(), atol=1e-5)
    groups = torch.randn(3, 2, 10)
    groups[1, 1] = 0
    objects = made.embed_objects(groups)
    assert torch.allclose(objects.norm(dim=2), torch.tensor([[1.0, 1], [1, 0], [1, 1]]), atol=1e-5)
    assert torch.allclose(objects[:, 0], made.embed_image(groups[:, 0]), atol=1e-6), "the head is the image's"
