"""The paper's text encoder: the Text Group Transformer, with a fixed number of groups (Section 2.1.1)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.attention import Assign, assign_hard
from textgroup.model.grouping.blocks import EquationsBlock, GroupViTBlock
from textgroup.model.grouping.contract import Grouping, TextGroups
from textgroup.model.layers import EncoderLayer


class TextGroupTransformer(Grouping):
    """Layers over [tokens ; groups], a grouping block, layers over the groups.

    assign: how the block gives tokens to groups; Eq. 2 and 3 unless said otherwise.
    """

    def __init__(self, config: EncoderConfig, vocabulary: int, assign: Assign = assign_hard) -> None:
        super().__init__(config, vocabulary)
        self.groups = nn.Parameter(torch.zeros(config.groups, config.width))
        self.before = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_before))
        block = GroupViTBlock if config.block == "groupvit" else EquationsBlock
        self.block: GroupViTBlock | EquationsBlock = block(config, assign)
        self.after = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        # The norm that ends a pre-norm stack. Without a stack a group keeps its length: one of function words alone
        # can be short, and so weigh little in the mean over the groups.
        self.norm = nn.LayerNorm(config.width) if config.layers_after else nn.Identity()
        nn.init.trunc_normal_(self.groups, std=0.02, a=-0.04, b=0.04)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """For `block: equations`: groups, queries and keys of unit variance, so that groups differ from the first step.

        GroupViT's initial weights give logits near 0, that is a uniform map; at the paper's scale training
        leaves it, at a small one it need not.
        """
        if self.config.block != "equations":
            return
        nn.init.normal_(self.groups)
        attention = self.block.attention
        layers = [attention.query, attention.key]
        if not self.after:  # no norm follows: values must not be small beside the biases
            layers += [attention.value, attention.out]
        for layer in layers:
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """See `Grouping.forward`."""
        length = ids.shape[1]
        read = mask
        if not self.config.mask_padding:  # as GroupViT's code: padding, to the full length, is read and grouped
            room = self.config.max_tokens - length
            ids, read = F.pad(ids, (0, room)), torch.ones_like(F.pad(mask, (0, room)))
            noise = None if noise is None else F.pad(noise, (0, room))
            forced = None if forced is None else F.pad(forced, (0, room))
        embedded = self.embedding(ids)  # (B, M, D)
        groups = self.groups.expand(ids.shape[0], -1, -1)  # (B, K, D)
        x = torch.cat([embedded, groups], dim=1)  # (B, M + K, D)
        read_all = F.pad(read, (0, self.config.groups), value=True)
        for layer in self.before:
            x = layer(x, read_all)
        tokens, groups = x.split([ids.shape[1], self.config.groups], dim=1)
        values = embedded if self.config.values == "embedded" else None
        groups, assignment = self.block(groups, tokens, values, read, noise, forced)
        for layer in self.after:
            groups = layer(groups)
        return TextGroups.fixed(self.norm(groups), assignment[:, :, :length] * mask[:, None, :], mask)
