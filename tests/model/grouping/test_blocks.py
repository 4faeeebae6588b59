"""Both grouping blocks against independent implementations, and what top-down attention must do."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.attention import assign_hard
from textgroup.model.grouping.blocks import EquationsBlock, GroupViTBlock
from textgroup.model.layers import initialise
from textgroup.model.noise import Noise

B, K, M, D = 3, 4, 9, 32


def config(**changes: object) -> EncoderConfig:
    return EncoderConfig(**{"width": D, "heads": 4, "groups": K, **changes})  # type: ignore[arg-type]


def inputs(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    groups, tokens = torch.randn(B, K, D, generator=generator), torch.randn(B, M, D, generator=generator)
    mask = torch.arange(M) < torch.tensor([M, 5, 2])[:, None]
    return groups, tokens, mask


def spread(block: nn.Module, seed: int = 1) -> nn.Module:
    """Weights far from their initial ones, so that every term of the block shows."""
    torch.manual_seed(seed)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    return block.eval()


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@pytest.mark.parametrize("residual", ["groups", "none"])
@pytest.mark.parametrize("values", ["encoded", "embedded"])
def test_the_equations_are_those_of_the_paper(residual: str, values: str) -> None:
    block = spread(EquationsBlock(config(block="equations", residual=residual)))
    groups, tokens, mask = inputs()
    embedded = torch.randn(B, M, D, generator=torch.Generator().manual_seed(5)) if values == "embedded" else None
    found, soft = block(groups, tokens, embedded, mask)

    weights = {name: p.detach().double().numpy() for name, p in block.named_parameters()}

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"attention.{name}.weight"].T + weights[f"attention.{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    for b in range(B):
        n = int(mask[b].sum())
        g, t = groups[b].double().numpy(), tokens[b, :n].double().numpy()
        t_hat = norm(t, "norm_tokens")
        value_of = t_hat if embedded is None else embedded[b, :n].double().numpy()
        raw = linear(norm(g, "norm_groups"), "query") @ linear(t_hat, "key").T / np.sqrt(D)  # Eq. 1
        prime = softmax(raw, axis=0)  # Eq. 2 at evaluation: no noise
        hard = np.eye(K)[prime.argmax(axis=0)].T  # Eq. 3: the straight-through terms cancel
        update = np.zeros((K, D))
        for k in range(K):  # Eq. 4
            owned = [j for j in range(n) if hard[k, j]]
            mean = sum(linear(value_of[j], "value") for j in owned) / len(owned) if owned else np.zeros(D)
            update[k] = linear(mean, "out")
        expected = g + update if residual == "groups" else update
        np.testing.assert_allclose(found[b].detach().numpy(), expected, atol=2e-4, rtol=1e-4)
        np.testing.assert_allclose(soft[b, :, :n].detach().numpy(), prime, atol=1e-4)


def test_the_groupvit_block_is_that_of_transformers() -> None:
    groupvit = pytest.importorskip("transformers.models.groupvit.modeling_groupvit")
    from transformers import GroupViTVisionConfig

    theirs_config = GroupViTVisionConfig(
        hidden_size=D, intermediate_size=4 * D, num_attention_heads=4, assign_mlp_ratio=[0.5, 4], layer_norm_eps=1e-5
    )
    theirs = spread(groupvit.GroupViTTokenAssign(theirs_config, num_group_token=K, num_output_group=K))
    ours = GroupViTBlock(config()).eval()
    names = {
        "norm_groups": "norm_tokens",
        "norm_tokens": "norm_x",
        "mix.0": "mlp_inter.fc1",
        "mix.2": "mlp_inter.fc2",
        "norm_mixed": "norm_post_tokens",
        "cross.query": "pre_assign_attn.attn.q_proj",
        "cross.key": "pre_assign_attn.attn.k_proj",
        "cross.value": "pre_assign_attn.attn.v_proj",
        "cross.out": "pre_assign_attn.attn.out_proj",
        "norm_cross": "pre_assign_attn.norm2",
        "mlp_cross.0": "pre_assign_attn.mlp.fc1",
        "mlp_cross.2": "pre_assign_attn.mlp.fc2",
        "norm_read": "pre_assign_attn.norm_post",
        "attention.query": "assign.q_proj",
        "attention.key": "assign.k_proj",
        "attention.value": "assign.v_proj",
        "attention.out": "assign.proj",
        "norm_out": "norm_new_x",
        "mlp_out.0": "mlp_channels.fc1",
        "mlp_out.2": "mlp_channels.fc2",
    }
    source = theirs.state_dict()
    copied = {f"{a}.{part}": source[f"{b}.{part}"] for a, b in names.items() for part in ("weight", "bias")}
    assert len(copied) == len(source)
    ours.load_state_dict(copied)

    groups, tokens, _ = inputs()
    # Theirs is GELU by configuration (GroupViT's default), ours GELU: the same function.
    expected, attention = theirs(tokens, groups.clone())
    found, soft = ours(groups, tokens, None, torch.ones(B, M, dtype=torch.bool))
    assert (found - expected).abs().max() < 1e-5
    assert (soft - attention).abs().max() < 1e-5


@pytest.mark.parametrize("block", [EquationsBlock, GroupViTBlock])
def test_an_empty_group_receives_exactly_nothing(block: type[nn.Module]) -> None:
    grouping = spread(block(config(residual="none")))
    groups, tokens, mask = inputs()
    nobody = torch.zeros(B, K, M)
    update, _ = grouping.attention(groups, tokens, tokens, mask, None, nobody)  # type: ignore[operator]
    empty = grouping.attention.out.bias.expand(B, K, D)  # type: ignore[union-attr]
    assert torch.equal(update, empty)
    update.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in grouping.parameters() if p.grad is not None)


def test_each_token_belongs_to_one_group_and_padding_to_none() -> None:
    groups, tokens, mask = inputs()
    block = spread(EquationsBlock(config(block="equations")))
    _, soft = block(groups, tokens, None, mask)
    assert torch.allclose(soft.sum(dim=1), mask.float(), atol=1e-6)
    hard, _ = assign_hard(torch.randn(B, K, M))
    assert torch.allclose(hard.sum(dim=1), torch.ones(B, M))
    assert ((hard.abs() < 1e-6) | ((hard - 1).abs() < 1e-6)).all()


def test_the_hard_assignment_carries_the_gradient_of_the_soft_one() -> None:
    logits = torch.randn(B, K, M, dtype=torch.float32, requires_grad=True)
    weight = torch.randn(B, K, M)
    (assign_hard(logits)[0] * weight).sum().backward()
    through = logits.grad
    logits.grad = None
    (logits.softmax(dim=1) * weight).sum().backward()
    assert torch.allclose(through, logits.grad, atol=1e-6)  # type: ignore[arg-type]


def test_noise_moves_the_choice_but_not_the_soft_map() -> None:
    logits = torch.zeros(1, K, 400)
    quiet, soft = assign_hard(logits)
    noisy, soft_too = assign_hard(logits, Noise(0, torch.zeros(1, dtype=torch.int64)).gumbel("", K, 400))
    assert torch.equal(soft, soft_too)
    assert (quiet.argmax(1) == 0).all()
    share = noisy.argmax(1).flatten().bincount(minlength=K) / 400
    assert ((share - 1 / K).abs() < 0.1).all()  # equal logits: Gumbel-max draws the groups evenly


def test_the_softmax_over_groups_is_fp32_even_for_half_inputs() -> None:
    hard, soft = assign_hard(torch.randn(1, K, M, dtype=torch.bfloat16))
    assert hard.dtype == soft.dtype == torch.float32


def test_initial_weights_are_groupvits() -> None:
    block = GroupViTBlock(config())
    initialise(block)
    weight = block.mlp_out[0].weight
    assert 0.015 < weight.std().item() < 0.02  # a normal of 0.02 cut at two deviations
    assert weight.abs().max().item() <= 0.04
