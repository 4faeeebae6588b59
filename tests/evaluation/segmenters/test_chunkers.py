"""The supervised chunkers: what they say when something is absent, and their logic on tiny stand-ins."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from textgroup.errors import InputError
from textgroup.evaluation.segmenters.open import open_segmenter


def texts(spec: str, caption: str) -> list[str]:
    return [unit.text for unit in open_segmenter(spec, None)([caption])[0]]


@pytest.mark.parametrize(
    ("spec", "module"), [("chunker:nltk", "nltk"), ("chunker:grammar", "nltk"), ("chunker:spacy", "spacy")]
)
def test_an_absent_library_is_named_with_its_extra(spec: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=r"pip install 'textgroup\[chunkers\]'"):
        open_segmenter(spec, None)


def test_an_absent_scikit_learn_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(InputError, match=r"pip install 'textgroup\[clusterings\]'"):
        open_segmenter("kmeans:4", None, features_from="nowhere")


def test_absent_nltk_data_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    nltk = pytest.importorskip("nltk")
    monkeypatch.setattr(nltk.data, "path", [])
    with pytest.raises(InputError, match=r"python -m nltk\.downloader averaged_perceptron_tagger_eng conll2000"):
        open_segmenter("chunker:nltk", None)
    with pytest.raises(InputError, match=r"python -m nltk\.downloader averaged_perceptron_tagger_eng$"):
        open_segmenter("chunker:grammar", None)


def test_nltk_chunks_are_what_its_tags_and_training_sentences_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """NLTK's own n-gram taggers and tokenizer; only the tagger's weights and the corpus are stand-ins."""
    nltk = pytest.importorskip("nltk")
    tags = {"a": "DT", "the": "DT", "red": "JJ", "dog": "NN", "ball": "NN", "sees": "VBZ"}
    sentence = nltk.Tree(
        "S",
        [
            nltk.Tree("NP", [("the", "DT"), ("old", "JJ"), ("man", "NN")]),
            ("eats", "VBZ"),
            nltk.Tree("NP", [("a", "DT"), ("pie", "NN")]),
            (".", "."),
        ],
    )

    class Tagger:
        def tag(self, words: Sequence[str]) -> list[tuple[str, str]]:
            return [(word, tags.get(word.lower(), ".")) for word in words]

    corpus = SimpleNamespace(chunked_sents=lambda name, chunk_types: [sentence] * 3)
    monkeypatch.setattr(nltk.tag, "PerceptronTagger", Tagger)
    monkeypatch.setattr(nltk.corpus, "conll2000", corpus)
    assert texts("chunker:nltk", "The red dog sees a ball.") == ["The red dog", "a ball"]
    assert texts("chunker:nltk", "sees a ball the dog") == ["a ball", "the dog"], "a chunk that begins ends another"
    assert texts("chunker:grammar", "The red dog sees a ball.") == ["The red dog", "a ball"]
    assert texts("chunker:grammar", "sees the red") == [], "the grammar wants a noun"
    assert texts("chunker:grammar", " ") == []


def test_spacy_chunks_are_its_noun_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipeline:
        def pipe(self, captions: Sequence[str]) -> Iterator[SimpleNamespace]:
            for caption in captions:
                start = caption.index("a ")
                chunk = SimpleNamespace(text=caption[start:], start_char=start, end_char=len(caption))
                yield SimpleNamespace(noun_chunks=iter([chunk]))

    spacy = ModuleType("spacy")
    monkeypatch.setattr(spacy, "load", lambda name, exclude: Pipeline(), raising=False)
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    assert texts("chunker:spacy", "it sees a ball") == ["a ball"]

    def absent(name: str, exclude: Sequence[str]) -> None:
        raise OSError(f"[E050] Can't find model '{name}'")

    monkeypatch.setattr(spacy, "load", absent)
    with pytest.raises(InputError, match="python -m spacy download en_core_web_sm"):
        open_segmenter("chunker:spacy", None)


def test_a_spacy_pipeline_is_a_package_or_a_directory_that_holds_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "made_up_pipeline" / "made_up-3.8.0"
    inner.mkdir(parents=True)
    (inner / "config.cfg").touch()
    (inner.parent / "__init__.py").touch()
    opened: list[str] = []

    def load(name: object, exclude: Sequence[str]) -> None:
        opened.append(str(name))
        if not Path(str(name), "config.cfg").is_file():
            raise OSError(f"[E050] Can't find model '{name}'")

    spacy = ModuleType("spacy")
    monkeypatch.setattr(spacy, "load", load, raising=False)
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    monkeypatch.syspath_prepend(tmp_path)
    for pipeline in (inner, inner.parent, "made_up_pipeline", "made-up-pipeline"):
        open_segmenter(f"chunker:spacy:{pipeline}", None)
    assert opened == [str(inner)] * 4
    for pipeline in (tmp_path / "nowhere", "no_such_package", "../x"):
        with pytest.raises(InputError, match="give chunker:spacy:PACKAGE_OR_PATH"):
            open_segmenter(f"chunker:spacy:{pipeline}", None)
