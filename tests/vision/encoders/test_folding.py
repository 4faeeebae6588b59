"""Batch norms of a frozen network folded into its convolutions."""

import copy
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from textgroup.vision.encoders.folding import fold_batch_norms


class Net(nn.Module):
    """A convolution, its batch norm and a linear map; `reuse` adds the convolution's own output to the norm's."""

    def __init__(self, reuse: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.norm, self.conv, self.reuse = nn.BatchNorm2d(6), nn.Conv2d(3, 6, 3), reuse
        self.free = nn.BatchNorm2d(6)  # follows no convolution
        for norm in (self.norm, self.free):
            norm.running_mean = torch.randn(6)
            norm.running_var = torch.rand(6) + 0.5
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        self.eval()

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        seen = self.conv(pixel_values)
        normed = self.norm(seen)
        return SimpleNamespace(last_hidden_state=self.free((normed + seen if self.reuse else normed).relu()))


def test_features_stay_and_the_norm_is_gone() -> None:
    net, pixels = Net(), torch.randn(2, 3, 8, 8)
    before = net(pixels).last_hidden_state
    found = fold_batch_norms(copy.deepcopy(net), pixels)
    assert isinstance(found.get_submodule("norm"), nn.Identity)
    assert isinstance(found.get_submodule("free"), nn.BatchNorm2d)
    assert not any(p.requires_grad for p in found.get_submodule("conv").parameters())
    other = torch.randn(2, 3, 8, 8)
    assert torch.allclose(found(pixels).last_hidden_state, before, atol=1e-5)
    assert torch.allclose(found(other).last_hidden_state, net(other).last_hidden_state, atol=1e-5)


def test_a_network_that_reads_the_convolution_elsewhere_too_stays_as_it_was() -> None:
    net, pixels = Net(reuse=True), torch.randn(2, 3, 8, 8)
    before = net(pixels).last_hidden_state
    found = fold_batch_norms(net, pixels)
    assert isinstance(found.get_submodule("norm"), nn.BatchNorm2d)
    assert torch.equal(found(pixels).last_hidden_state, before)
