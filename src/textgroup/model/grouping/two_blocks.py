"""Two grouping blocks, one on the other, as GroupViT has them; of these the paper says that they "did not lead to
reasonable results" (footnote 4).

The first block gives the tokens to 2 K groups, the second gives those to K. A token belongs to the group that its first
group belongs to.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.attention import assign_hard
from textgroup.model.grouping.blocks import EquationsBlock, GroupViTBlock
from textgroup.model.grouping.contract import Grouping, TextGroups
from textgroup.model.grouping.fixed import TextGroupTransformer
from textgroup.model.layers import EncoderLayer


class TwoBlockTransformer(Grouping):
    """A Text Group Transformer of 2 K groups, then layers over [those ; K groups], a block, and layers over the K.

    `layers_after` is the number of layers of both: between the blocks, and after the second.
    """

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__(config, vocabulary)
        self.first = TextGroupTransformer(replace(config, groups=2 * config.groups, layers_after=0), vocabulary)
        self.first.embedding = self.embedding
        self.groups = nn.Parameter(torch.zeros(config.groups, config.width))
        self.between = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        block = GroupViTBlock if config.block == "groupvit" else EquationsBlock
        self.block: GroupViTBlock | EquationsBlock = block(config, assign_hard)
        self.after = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        self.norm = nn.LayerNorm(config.width) if config.layers_after else nn.Identity()
        nn.init.trunc_normal_(self.groups, std=0.02, a=-0.04, b=0.04)

    @property
    def noise_groups(self) -> int:
        """2 K: the noise is the first block's; the second has none."""
        return 2 * self.config.groups

    def reset_parameters(self) -> None:
        """See `TextGroupTransformer.reset_parameters`."""
        self.first.reset_parameters()
        if self.config.block == "equations":
            nn.init.normal_(self.groups)

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """See `Grouping.forward`. A forced assignment of tokens to the K groups skips the first: it sends each token
        through the first group of the same number."""
        through = None if forced is None else torch.cat([forced, torch.zeros_like(forced)], dim=1)  # (B, 2 K, M)
        first = self.first(ids, mask, noise, through)
        every = torch.ones(first.groups.shape[:2], dtype=torch.bool, device=ids.device)  # (B, 2 K)
        x = torch.cat([first.groups, self.groups.expand(len(ids), -1, -1)], dim=1)  # (B, 3 K, D)
        for layer in self.between:
            x = layer(x)
        segments, groups = x.split([every.shape[1], self.config.groups], dim=1)
        same = torch.eye(self.config.groups, every.shape[1], device=ids.device).expand(len(ids), -1, -1)
        groups, second = self.block(groups, segments, None, every, None, None if forced is None else same)
        for layer in self.after:
            groups = layer(groups)
        return TextGroups.fixed(self.norm(groups), second @ first.assignment, mask)  # (B, K, 2 K) @ (B, 2 K, M)
