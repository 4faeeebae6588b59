"""Checks of configuration fields."""

import math
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from textgroup.errors import InputError


def require(condition: bool, message: str) -> None:
    """Raise `InputError` with the message, which names the field and its value, where the condition does not hold."""
    if not condition:
        raise InputError(message)


def require_sane(config: Any, prefix: str, largest: float) -> None:
    """Raise `InputError` for a number that is not finite or has a size above `largest`, for a text that is empty, and
    for a null where the field has to have a value.

    prefix: of the field names, such as "optim.".
    """
    kinds = get_type_hints(type(config))
    for field in fields(config):
        value, name = getattr(config, field.name), f"{prefix}{field.name}"
        may_be_null = type(None) in get_args(kinds[field.name])
        require(value is not None or may_be_null, f"{name} is null: give a value, or leave it out for the default")
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, float):
                require(math.isfinite(one), f"{name} must be a finite number, not {one}")
            if isinstance(one, int | float):
                require(abs(one) <= largest, f"{name} must be at most {largest:,}, not {one:g}")
            require(not isinstance(one, str) or bool(one.strip()), f"{name} is empty: give a value or null")
        require(value != [], f"{name} is empty: give a value or null")
