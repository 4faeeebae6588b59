"""Byte-pair encoding of captions in CLIP's layout; every id knows the characters it came from.

A caption is cleaned before it is encoded (`cleaning.py`), so the offsets that the encoder reports refer to the cleaned
text; `offsets.py` carries them back to the caption as given.

The layout of the vocabulary is CLIP's, whatever the merges: 256 bytes, the same 256 bytes ending a word,
one entry a merge, then start-of-text and end-of-text. So `!` is id 0, and padding must be known from a mask.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Encoding, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from textgroup.errors import InputError
from textgroup.text.cleaning import clean
from textgroup.text.offsets import original_offsets
from textgroup.text.saved import read_clip_merges, read_saved
from textgroup.text.words import PATTERNS, goes_on, stands_alone, word_starts

START, END = "<|startoftext|>", "<|endoftext|>"
LEARNED = "unicode"
"""The words of a tokenizer that we train."""
SPECIAL = -1
"""The word of a token that stands for no characters (start and end of text)."""

_SUFFIX = "</w>"


class Tokens:
    """One encoded caption, or a piece of one, of M tokens, start and end of text included. ids: M token ids.

    left_out: tokens of a caption that are not read, because there are more than `max_tokens`; 0 for a piece.
    `spans`, `words` and `starts` are built anew at each access: stored, they would cost the garbage collector tens of
    objects per caption of a stream.
    """

    __slots__ = ("_cleaned", "_encoding", "_first", "_goes_on", "_offsets", "ids", "left_out")

    def __init__(
        self,
        ids: list[int],
        encoding: Encoding,
        offsets: list[tuple[int, int]] | None,
        first: int = 0,
        cleaned: str | None = None,
        goes_on: frozenset[int] = frozenset(),
    ) -> None:
        self.ids, self._encoding, self._offsets, self._first = ids, encoding, offsets, first
        self._cleaned, self._goes_on = cleaned, goes_on
        self.left_out = 0

    @property
    def spans(self) -> list[tuple[int, int]]:
        """M pairs (start, end) of character offsets into the caption as given; (0, 0) for the two special tokens."""
        spans = self._own(self._encoding.offsets)
        if (offsets := self._offsets) is not None:
            spans = [(offsets[a][0], offsets[b - 1][1]) if b > a else (0, 0) for a, b in spans]
        return [(0, 0), *spans, (0, 0)]

    @property
    def words(self) -> list[int]:
        """M word numbers, counted from 0; `SPECIAL` for the two special tokens."""
        words = self._own(self._encoding.word_ids)
        return [SPECIAL, *(SPECIAL if word is None else word for word in words), SPECIAL]

    @property
    def starts(self) -> list[tuple[int, int]]:
        """The token that each word begins with, and the character of the caption as given where it begins."""
        spans, offsets = self._own(self._encoding.offsets), self._offsets
        begins = None if self._cleaned is None else word_starts(self._cleaned)
        starts, previous = [], -1
        for n, word in enumerate(self._own(self._encoding.word_ids)):
            start = spans[n][0]
            this = word if begins is None else start
            if this != previous and (self.ids[n + 1] not in self._goes_on if begins is None else start in begins):
                starts.append((n + 1, start if offsets is None else offsets[start][0]))
            previous = this
        return starts

    def _own(self, values: list[Any]) -> list[Any]:
        return values[self._first : self._first + len(self.ids) - 2]


class CaptionTokenizer:
    """A BPE over cleaned captions.

    merges: the pairs in order of learning. max_tokens: length at which a caption is cut, both special
    tokens included; the end token is kept (77 in the paper, Section 4.1). words: what it takes for a word, a name of
    `words.PATTERNS`.
    """

    def __init__(self, merges: Sequence[tuple[str, str]], max_tokens: int = 77, words: str = "clip") -> None:
        alphabet = _byte_alphabet()
        entries = alphabet + [c + _SUFFIX for c in alphabet] + [a + b for a, b in merges] + [START, END]
        vocabulary = {entry: i for i, entry in enumerate(entries)}
        if len(vocabulary) != len(entries):
            raise InputError("the tokenizer's merges name the same entry twice: the file is damaged")
        if strange := next((m for m in merges if not vocabulary.keys() >= {*m}), None):
            raise InputError(f"the tokenizer merges {strange!r:.60}, which are no entries of it: the file is damaged")
        self.merges, self.words = list(merges), words
        self.max_tokens = max_tokens
        self.start, self.end = len(entries) - 2, len(entries) - 1
        self._bpe = _build_tokenizer(
            models.BPE(vocab=vocabulary, merges=self.merges, end_of_word_suffix=_SUFFIX), words
        )

        self._goes_on = frozenset(np.flatnonzero(self.facts()["goes_on"]).tolist())

    def __len__(self) -> int:
        """Number of ids."""
        return self.end + 1

    def encode(self, caption: str) -> Tokens:
        """Ids, character spans and words of one caption."""
        return self.encode_batch([caption])[0]

    def encode_batch(self, captions: Sequence[str]) -> list[Tokens]:
        """`encode` for many captions at once (the encoder itself runs in parallel)."""
        cleaned = [clean(caption) for caption in captions]
        encodings = self._bpe.encode_batch(cleaned, add_special_tokens=False)
        encoded = [
            Tokens(self._add_specials(encoding.ids), encoding, original_offsets(caption, text))
            for encoding, caption, text in zip(encodings, captions, cleaned)
        ]
        for tokens, encoding in zip(encoded, encodings):
            tokens.left_out = len(encoding.ids) - (len(tokens.ids) - 2)
        return encoded

    def encode_pieces(self, captions: Sequence[str], limit: int | None) -> list[list[Tokens]]:
        """Each caption whole: in pieces of at most `limit` tokens, cut between words where that is possible; None is
        one piece. Tokens know where words of the text begin (`Tokens.starts`), whatever this tokenizer's are."""
        cleaned = [clean(caption) for caption in captions]
        encodings = self._bpe.encode_batch(cleaned, add_special_tokens=False)
        return [
            [
                Tokens(
                    [self.start, *encoding.ids[a:b], self.end],
                    encoding,
                    original_offsets(caption, text),
                    a,
                    None if self.words == LEARNED else text,
                    self._goes_on,
                )
                for a, b in _piece_ends(encoding, limit)
            ]
            for encoding, caption, text in zip(encodings, captions, cleaned)
        ]

    def ids(self, captions: Sequence[str]) -> list[list[int]]:
        """Ids alone, for training: cheaper than `encode_batch`."""
        encodings = self._bpe.encode_batch_fast([clean(c) for c in captions], add_special_tokens=False)
        return [self._add_specials(encoding.ids) for encoding in encodings]

    def _add_specials(self, ids: list[int]) -> list[int]:
        return [self.start, *ids[: self.max_tokens - 2], self.end]

    def with_limit(self, max_tokens: int) -> "CaptionTokenizer":
        """The same tokenizer for captions of another length."""
        return CaptionTokenizer(self.merges, max_tokens, self.words)

    def same(self, other: "CaptionTokenizer") -> bool:
        """Whether the other one gives the same ids."""
        return (self.merges, self.words) == (other.merges, other.words)

    def decode(self, ids: Iterable[int]) -> str:
        """The cleaned text that these ids spell; special tokens are left out."""
        return self._bpe.decode([i for i in ids if i < self.start]).strip()

    def facts(self) -> dict[str, list[bool]]:
        """For each id: ends_word, so that what follows begins one; goes_on and alone, as `words.py` has them."""
        entries = sorted(self._bpe.get_vocab(False).items(), key=lambda entry: entry[1])[: self.start]
        texts = [self.decode([i]) for _, i in entries]
        return {
            "ends_word": [*(entry.endswith(_SUFFIX) for entry, _ in entries), True, True],
            "goes_on": [*(goes_on(text) for text in texts), False, False],
            "alone": [*(stands_alone(text) for text in texts), False, False],
        }

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Each id as a readable piece, for figures."""
        return [START if i == self.start else END if i == self.end else self.decode([i]) for i in ids]

    @classmethod
    def train(cls, captions: Iterable[str], vocabulary: int, max_tokens: int = 77) -> "CaptionTokenizer":
        """Learn the merges on `captions`, for at most `vocabulary` ids (514 at least: bytes and specials).

        The same captions, in any order, give the same merges. Of equally frequent pairs the trainer takes the one with
        the lowest ids, and gives a word's last byte its id when it meets the word, in the order of a hash table. As
        special tokens, all of these have their ids beforehand.
        """
        if vocabulary < 514:
            raise InputError(f"tokenizer vocabulary {vocabulary} is too small: 512 bytes and 2 special ids need 514")
        alphabet = _byte_alphabet()
        bpe = _build_tokenizer(models.BPE(end_of_word_suffix=_SUFFIX), LEARNED)
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary - 2,
            end_of_word_suffix=_SUFFIX,
            initial_alphabet=alphabet,
            special_tokens=[c + _SUFFIX for c in alphabet],
            show_progress=False,
        )
        bpe.train_from_iterator((clean(caption) for caption in captions), trainer)
        learned = json.loads(bpe.to_str())["model"]["merges"]
        return cls([tuple(pair) for pair in learned], max_tokens, LEARNED)

    @classmethod
    def from_clip_file(cls, path: str | Path, max_tokens: int = 77) -> "CaptionTokenizer":
        """CLIP's own merges, from `bpe_simple_vocab_16e6.txt.gz`."""
        return cls(read_clip_merges(path), max_tokens)

    @classmethod
    def from_pretrained(cls, where: str | Path, max_tokens: int = 77) -> "CaptionTokenizer":
        """From CLIP's merges file, a directory that holds `tokenizer.json`, or a Hub name such as
        `openai/clip-vit-base-patch32`. Only CLIP-style vocabularies are read; others are refused."""
        path = Path(where)
        if path.name.endswith(".txt.gz") or (path.is_file() and path.suffix == ".gz"):
            return cls.from_clip_file(path, max_tokens)
        saved = read_saved(path)
        try:
            tokenizer = cls(saved.merges, saved.max_tokens or max_tokens, saved.words)
        except InputError as error:
            raise InputError(f"{saved.file}: {error}") from None
        if saved.words == LEARNED and saved.pre_tokenizer != json.loads(tokenizer._bpe.to_str())["pre_tokenizer"]:
            raise InputError(f"{saved.file}: what it takes for a word is not what this version does: train it again")
        if any(saved.vocabulary.get(entry) != i for entry, i in tokenizer._bpe.get_vocab(False).items()):
            raise InputError(f"{saved.file} does not have CLIP's layout (bytes, bytes ending a word, merges, specials)")
        return tokenizer

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`: the `tokenizers` format, plus our `max_tokens` and `words`."""
        saved = json.loads(self._bpe.to_str()) | {"max_tokens": self.max_tokens, "words": self.words}
        path.write_text(json.dumps(saved, ensure_ascii=False), encoding="utf-8")


def _byte_alphabet() -> list[str]:
    """The 256 printable characters that stand for bytes, in CLIP's order: first the bytes that print."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [chr(256 + n) for n in range(256 - len(printable))]
    return [chr(byte) for byte in printable] + others


def _piece_ends(encoding: Encoding, limit: int | None) -> list[tuple[int, int]]:
    """First and last token of each piece; one empty piece for a caption without tokens."""
    length = len(encoding.ids)
    if limit is None or length <= limit - 2:
        return [(0, length)]
    words, ends = encoding.word_ids, [0]
    while ends[-1] < length:
        end = min(ends[-1] + limit - 2, length)
        back = end
        while end < length and back > ends[-1] and words[back] == words[back - 1]:
            back -= 1  # to where a word begins
        ends.append(back if back > ends[-1] else end)
    return list(pairwise(ends))


def _build_tokenizer(bpe: models.BPE, words: str) -> Tokenizer:
    tokenizer = Tokenizer(bpe)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERNS[words]), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Replace(_SUFFIX, " ")])
    return tokenizer
