"""The two grouping blocks around the top-down attention: Eq. 1-4 as printed, and GroupViT's."""

from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.attention import Assign, Grouped, TopDownAttention, assign_hard
from textgroup.model.layers import MLP, Attention


class EquationsBlock(nn.Module):
    """Layer norm, then Eq. 1-4 as printed."""

    def __init__(self, config: EncoderConfig, assign: Assign = assign_hard) -> None:
        super().__init__()
        self.residual = config.residual == "groups"
        self.norm_groups = nn.LayerNorm(config.width)
        self.norm_tokens = nn.LayerNorm(config.width)
        self.attention = TopDownAttention(config.width, 0.0 if config.assign_eps is None else config.assign_eps, assign)

    def forward(
        self,
        groups: Tensor,
        tokens: Tensor,
        values: Tensor | None,
        mask: Tensor,
        noise: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> Grouped:
        """groups (B, K, D), tokens (B, M, D), values (B, M, D) or None for the (normed) tokens."""
        normed = self.norm_tokens(tokens)
        update, soft = self.attention(
            self.norm_groups(groups), normed, normed if values is None else values, mask, noise, forced
        )
        return Grouped(groups + update if self.residual else update, soft)


class GroupViTBlock(nn.Module):
    """GroupViT's grouping block (Xu et al. 2022), K groups in and K out.

    Groups are mixed along the group axis, read the tokens by cross-attention, take their tokens (Eq. 1-4, the
    residual being the groups that have read), and pass an MLP.
    """

    def __init__(self, config: EncoderConfig, assign: Assign = assign_hard) -> None:
        super().__init__()
        width = config.width
        self.residual = config.residual == "groups"
        self.norm_groups = nn.LayerNorm(width)
        self.norm_tokens = nn.LayerNorm(width)
        self.mix = MLP(config.groups, width // 2, config.groups)  # along the group axis
        self.norm_mixed = nn.LayerNorm(width)
        self.cross = Attention(width, config.heads)
        self.norm_cross = nn.LayerNorm(width)
        self.mlp_cross = MLP(width, 4 * width)
        self.norm_read = nn.LayerNorm(width)
        self.attention = TopDownAttention(width, 1.0 if config.assign_eps is None else config.assign_eps, assign)
        self.norm_out = nn.LayerNorm(width)
        self.mlp_out = MLP(width, 4 * width)

    def forward(
        self,
        groups: Tensor,
        tokens: Tensor,
        values: Tensor | None,
        mask: Tensor,
        noise: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> Grouped:
        """groups (B, K, D), tokens (B, M, D), values (B, M, D) or None for the (normed) tokens."""
        tokens = self.norm_tokens(tokens)
        groups = self.norm_mixed(self.mix(self.norm_groups(groups).transpose(1, 2)).transpose(1, 2))
        groups = groups + self.cross(groups, tokens, mask)
        groups = self.norm_read(groups + self.mlp_cross(self.norm_cross(groups)))
        update, soft = self.attention(groups, tokens, tokens if values is None else values, mask, noise, forced)
        groups = groups + update if self.residual else update
        return Grouped(groups + self.mlp_out(self.norm_out(groups)), soft)
