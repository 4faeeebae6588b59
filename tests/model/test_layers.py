"""The layers that all encoders and the decoder share."""

import pytest
import torch

from textgroup.model.layers import Attention


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("kind", ["self", "cross"])
def test_attention_of_an_empty_batch_is_empty_and_gives_every_weight_a_gradient(device: str, kind: str) -> None:
    """A chunk of which the decoder writes no caption (`loss.written`); CUDA's kernels ended the process."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    attention = Attention(8, 2).to(device)
    x = torch.zeros(0, 5, 8, device=device)
    memory = torch.zeros(0, 3, 8, device=device) if kind == "cross" else None
    out = attention(x, memory, torch.ones(0, 3 if kind == "cross" else 5, dtype=torch.bool, device=device))
    assert out.shape == (0, 5, 8)
    out.sum().backward()
    for name, weight in attention.named_parameters():
        assert weight.grad is not None, name
        assert not weight.grad.any(), name
