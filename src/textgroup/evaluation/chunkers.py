"""Supervised noun-phrase chunkers, for comparison: they have seen what our models must discover.

Only the chunks are units; all other words are in none.
"""

from collections.abc import Sequence

from textgroup.errors import InputError
from textgroup.units import Segmenter, Unit

NLTK_DATA = "averaged_perceptron_tagger_eng conll2000"
SPACY_MODEL = "en_core_web_sm"


def nltk_chunker() -> Segmenter:
    """NLTK's perceptron tagger, and an NP chunker over its tags: a trigram model of CoNLL-2000's training sentences."""
    try:
        from nltk import BigramTagger, TrigramTagger, UnigramTagger
        from nltk.chunk import tree2conlltags
        from nltk.corpus import conll2000
        from nltk.tag import PerceptronTagger
        from nltk.tokenize import NLTKWordTokenizer
    except ImportError:
        raise InputError("segmenter chunker:nltk needs NLTK: pip install 'textgroup[chunkers]'") from None
    try:
        tagger = PerceptronTagger()
        trees = conll2000.chunked_sents("train.txt", chunk_types=["NP"])
        sentences = [[(tag, chunk) for _, tag, chunk in tree2conlltags(tree)] for tree in trees]
    except LookupError:
        raise InputError(f"segmenter chunker:nltk needs NLTK's data: python -m nltk.downloader {NLTK_DATA}") from None
    chunker = TrigramTagger(sentences, backoff=BigramTagger(sentences, backoff=UnigramTagger(sentences)))
    words = NLTKWordTokenizer()

    def units(caption: str) -> list[Unit]:
        spans = list(words.span_tokenize(caption))
        tags = [tag for _, tag in tagger.tag([caption[a:b] for a, b in spans])]
        return _chunks(caption, spans, [chunk for _, chunk in chunker.tag(tags)])

    return lambda captions: [units(caption) for caption in captions]


def spacy_chunker() -> Segmenter:
    """The noun chunks of spaCy's small English pipeline."""
    try:
        import spacy
    except ImportError:
        raise InputError("segmenter chunker:spacy needs spaCy: pip install 'textgroup[chunkers]'") from None
    try:
        pipeline = spacy.load(SPACY_MODEL, exclude=["ner", "lemmatizer"])
    except OSError:
        raise InputError(f"segmenter chunker:spacy needs its model: python -m spacy download {SPACY_MODEL}") from None

    def segment(captions: Sequence[str]) -> list[list[Unit]]:
        return [
            [Unit(chunk.text, chunk.start_char, chunk.end_char, i) for i, chunk in enumerate(parsed.noun_chunks)]
            for parsed in pipeline.pipe(captions)
        ]

    return segment


def _chunks(caption: str, spans: Sequence[tuple[int, int]], labels: Sequence[str | None]) -> list[Unit]:
    """Words labelled B-NP (begins a chunk), I-NP (goes on with one) or otherwise (outside) -> the chunks."""
    found: list[Unit] = []
    inside = False
    for (start, end), label in zip(spans, labels):
        goes_on, inside = inside and label == "I-NP", label in ("B-NP", "I-NP")
        if inside:
            first = found.pop().start if goes_on else start
            found.append(Unit(caption[first:end], first, end, len(found)))
    return found
