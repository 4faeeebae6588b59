"""Seconds that `textgroup evaluate phrases` spends on one segmenter, apart from the segmenter.

    python benchmarks/phrase_metric.py ANNOTATIONS TOKENIZER [--split val]

Reading, gold phrases onto tokens, units onto tokens, matching, and 1,000 bootstrap draws of every figure.
"""

import argparse
import time

from common import run
from textgroup.data.sources.entities import read_entities
from textgroup.evaluation.phrases.benchmark import Benchmark, measure
from textgroup.evaluation.phrases.tokens import open_tokenizer, token_spans
from textgroup.evaluation.segmenters.open import open_segmenter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations")
    parser.add_argument("tokenizer")
    parser.add_argument("--split", default="val")
    options = parser.parse_args()
    tokenizer = open_tokenizer(options.tokenizer)
    started = time.perf_counter()
    benchmark = Benchmark.make(read_entities(options.annotations, options.split).captions, token_spans(tokenizer))
    read = time.perf_counter()
    units = dict(zip(benchmark.captions, open_segmenter("equal:4", tokenizer)(benchmark.captions)))
    segmented = time.perf_counter()
    score = measure("equal:4", lambda captions: [units[caption] for caption in captions], benchmark).score
    measured = time.perf_counter() - segmented
    print(f"{len(benchmark.captions):,} captions: read and tokenised in {read - started:.1f} s, ", end="")
    print(f"measured in {measured:.1f} s (equal:4, tIoU {100 * score.tiou:.2f})")


if __name__ == "__main__":
    run(main)
