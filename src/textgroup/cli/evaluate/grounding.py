"""`textgroup evaluate grounding`: heat maps of phrases against the boxes of Flickr30k Entities."""

import argparse
import json
import sys
from collections.abc import Sequence

from textgroup.cli.common import Parser, check_out, column_options, path
from textgroup.files import atomic_write
from textgroup.report.printable import one_line

DESCRIPTION = """\
Where in a photograph is what a phrase means? Points and boxes of heat maps against the boxes that people drew for
Flickr30k Entities, beside baselines that look at nothing. docs/grounding.md defines each figure."""


def grounding(words: Sequence[str]) -> None:
    """`textgroup evaluate grounding`."""
    options = _options(words)
    from textgroup.data.probes.read import find_images
    from textgroup.data.probes.rows import image_name
    from textgroup.data.sources.boxes import read_boxes
    from textgroup.data.sources.entities import read_entities
    from textgroup.errors import InputError
    from textgroup.evaluation.grounding.benchmark import BLIND, measure, measure_blind, mentions_of
    from textgroup.evaluation.grounding.grounders import largest_object, open_grounder, shuffled
    from textgroup.evaluation.grounding.report import COLUMNS, cells, markdown
    from textgroup.report.terminal import progress_bar, table

    grounders = [open_grounder(spec, options.encoder, options.device) for spec in options.model]
    entities, boxes = (
        read_entities(options.annotations, options.split),
        read_boxes(options.boxes or options.annotations),
    )
    mentions = mentions_of(entities.captions, boxes)
    wanted = {mention.image for mention in mentions}
    images = dict(find_images(options.images, {image_name(name) for name in wanted}, options.image_column))
    missing = sorted(wanted - images.keys())
    mentions = [mention for mention in mentions if mention.image in images]
    if not mentions:
        raise InputError(f"--images: none of {len(wanted)} photographs with boxes is there, such as {missing[0]}")
    for line in [*entities.skipped[:5], *boxes.skipped[:5]]:
        print(f"textgroup: skipped: {one_line(line)}", file=sys.stderr)
    if missing:
        print(f"textgroup: {len(missing)} of {len(wanted)} photographs with boxes are missing", file=sys.stderr)
    results = [measure_blind(name, mentions) for name in BLIND]
    contenders = [g for one in grounders for g in (one, *shuffled(one, images), *largest_object(one))]
    for grounder in contenders:
        with progress_bar("captions", len(mentions)) as advance:
            results.append(measure(grounder, mentions, images, advance))
    records = [result.record() for result in results]
    title = f"{options.split}: {records[0]['n_images']:,} photographs, {records[0]['n_phrases']:,} mentions of phrases"
    with atomic_write(options.out / "grounding.json") as partial:
        partial.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    with atomic_write(options.out / "grounding.md") as partial:
        partial.write_text(markdown(title, records), encoding="utf-8", errors="backslashreplace")
    table(title, COLUMNS, [cells(record) for record in records])


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = Parser("textgroup evaluate grounding", description=DESCRIPTION)
    parser.add_argument("--annotations", type=path, required=True, help="directory or zip: Sentences/, val.txt, ...")
    parser.add_argument("--boxes", type=path, help="directory or zip with Annotations/*.xml, if not in --annotations")
    parser.add_argument("--split", default="val", help="whose list of images (default: val)")
    parser.add_argument(
        "--images",
        action="append",
        required=True,
        metavar="DATA",
        help="photographs: a directory or zip of images, tar shards or a table, found by file name; repeat it",
    )
    parser.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="SPEC",
        help="model (the packaged one), model:PATH (a checkpoint trained with images) or file:HEATS.jsonl; repeat it",
    )
    parser.add_argument("--encoder", help="where the image encoder of model:PATH lies now, if not as in training")
    column_options(parser, captions=False, strict=False)
    parser.add_argument("--device", help="cpu or cuda: where the text side runs (default: cpu)")
    parser.add_argument("--out", type=path, required=True, metavar="DIR", help="write grounding.json and grounding.md")
    options = parser.parse_args(words)
    check_out(options.out, "grounding.json", "grounding.md")
    return options
