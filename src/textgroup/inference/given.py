"""Checking what the public calls are given: one item or any iterable of items. A wrong item is named with its number.

One in, one out: a call that gets one caption returns one result; a call that gets several, as a list, tuple, generator
or Series, returns a list or an array of results.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from textgroup.errors import InputError

T = TypeVar("T")
_SHOWN = 40
"""Characters of a wrong item that a message shows."""


class Given(list[T], Generic[T]):
    """The items that a call was given. single: whether it was one item, not an iterable of items."""

    def __init__(self, items: Iterable[T], single: bool) -> None:
        super().__init__(items)
        self.single = single

    def answer(self, results: Any) -> Any:
        """The only result, or all of them, as the caller asked."""
        return results[0] if self.single else results


def captions_given(given: str | Iterable[str], call: str) -> Given[str]:
    """One caption or an iterable of captions. Raises `InputError` that names `call` and the item that is no text."""
    return Given(checked_captions(given, call), isinstance(given, str))


def checked_captions(given: str | Iterable[str], call: str) -> Iterator[str]:
    """The captions one by one, each checked when it is taken: for streams."""
    return check_given(given, call, "captions", "text", lambda item: isinstance(item, str))


def spans_given(spans: Iterable[tuple[int, int]], caption: str, call: str) -> list[tuple[int, int]]:
    """Runs of characters (start, end) of a caption, none of them empty. Raises `InputError` that names another one."""
    found = list(spans)
    for number, span in enumerate(found):
        if len(span) != 2 or not 0 <= span[0] < span[1] <= len(caption):
            raise InputError(
                f"{call}: spans[{number}] is {_describe(span)}: give (start, end) with 0 <= start < end <= "
                f"{len(caption)}, the length of the caption"
            )
    return found


def check_given(given: Any, call: str, name: str, wanted: str, fits: Callable[[object], bool]) -> Iterator[Any]:
    """The only item, or the items one by one, each checked when it is taken. Raises `InputError` that names `call`."""
    if fits(given):
        return iter([given])
    if isinstance(given, (bytes, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"{call}: {name} is {_describe(given)}: give {wanted}, or a list of such")
    return _check_each(given, call, name, wanted, fits)


def _check_each(
    given: Iterable[Any], call: str, name: str, wanted: str, fits: Callable[[object], bool]
) -> Iterator[Any]:
    for number, item in enumerate(given):
        if not fits(item):
            raise InputError(f"{call}: {name}[{number}] is {_describe(item)}: give {wanted}, or leave it out")
        yield item


def _describe(item: object) -> str:
    """The value, short, and its type."""
    shown = " ".join(repr(item).split())
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}…"
    return shown if item is None else f"{shown} ({type(item).__name__})"
