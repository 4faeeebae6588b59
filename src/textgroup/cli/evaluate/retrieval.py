"""`textgroup evaluate retrieval`: recall at 1, 5 and 10."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textgroup.cli.common import Parser, checkpoint_option, column_options, path, tell_count
from textgroup.errors import InputError

if TYPE_CHECKING:
    from textgroup.evaluation.retrieval import Retrieval


def retrieval(words: Sequence[str]) -> None:
    """`textgroup evaluate retrieval`."""
    parser = Parser("textgroup evaluate retrieval", description="Recall at 1, 5, 10 and median rank, both directions.")
    model_options = parser.add_mutually_exclusive_group(required=True)
    checkpoint_option(model_options)
    model_options.add_argument("--model", metavar="SPEC", help="model[:PATH], groupvit[:WHERE] or transformers:WHERE")
    parser.add_argument("--captions", required=True, help="captions with their images' keys, as for training")
    parser.add_argument("--features", type=path, help="with -c: feature store of the images")
    parser.add_argument("--encoder", help="with --model model:PATH: where its image encoder lies now")
    parser.add_argument("--device", help="with --model: cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--first", type=int, help="use only the first N captions of each image")
    column_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object, for machines")
    options = parser.parse_args(words)
    if options.first is not None and options.first < 1:
        raise InputError(f"--first {options.first}: give at least 1")
    if (options.checkpoint is None) != (options.features is None):
        raise InputError("give -c with --features, or --model alone: it reads the images beside the captions")
    if options.checkpoint is not None and options.encoder is not None:
        raise InputError(f"--encoder {options.encoder}: with -c the images' vectors are read from --features")
    if options.checkpoint is not None and options.device is not None:
        raise InputError(f"--device {options.device}: with -c the text side runs on the CPU")
    from dataclasses import asdict

    from textgroup.report.terminal import table

    retrieved = _measure_recall(options)
    if options.json:
        print(json.dumps(asdict(retrieved)))
        return
    rows = [
        (name, f"{recall.r1:.1f}", f"{recall.r5:.1f}", f"{recall.r10:.1f}", f"{recall.median_rank:.0f}")
        for name, recall in (("image to text", retrieved.image_to_text), ("text to image", retrieved.text_to_image))
    ]
    counts = f"{retrieved.images:,} images, {retrieved.captions:,} captions"
    title = f"{counts} (chance R@1, text to image: {retrieved.chance_r1:.1f})"
    table(title, ("", "R@1", "R@5", "R@10", "median rank"), rows)


def _measure_recall(options: argparse.Namespace) -> "Retrieval":
    from textgroup.data.sources.count import Count
    from textgroup.data.sources.samples import read_samples
    from textgroup.evaluation.retrieval import evaluate, evaluate_samples

    count = Count(strict=options.strict)
    samples = read_samples(
        options.captions,
        image_column=options.image_column,
        caption_column=options.caption_column,
        images=options.model is not None,
        count=count,
    )
    if options.model is not None:
        from textgroup.evaluation.open_model import open_dual_encoder

        towers = open_dual_encoder(options.model, options.device, options.encoder)
        retrieved = evaluate_samples(towers, samples, options.captions, options.first, count=count)
        tell_count(options.captions, count)
        return retrieved
    from textgroup.model.pretrained import load_model
    from textgroup.training.inputs import read_pairs

    model, tokenizer = load_model(options.checkpoint)
    pairs = read_pairs(samples, options.captions, options.features, tokenizer, model.image_encoder)
    tell_count(options.captions, count)
    return evaluate(model, pairs, options.first)
