"""The list of groupings: what `model.encoder.kind` may name. A new mechanism is a file and a line here."""

from collections.abc import Callable

from textgroup.config.model import EncoderConfig
from textgroup.errors import InputError
from textgroup.model.grouping.baseline import BaselineTransformer
from textgroup.model.grouping.bottom_up import bottom_up_transformer
from textgroup.model.grouping.contract import Grouping
from textgroup.model.grouping.dynamic import DynamicGroupTransformer
from textgroup.model.grouping.equal import EqualSplitTransformer
from textgroup.model.grouping.fixed import TextGroupTransformer
from textgroup.model.grouping.soft import soft_group_transformer
from textgroup.model.grouping.tokens import TokenTransformer
from textgroup.model.grouping.two_blocks import TwoBlockTransformer

GROUPINGS: dict[str, Callable[[EncoderConfig, int], Grouping]] = {
    "grouping": TextGroupTransformer,
    "dynamic": DynamicGroupTransformer,
    "baseline": BaselineTransformer,
    "soft": soft_group_transformer,
    "bottom_up": bottom_up_transformer,
    "two_blocks": TwoBlockTransformer,
    "equal": EqualSplitTransformer,
    "tokens": TokenTransformer,
}


def new_grouping(config: EncoderConfig, vocabulary: int) -> Grouping:
    """A grouping with fresh weights. vocabulary: number of token ids. Raises `InputError` for an unknown kind."""
    if config.kind not in GROUPINGS:
        raise InputError(f"model.encoder.kind {config.kind!r}: take one of {', '.join(GROUPINGS)}")
    return GROUPINGS[config.kind](config, vocabulary)
