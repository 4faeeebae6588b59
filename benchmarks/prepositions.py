"""Do prepositions and articles stand in units as they should, in languages without gold phrases?

    python benchmarks/prepositions.py --model multilingual --captions de=de.train.txt.gz --captions cs=cs.train.txt.gz

A preposition should be a unit by itself, an article never. Of every 20th caption: units that begin with a preposition,
and how many of them have more words; prepositions further inside units; units that begin with an article, and how many
are nothing else. The lists of words are for counting alone; nothing learns from them.
"""

import argparse
from itertools import islice

import textgroup
from textgroup.data.sources.samples import read_samples
from textgroup.report.terminal import table

PREPOSITIONS = {
    "de": "mit in auf an vor von nach aus unter über neben bei zu im am durch hinter zwischen um gegen",
    "cs": "v ve na s u z ze do před k ke po nad pod za při mezi vedle okolo kolem od přes",
}
ARTICLES = {
    "de": "der die das den dem ein eine einen einem einer",
    "cs": "",
}


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", required=True, help="`packaged`, `multilingual` or a checkpoint")
    parser.add_argument("--captions", action="append", required=True, help="LANGUAGE=SOURCE")
    options = parser.parse_args()
    if unknown := {captions.partition("=")[0] for captions in options.captions} - set(PREPOSITIONS):
        parser.error(f"--captions {unknown.pop()}: give LANGUAGE=SOURCE, of {', '.join(PREPOSITIONS)}")
    rows = []
    for name in options.model:
        model = textgroup.load(None if name == "packaged" else name)
        for captions in options.captions:
            language, _, source = captions.partition("=")
            rows.append([name, language, *count(model, language, source)])
    columns = ["model", "language", "begin with a preposition", "more words", "inside", "with an article", "alone"]
    table("Prepositions and articles", columns, rows)


def count(model: textgroup.TextGroup, language: str, source: str) -> list[str]:
    """The last five columns of a row."""
    texts = (text for sample in read_samples(source, images=False) for text in sample.captions)
    prepositions, articles = PREPOSITIONS[language].split(), ARTICLES[language].split()
    units = [unit.text.lower().split() for caption in model.segment(islice(texts, 0, None, 20)) for unit in caption]
    led, with_article = ([words for words in units if words[0] in list_] for list_ in (prepositions, articles))
    inside = sum(word in prepositions for words in units for word in words[1:])
    more, alone = sum(len(words) > 1 for words in led), sum(len(words) == 1 for words in with_article)
    return [f"{len(led):,}", share(more, led), f"{inside:,}", f"{len(with_article):,}", share(alone, with_article)]


def share(some: int, of: list[list[str]]) -> str:
    """In per cent."""
    return f"{100 * some / len(of):.0f}%" if of else ""


if __name__ == "__main__":
    main()
