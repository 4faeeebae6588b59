"""Supervised noun-phrase chunkers, for comparison: they were trained on what our models must discover.

Only the chunks are units; all other words are in none.
"""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from textgroup.errors import InputError
from textgroup.evaluation.segmenters.request import Request
from textgroup.units import Segmenter, Unit

TAGGER = "averaged_perceptron_tagger_eng"
SPACY_MODEL = "en_core_web_sm"
GRAMMAR = r"NP: {<DT|PRP\$>?<CD>?<JJ.*>*<NN.*>+}"
"""A noun phrase in tags: determiner, number, adjectives, nouns."""

Chunk = Callable[[list[str]], list[str | None]]
"""The words of a caption -> the label of each: B-NP, I-NP or another."""


def open_chunker(request: Request) -> Segmenter:
    """`chunker:nltk`, `chunker:grammar` or `chunker:spacy[:MODEL_OR_PATH]`."""
    name, _, pipeline = request.value.partition(":")
    if name == "spacy":
        return spacy_chunker(pipeline or SPACY_MODEL)
    chunkers = {"nltk": nltk_chunker, "grammar": grammar_chunker}
    if request.value not in chunkers:
        raise InputError(
            f"no segmenter {request.spec!r}: chunkers are chunker:nltk, chunker:grammar, chunker:spacy[:MODEL_OR_PATH]"
        )
    return chunkers[request.value]()


def nltk_chunker() -> Segmenter:
    """NLTK's perceptron tagger, and an NP chunker over its tags: a trigram model of CoNLL-2000's training sentences."""
    with _nltk_errors("chunker:nltk", f"{TAGGER} conll2000"):
        from nltk import BigramTagger, TrigramTagger, UnigramTagger
        from nltk.chunk import tree2conlltags
        from nltk.corpus import conll2000
        from nltk.tag import PerceptronTagger

        tagger = PerceptronTagger()
        trees = conll2000.chunked_sents("train.txt", chunk_types=["NP"])
        sentences = [[(tag, chunk) for _, tag, chunk in tree2conlltags(tree)] for tree in trees]
    chunker = TrigramTagger(sentences, backoff=BigramTagger(sentences, backoff=UnigramTagger(sentences)))
    return _word_segmenter(lambda words: [chunk for _, chunk in chunker.tag([tag for _, tag in tagger.tag(words)])])


def grammar_chunker() -> Segmenter:
    """NLTK's perceptron tagger, and a grammar of noun phrases over its tags (`GRAMMAR`)."""
    with _nltk_errors("chunker:grammar", TAGGER):
        from nltk import RegexpParser
        from nltk.chunk import tree2conlltags
        from nltk.tag import PerceptronTagger

        tagger = PerceptronTagger()
    parser = RegexpParser(GRAMMAR)
    return _word_segmenter(lambda words: [chunk for *_, chunk in tree2conlltags(parser.parse(tagger.tag(words)))])


def spacy_chunker(pipeline: str) -> Segmenter:
    """The noun chunks of a spaCy pipeline: an installed package, or a directory that holds one."""
    try:
        import spacy
    except ImportError:
        raise InputError("segmenter chunker:spacy needs spaCy: pip install 'textgroup[chunkers]'") from None
    try:
        parser = spacy.load(_pipeline_directory(pipeline) or pipeline, exclude=["ner", "lemmatizer"])
    except (OSError, ValueError):
        raise InputError(
            f"segmenter chunker:spacy: no pipeline {pipeline!r}: python -m spacy download {SPACY_MODEL}, or give "
            "chunker:spacy:PACKAGE_OR_PATH"
        ) from None

    def segment(captions: Sequence[str]) -> list[list[Unit]]:
        return [
            [Unit(chunk.text, chunk.start_char, chunk.end_char, i) for i, chunk in enumerate(parsed.noun_chunks)]
            for parsed in parser.pipe(captions)
        ]

    return segment


def _pipeline_directory(pipeline: str) -> Path | None:
    """The directory of the pipeline that a directory or an installed package holds, or None."""
    where, package = Path(pipeline), pipeline.replace("-", "_")
    if not where.is_dir():
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        if spec is None or not spec.submodule_search_locations:
            return None
        where = Path(next(iter(spec.submodule_search_locations)))
    return next((config.parent for config in sorted(where.glob("**/config.cfg"))), None)


@contextmanager
def _nltk_errors(spec: str, data: str) -> Iterator[None]:
    """Say what is missing and how to get it, where NLTK or its `data` is not there."""
    try:
        yield
    except ImportError:
        raise InputError(f"segmenter {spec} needs NLTK: pip install 'textgroup[chunkers]'") from None
    except LookupError:
        raise InputError(f"segmenter {spec} needs NLTK's data: python -m nltk.downloader {data}") from None


def _word_segmenter(label: Chunk) -> Segmenter:
    """A segmenter from a function that labels the words of a caption, as NLTK splits it into words."""
    from nltk.tokenize import NLTKWordTokenizer

    words = NLTKWordTokenizer()

    def units(caption: str) -> list[Unit]:
        spans = list(words.span_tokenize(caption))
        return _chunks(caption, spans, label([caption[a:b] for a, b in spans])) if spans else []

    return lambda captions: [units(caption) for caption in captions]


def _chunks(caption: str, spans: Sequence[tuple[int, int]], labels: Sequence[str | None]) -> list[Unit]:
    """Words labelled B-NP (begins a chunk), I-NP (goes on with one) or otherwise (outside) -> the chunks."""
    units: list[Unit] = []
    inside = False
    for (start, end), label in zip(spans, labels):
        goes_on, inside = inside and label == "I-NP", label in ("B-NP", "I-NP")
        if inside:
            first = units.pop().start if goes_on else start
            units.append(Unit(caption[first:end], first, end, len(units)))
    return units
