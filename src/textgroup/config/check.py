"""Checks of configuration fields."""

from textgroup.errors import InputError


def require(condition: bool, message: str) -> None:
    """Raise `InputError` with the message, which names the field and its value, where the condition does not hold."""
    if not condition:
        raise InputError(message)
