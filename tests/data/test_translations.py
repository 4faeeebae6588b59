"""Captions and their translations face each other, or the sources are refused."""

from pathlib import Path

import pytest

from textgroup.data.translations import read_translations
from textgroup.errors import InputError
from textgroup.text.tokenizer import CaptionTokenizer

TOKENIZER = CaptionTokenizer.train(["a man runs", "un homme court"], 560)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_caption_n_of_each_source_is_caption_n_of_the_first(tmp_path: Path) -> None:
    english = write(tmp_path / "en.txt", "a man runs\na man\n")
    french = write(tmp_path / "fr.csv", "caption\nun homme court\nun homme\n")
    found = read_translations([english, french], TOKENIZER)
    texts = [[TOKENIZER.decode(data.caption(n)) for n in range(len(data))] for data in found]
    assert texts == [["a man runs", "a man"], ["un homme court", "un homme"]]


def test_sources_of_different_length_are_refused(tmp_path: Path) -> None:
    english, french = write(tmp_path / "en.txt", "a man\na dog\n"), write(tmp_path / "fr.txt", "un homme\n")
    with pytest.raises(InputError, match=r"en\.txt has 2 captions and .*fr\.txt has 1; caption n of each"):
        read_translations([english, french], TOKENIZER)


def test_a_blank_line_is_refused_even_where_the_other_source_has_one_too(tmp_path: Path) -> None:
    """Elsewhere: so all captions between the two would face a wrong translation."""
    english = write(tmp_path / "en.txt", "a man\n\na dog\na cat\n")
    french = write(tmp_path / "fr.txt", "un homme\nun chien\n\nun chat\n")
    with pytest.raises(InputError, match=r"en\.txt: 1 left out \(a blank caption: .*en\.txt:2"):
        read_translations([english, french], TOKENIZER)
