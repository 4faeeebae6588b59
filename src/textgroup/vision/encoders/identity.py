"""Whether two sets of features were made in the same way: same weights, same preparation of images."""

from collections.abc import Mapping
from typing import Any

from textgroup.errors import InputError
from textgroup.model.described import check_identity


def check_same_encoder(one: Mapping[str, Any], other: Mapping[str, Any], one_is: str, other_is: str) -> None:
    """Raise `InputError` that names what differs between two identities, such as weights or a transform setting.

    one_is, other_is: what they belong to, such as "the checkpoint". Where the weights were read from is not
    compared: the same weights may lie elsewhere.
    """
    for identity, owner in ((one, one_is), (other, other_is)):
        check_identity(identity, owner)
    for name, get in (
        ("encoder", lambda identity: identity["encoder"].partition(":")[0]),
        ("weights", lambda identity: identity["weights"]),
    ):
        if get(one) != get(other):
            raise InputError(
                f"{one_is} and {other_is} have different image encoders: {name} {get(one)[:12]} ({one['encoder']}) "
                f"and {get(other)[:12]} ({other['encoder']}); use the same one for both"
            )
    for name in ("layers", "pooled_at"):
        a, b = one.get(name), other.get(name)
        if a != b:
            raise InputError(
                f"{one_is} and {other_is} have other features: {name} {a} and {b}: encode the images again"
            )
    for name in sorted({*one["transform"], *other["transform"]}):
        a, b = one["transform"].get(name), other["transform"].get(name)
        if a != b:
            raise InputError(f"{one_is} and {other_is} prepare images differently: {name} {a} and {b}; make them equal")
