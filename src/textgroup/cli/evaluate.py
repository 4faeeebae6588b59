"""`textgroup evaluate`: one command a benchmark."""

import json
from collections.abc import Sequence
from pathlib import Path

from textgroup.cli.common import Parser, checkpoint_option
from textgroup.cli.ranking import ranking
from textgroup.errors import InputError


def evaluate(words: Sequence[str]) -> None:
    """`textgroup evaluate`."""
    benchmarks = {"ranking": ranking, "retrieval": retrieval}
    if not words or words[0] not in benchmarks:
        raise InputError(f"textgroup evaluate: give what to evaluate: {', '.join(benchmarks)}")
    benchmarks[words[0]](words[1:])


def retrieval(words: Sequence[str]) -> None:
    """`textgroup evaluate retrieval`."""
    parser = Parser("textgroup evaluate retrieval", description="Recall at 1, 5, 10 and median rank, both directions.")
    checkpoint_option(parser)
    parser.add_argument("--captions", required=True, help="captions with their images' keys, as for training")
    parser.add_argument("--features", type=Path, required=True, help="feature store of the images")
    parser.add_argument("--first", type=int, help="use only the first N captions of each image")
    parser.add_argument("--json", action="store_true", help="one JSON object, for machines")
    options = parser.parse_args(words)
    if options.first is not None and options.first < 1:
        raise InputError(f"--first {options.first}: give at least 1")
    from dataclasses import asdict

    from textgroup.evaluation.retrieval import evaluate as run
    from textgroup.model.pretrained import load_model
    from textgroup.report.terminal import table
    from textgroup.training.inputs import read_pairs

    model, tokenizer = load_model(options.checkpoint)
    found = run(model, read_pairs(options.captions, options.features, tokenizer, model.image_encoder), options.first)
    if options.json:
        print(json.dumps(asdict(found)))
        return
    rows = [
        (name, f"{recall.r1:.1f}", f"{recall.r5:.1f}", f"{recall.r10:.1f}", f"{recall.median_rank:.0f}")
        for name, recall in (("image to text", found.image_to_text), ("text to image", found.text_to_image))
    ]
    title = f"{found.images:,} images, {found.captions:,} captions (chance R@1, text to image: {found.chance_r1:.1f})"
    table(title, ("", "R@1", "R@5", "R@10", "median rank"), rows)
