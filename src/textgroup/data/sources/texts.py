"""Captions out of whatever a file has in their place: a text, a list of texts, sentences, a conversation."""

from typing import Any, NamedTuple

from textgroup.data.sources.count import BLANK, NO_TEXT, Count

LATER = "a later answer in a conversation"
_ANSWERS = ("gpt", "assistant")


class Texts(NamedTuple):
    """Captions, none of them blank, and the reason of each that was left out."""

    captions: tuple[str, ...]
    left_out: list[str]

    def counted(self, where: str, count: Count) -> tuple[str, ...]:
        """The captions; what was left out is counted."""
        for why in self.left_out:
            count.skip(where, why)
        return self.captions


def texts_of(value: Any) -> Texts:
    """The captions in a value: a string, bytes, or a list of those, of Karpathy's sentences or of LLaVA's turns."""
    captions, left_out = [], []
    values = list(value) if isinstance(value, list | tuple) else [value]
    if values and all(isinstance(turn, dict) and _said(turn) is not None for turn in values):
        values = [turn["value"] if "value" in turn else turn["content"] for turn in values if _said(turn) in _ANSWERS]
        left_out, values = [LATER] * len(values[1:]), values[:1] or [None]
    for one in values:
        text = one.get("raw") if isinstance(one, dict) else one
        text = _decode(text) if isinstance(text, bytes) else text
        if not isinstance(text, str) or not _is_unicode(text):
            left_out.append(NO_TEXT)
        elif text.strip():
            captions.append(text.strip())
        else:
            left_out.append(BLANK)
    return Texts(tuple(captions), left_out if values else [BLANK])


def _said(turn: dict[str, Any]) -> str | None:
    """Who said it, where this is a turn of a conversation."""
    speaker = turn.get("from") if "value" in turn else turn.get("role") if "content" in turn else None
    return speaker if isinstance(speaker, str) else None


def _decode(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _is_unicode(text: str) -> bool:
    """Whether it can be written: half of a surrogate pair cannot, which JSON and a wrong encoding may hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
