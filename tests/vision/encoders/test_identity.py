"""Two encoders are told apart, and by what they differ."""

import pytest

from tests.vision.tiny import TinyEncoder
from textgroup.errors import InputError
from textgroup.vision.encoders.identity import check_same_encoder


def test_what_differs_between_two_encoders_is_named() -> None:
    one = TinyEncoder().identity()
    check_same_encoder(one, {**one, "encoder": "tiny:elsewhere"}, "the checkpoint", "the store")
    with pytest.raises(InputError, match=r"the checkpoint and the store .* encoder tiny .* and groupvit"):
        check_same_encoder(one, {**one, "encoder": "groupvit"}, "the checkpoint", "the store")
    with pytest.raises(InputError, match="weights"):
        check_same_encoder(one, {**one, "weights": "abc"}, "the checkpoint", "the store")
    with pytest.raises(InputError, match=r"mean \[0.5, 0.5, 0.5\] and \[0.4, 0.5, 0.5\]"):
        changed = {**one["transform"], "mean": [0.4, 0.5, 0.5]}
        check_same_encoder(one, {**one, "transform": changed}, "the checkpoint", "the store")
