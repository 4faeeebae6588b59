"""The tokenizer against a byte-pair encoding written out by hand, and its offsets against the captions."""

import gzip
import html
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import ftfy
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from textgroup.errors import InputError
from textgroup.text.cleaning import clean
from textgroup.text.tokenizer import SPECIAL, CaptionTokenizer
from textgroup.text.words import UNICODE

EDGE_CASES = [
    "A man in a blue hat!",
    "! ! first id is zero",
    "caf\u00e9 na\u00efve fa\u00e7ade",
    "Tom &amp; Jerry &lt;b&gt; &quot;x&quot;",
    "doubly &amp;amp; escaped",
    "\u201ccurly\u201d and \u2018single\u2019 quotes",
    "a dog \U0001f436 and a \U0001f468\u200d\U0001f469\u200d\U0001f467 family",
    "sch\u00c3\u00b6n mojibake",
    "tabs\tand\n new   lines ",
    "isn't it the dogs' owner we're after, I'd say they'll have",
    "3 dogs in 2023 at 12:45",
    "MIXED Case \u0130stanbul STRASSE \u00df",
    "\u4e00\u53ea\u72d7 \u65e5\u672c\u8a9e \u0440\u0443\u0441\u0441\u043a\u0438\u0439",
    "e\u0301 combining, \ufb01ligature, \u00a0no-break",
    "hyphen-ated_under.score@sign #tag $5 100%",
    " ".join(f"word{i}" for i in range(100)),
]


@pytest.fixture(scope="module")
def small() -> CaptionTokenizer:
    return CaptionTokenizer.train(["a man in a blue hat holding a flag", "two dogs run in the snow", *EDGE_CASES], 700)


CLIPS_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"


