"""Cross-entropy without logits, against the dense one."""

import pytest
import torch
import torch.nn.functional as F

from textgroup.training.objectives import cross_entropy
from textgroup.training.objectives.cross_entropy import linear_cross_entropy


def drawn(rows: int, vocabulary: int = 501, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(rows, 16, generator=generator, dtype=dtype)
    embedding = torch.randn(vocabulary, 16, generator=generator, dtype=dtype)
    targets = torch.randint(0, vocabulary, (rows,), generator=generator)
    return states.requires_grad_(), embedding.requires_grad_(), targets, torch.rand(rows, generator=generator)


def dense(states: torch.Tensor, embedding: torch.Tensor, targets: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (F.cross_entropy(states @ embedding.T, targets, reduction="none") * weight).sum()


@pytest.mark.parametrize("rows", [0, 1, 127, 128, 300])
@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_loss_and_gradients_are_the_dense_ones(rows: int, dtype: torch.dtype, most: float) -> None:
    states, embedding, targets, weight = drawn(rows, dtype=dtype)
    expected = dense(states, embedding, targets, weight)
    gradients = torch.autograd.grad(3 * expected, (states, embedding))
    found = linear_cross_entropy(states, embedding, targets, weight)
    assert torch.allclose(found, expected, rtol=most)
    for ours, theirs in zip(torch.autograd.grad(3 * found, (states, embedding)), gradients):
        assert ours.dtype == dtype
        assert (ours - theirs).abs().max() <= most * theirs.abs().max() if rows else not ours.any()


def test_the_logits_are_never_there_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cross_entropy.ROWS, "cpu", 4)
    biggest = 0

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, arguments=(), named=None):  # type: ignore[no-untyped-def]
            nonlocal biggest
            out = function(*arguments, **(named or {}))
            if isinstance(out, torch.Tensor):
                biggest = max(biggest, out.numel())
            return out

    states, embedding, targets, weight = drawn(200)
    with Watch():
        dense(states, embedding, targets, weight)
        assert biggest >= 200 * 501, "the watch sees logits where there are some"
        biggest = 0
        linear_cross_entropy(states, embedding, targets, weight).backward()
    assert biggest <= embedding.numel()


def test_large_logits_overflow_nothing() -> None:
    states, embedding, targets, weight = drawn(8)
    with torch.no_grad():
        states *= 1e4
    found = linear_cross_entropy(states, embedding, targets, weight)
    found.backward()
    assert torch.allclose(found, dense(states, embedding, targets, weight), rtol=1e-5)
    assert states.grad is not None
    assert torch.isfinite(states.grad).all()


def test_without_gradients_none_are_prepared() -> None:
    states, embedding, targets, weight = drawn(8)
    with torch.no_grad():
        found = linear_cross_entropy(states, embedding, targets, weight)
    assert not found.requires_grad
    assert torch.allclose(found, dense(states, embedding, targets, weight))


def test_in_bf16_it_is_as_close_as_the_dense_one_in_bf16() -> None:
    states, embedding, targets, weight = drawn(200)
    exact = torch.autograd.grad(dense(states, embedding, targets, weight), (states, embedding))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        theirs = torch.autograd.grad(dense(states, embedding, targets, weight), (states, embedding))
        ours = torch.autograd.grad(linear_cross_entropy(states, embedding, targets, weight), (states, embedding))
    for a, b, truth in zip(ours, theirs, exact):
        assert a.dtype == torch.float32
        assert (a - truth).norm() <= 1.5 * (b - truth).norm()
