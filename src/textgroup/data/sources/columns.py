"""Which columns of a table hold the image and the captions: those that a person names, or those of a known format."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from textgroup.errors import InputError

IMAGE, CAPTION = "image", "caption"
"""The names that are assumed; where a table has others, the pairs below are tried."""
KNOWN = (
    ("image", "captions"),
    ("image", "conversations"),  # LLaVA, ShareGPT4V
    ("image", "text"),
    ("image", "messages"),
    ("jpg", "caption"),  # img2dataset as parquet
    ("png", "caption"),
    ("webp", "caption"),
    ("file_name", "text"),  # imagefolder
    ("file_name", "caption"),
    ("file_name", "captions"),
    ("filepath", "title"),  # open_clip, NegCLIP
    ("image_name", "comment"),  # Flickr30k's results.csv
    ("image_file", "description"),  # DOCCI
    ("filename", "sentences"),  # Karpathy's splits
    ("image", "sentences"),
    (None, "TEXT"),  # LAION, whose images are URLs
    (None, "captions"),
)
"""Columns of image and caption in the formats that docs/data.md names; None: it has captions alone."""
_FILE = re.compile(r"[^\s,;|\t]+\.(?:jpe?g|png|webp|bmp|gif|tiff?|jfif)(?:\.\d)?(?:#\d+)?", re.IGNORECASE)
_FIRST = re.compile(rf"{_FILE.pattern}\s*[,;|\t]", re.IGNORECASE)
_LAST = re.compile(rf"[,;|\t]\s*{_FILE.pattern}$", re.IGNORECASE)
_URL = re.compile(r"https?://\S+")


class WrongColumn(InputError):
    """A column that is not there. kind: "image" or "caption". The command line adds the option that names it."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(f"{message}; name the right one with {kind}_column")
        self.message, self.kind = message, kind


@dataclass(frozen=True)
class Columns:
    """Names of the columns. image: None where there is none. captions: none where they are not asked for."""

    image: str | None
    captions: tuple[str, ...]


def pick_columns(where: str, names: Sequence[str], image: str, caption: str | None) -> Columns:
    """The columns of image and captions among `names`.

    caption: one name or several, "caption_1,caption_2"; None: captions are not asked for. A column with another name
    than `IMAGE` or `CAPTION` was named by a person, and must be there. Raises `WrongColumn`.
    """
    there = set(names)
    pairs: tuple[tuple[str | None, str], ...] = ((IMAGE, CAPTION), *KNOWN)
    known: list[tuple[str | None, str | None]] = [(i, c) for i, c in pairs if i in (None, *there) and c in there]
    known += [(i, None) for i, _ in pairs if i in there]  # where captions have a name of their own
    guess_image, guess_caption = known[0] if known else (None, None)
    if caption is None:
        captions: tuple[str, ...] = ()
    elif caption == CAPTION and caption not in there:
        numbered = [name for name in names if re.fullmatch(r"(caption|text|sentence)s?_?\d{1,2}", name)]
        by_name = caption_name(names, CAPTION) if image not in (IMAGE, guess_image) else guess_caption
        captions = (by_name,) if by_name is not None else tuple(numbered)
        if not captions:
            raise _wrong_column(where, "caption", caption, names)
    else:
        captions = (caption,) if caption in there else tuple(part.strip() for part in caption.split(","))
        if lacking := [part for part in captions if part not in there]:
            raise _wrong_column(where, "caption", lacking[0], names)
    if image in there:
        return Columns(image, captions)
    if image != IMAGE:
        raise _wrong_column(where, "image", image, names)
    return Columns(guess_image, captions)


def caption_name(names: Collection[str], column: str) -> str | None:
    """The column itself if it is there; where it is the usual one, others that formats have will do."""
    usual = (column, *dict.fromkeys(c for _, c in KNOWN)) if column == CAPTION else (column,)
    return next((name for name in usual if name in names), None)


def headless_names(first: Sequence[str]) -> list[str] | None:
    """The names of the columns of a table without a header whose first row shows what it is.

    Two columns, one of which is a file name (Flickr8k.token.txt: with "#0" behind it) or a URL (Conceptual Captions).
    """
    for i, text in enumerate(first[:2] if len(first) == 2 else ()):
        for pattern, name in ((_URL, "url"), (_FILE, IMAGE)):
            other = first[1 - i].strip()
            if pattern.fullmatch(text.strip()) and not (_FILE.fullmatch(other) or _URL.fullmatch(other)):
                return [name, CAPTION] if i == 0 else [CAPTION, name]
    return None


def has_file_name(line: str) -> bool:
    """Whether a line begins or ends with the name of an image and a separator: no caption looks like that."""
    return bool(
        re.match(rf"{_FILE.pattern}\s*[,;|\t]", line, re.I) or re.search(rf"[,;|\t]\s*{_FILE.pattern}$", line, re.I)
    )


def _wrong_column(where: str, kind: str, column: str, names: Sequence[str]) -> WrongColumn:
    listed = ", ".join(repr(name if len(name) <= 40 else f"{name[:40]}…") for name in names[:20])
    return WrongColumn(f"{where}: no {kind} column {column!r}; there are {listed}", kind)