def reference_ids(
    caption: str, merges: list[tuple[str, str]], max_tokens: int = 77, words: str = CLIPS_WORDS
) -> list[int]:
    """Byte-pair encoding by the book: merge the earliest learned pair until none is left."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    letter = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}
    alphabet = [letter[b] for b in [*printable, *others]]
    entries = alphabet + [c + "</w>" for c in alphabet] + ["".join(pair) for pair in merges]
    number = {entry: i for i, entry in enumerate(entries)}
    rank = {pair: i for i, pair in enumerate(merges)}
    text = re.sub(r"\s+", " ", html.unescape(html.unescape(ftfy.fix_text(caption)))).strip().lower()
    ids = []
    for word in regex.finditer(words, text):
        pieces = [letter[b] for b in word.group().encode()]
        pieces[-1] += "</w>"
        while pairs := [(rank[p], i) for i, p in enumerate(itertools.pairwise(pieces)) if p in rank]:
            i = min(pairs)[1]
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
        ids += [number[piece] for piece in pieces]
    return [len(entries), *ids[: max_tokens - 2], len(entries) + 1]


@pytest.mark.parametrize("caption", EDGE_CASES)
def test_ids_are_those_of_byte_pair_encoding_by_the_book(small: CaptionTokenizer, caption: str) -> None:
    assert small.encode(caption).ids == reference_ids(caption, small.merges, words=UNICODE)


@pytest.mark.parametrize("caption", EDGE_CASES)
def test_ids_are_clips_own(shared: Path, caption: str) -> None:
    file = shared / "clip_bpe" / "bpe_simple_vocab_16e6.txt.gz"
    tokenizer = CaptionTokenizer.from_clip_file(file)
    lines = gzip.decompress(file.read_bytes()).decode().split("\n")
    merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]  # as CLIP reads its file
    assert tokenizer.encode(caption).ids == reference_ids(caption, merges)  # type: ignore[arg-type]


def test_clips_vocabulary_has_its_size_and_exclamation_mark_is_zero(shared: Path) -> None:
    tokenizer = CaptionTokenizer.from_pretrained(shared / "clip_bpe" / "bpe_simple_vocab_16e6.txt.gz")
    assert (len(tokenizer), tokenizer.start, tokenizer.end) == (49408, 49406, 49407)
    assert tokenizer.ids(["! "])[0] == [49406, 256, 49407]  # `!</w>`
    assert tokenizer.ids(["!?"])[0][1] != 0
    assert tokenizer.decode([0]) == "!"


def test_an_overlong_caption_is_cut_and_keeps_its_end_token(small: CaptionTokenizer) -> None:
    tokens = small.encode(EDGE_CASES[-1])
    assert len(tokens.ids) == 77
    assert tokens.ids[-1] == small.end
    assert len(tokens.spans) == len(tokens.words) == 77


def test_special_tokens_written_in_a_caption_are_plain_text(small: CaptionTokenizer) -> None:
    ids = small.encode("a <|endoftext|> dog <|startoftext|>").ids
    assert ids.count(small.end) == 1
    assert ids.count(small.start) == 1


@pytest.mark.parametrize(
    ("caption", "pieces"),
    [
        ("A man  &amp; a dog", ["A", "man", "&amp;", "a", "dog"]),
        ("caf\u00e9 \u201cquotes\u201d", ["caf\u00e9", "\u201c", "quotes", "\u201d"]),
        ("  two\tdogs ", ["two", "dogs"]),
        ("sch\u00c3\u00b6n wetter", ["sch\u00c3\u00b6n", "wetter"]),
        ("\u0130stanbul is big", ["\u0130stanbul", "is", "big"]),
        ("isn't", ["isn't"]),
    ],
)
def test_a_word_knows_its_characters_in_the_original(small: CaptionTokenizer, caption: str, pieces: list[str]) -> None:
    tokens = small.encode(caption)
    words: dict[int, list[tuple[int, int]]] = {}
    for span, word in zip(tokens.spans, tokens.words):
        if word != SPECIAL:
            words.setdefault(word, []).append(span)
    assert [caption[spans[0][0] : spans[-1][1]] for spans in words.values()] == pieces


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=80))
def test_the_short_cut_for_plain_text_changes_nothing(caption: str) -> None:
    repaired = html.unescape(html.unescape(ftfy.fix_text(caption)))
    assert clean(caption) == re.sub(r"\s+", " ", repaired).strip().lower()


def test_ids_alone_are_the_ids_of_encoding(small: CaptionTokenizer) -> None:
    assert small.ids(EDGE_CASES) == [tokens.ids for tokens in small.encode_batch(EDGE_CASES)]


def test_a_saved_tokenizer_reads_back(small: CaptionTokenizer, tmp_path: Path) -> None:
    small.save(tmp_path / "tokenizer.json")
    for where in (tmp_path, tmp_path / "tokenizer.json"):
        assert CaptionTokenizer.from_pretrained(where).ids(EDGE_CASES) == small.ids(EDGE_CASES)


def test_decoding_gives_the_cleaned_words_back(small: CaptionTokenizer) -> None:
    assert small.decode(small.encode("A man in a Blue HAT").ids) == "a man in a blue hat"


def test_the_same_captions_in_any_order_and_in_any_process_give_the_same_merges() -> None:
    """Most pairs are equally frequent here, so that whatever orders them shows."""
    captions = ["".join(letters) for letters in itertools.product("abcdef", repeat=4)]
    here = {tuple(CaptionTokenizer.train(order, 600).merges) for order in (captions, captions[::-1]) * 3}
    assert len(here) == 1
    script = (
        "import sys, json; from textgroup.text.tokenizer import CaptionTokenizer; "
        "print(json.dumps(CaptionTokenizer.train(json.load(sys.stdin), 600).merges))"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps(captions),
            env={**os.environ, "PYTHONHASHSEED": seed, "TOKENIZERS_PARALLELISM": "false" if seed == "1" else "true"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert tuple(map(tuple, json.loads(done.stdout))) in here


def test_training_keeps_to_the_vocabulary_asked_for() -> None:
    captions = ["a small red ring above a blue star"] * 5
    assert len(CaptionTokenizer.train(captions, 530)) == 530
    with pytest.raises(InputError, match="513 is too small"):
        CaptionTokenizer.train(captions, 513)


@pytest.mark.parametrize("content", ["", "{}", '{"model": {"merges": [["a", "b"]], "vocab": {}}}', "[1, 2"])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(content)
    with pytest.raises(InputError, match=re.escape(str(file))):
        CaptionTokenizer.from_pretrained(tmp_path)


def test_a_name_that_cannot_be_reached_is_named() -> None:
    with pytest.raises(InputError, match="no/such-tokenizer"):
        CaptionTokenizer.from_pretrained("no/such-tokenizer")


def test_a_very_long_caption_takes_little_time_and_is_cut(small: CaptionTokenizer) -> None:
    tokens = small.encode("a\u2019" * 200_000)
    assert len(tokens.ids) <= 77


def test_a_file_whose_words_are_not_this_versions_is_refused(small: CaptionTokenizer, tmp_path: Path) -> None:
    small.save(tmp_path / "tokenizer.json")
    text = (tmp_path / "tokenizer.json").read_text()
    assert CaptionTokenizer.from_pretrained(tmp_path).same(small)
    saved = json.loads(text)
    saved["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {"Regex": "x"}
    (tmp_path / "tokenizer.json").write_text(json.dumps(saved))
    with pytest.raises(InputError, match="what it takes for a word"):
        CaptionTokenizer.from_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(json.dumps(json.loads(text) | {"words": "klingon"}))
    with pytest.raises(InputError, match="words 'klingon': this version knows unicode, clip"):
        CaptionTokenizer.from_pretrained(tmp_path)


def test_pieces_are_the_caption_end_to_end_and_cut_between_words(small: CaptionTokenizer) -> None:
    caption = "a man in a blue hat holding a flag " * 5
    (whole,), (pieces,) = small.encode_pieces([caption], None), small.encode_pieces([caption], 12)
    assert [i for piece in pieces for i in piece.ids[1:-1]] == whole[0].ids[1:-1]
    assert all(len(piece.ids) <= 12 for piece in pieces)
    assert [start for piece in pieces for _, start in piece.starts] == [start for _, start in whole[0].starts]
    assert small.encode_pieces([""], 12)[0][0].ids == [small.start, small.end]
    long_word = small.encode_pieces(["x" * 40], 12)[0]
    assert len(long_word) > 1, "a word that is too long is cut inside"


def test_what_is_not_read_is_counted(small: CaptionTokenizer) -> None:
    short, long = small.encode_batch(["a man", "a man in the snow " * 40])
    assert short.left_out == 0
    assert long.left_out == len(small.with_limit(10_000).encode("a man in the snow " * 40).ids) - len(long.ids)
