"""`textgroup demo`, `textgroup features` and `textgroup train`: what makes checkpoints."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgroup.cli.common import Parser

if TYPE_CHECKING:
    from textgroup.vision.manifest import Manifest


def demo(words: Sequence[str]) -> None:
    """`textgroup demo`."""
    parser = Parser(
        "textgroup demo", description="Train on generated scenes, segment held-out captions, write a report."
    )
    parser.add_argument("--out", type=Path, default=Path("report.html"), help="the report (default: report.html)")
    parser.add_argument(
        "--steps", type=int, help="training steps a model, instead of the configuration's (a quick look)"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(words)
    from textgroup.demo import run_demo
    from textgroup.training.trainer import Stopped

    try:
        run_demo(options.out, steps=options.steps, seed=options.seed)
    except Stopped:  # half a demo is not gone on with
        raise KeyboardInterrupt from None


def features(words: Sequence[str]) -> None:
    """`textgroup features`."""
    parser = Parser("textgroup features", description="Encode the images of a data set once, for ever.")
    parser.add_argument(
        "--images",
        required=True,
        help="tar shards (file, directory, pattern, range, URL, pipe:COMMAND), a directory of images, or a table",
    )
    parser.add_argument("--encoder", required=True, help="groupvit[:WHERE] or backbone:WHERE (directory or Hub name)")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the feature store; the same command goes on with one half done",
    )
    parser.add_argument("--groups", action="store_true", help="also store every object group, not only their mean")
    parser.add_argument("--resize", type=int, help="shorter side before the centre crop, instead of the encoder's")
    parser.add_argument("--image-column", default="image", help="column of a table that names the image")
    parser.add_argument("--batch-size", type=int, help="images encoded at once (default: 4 on a CPU, 256 on a GPU)")
    options = parser.parse_args(words)
    import os

    import torch

    from textgroup.data.samples import read_samples
    from textgroup.report.terminal import progress_bar
    from textgroup.vision.features import encode_features
    from textgroup.vision.objects import open_encoder
    from textgroup.vision.ranks import encode_share, rank_and_world

    rank, world = rank_and_world()
    device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else None
    encoder = open_encoder(options.encoder, resize=options.resize, device=device)
    with progress_bar("images", None, shown=rank == 0) as advance:
        settings: dict[str, Any] = {
            "groups": options.groups,
            "batch_size": options.batch_size,
            "progress": lambda done, skipped: advance(done, f"{skipped} skipped"),
        }
        manifest: Manifest | None
        if world > 1:
            manifest = encode_share(options.images, encoder, options.out, rank=rank, world=world, **settings)
        else:
            samples = read_samples(options.images, image_column=options.image_column, captions=False)
            manifest = encode_features(samples, encoder, options.out, source=options.images, **settings)
    if manifest is None:
        print(f"{options.out}: process {rank} of {world} is done; the last one joins their shares")
        return
    print(f"{options.out}: {manifest.images} images, {manifest.width} wide, {len(manifest.skipped)} skipped")
    for skipped in manifest.skipped[:10]:
        print(f"  skipped {skipped.key}: {skipped.reason}")


def train(words: Sequence[str]) -> None:
    """`textgroup train`."""
    from textgroup.config import load_run, run_parser

    if not words or {"-h", "--help"} & set(words):
        run_parser().print_help()
        print("\nOwn options: --resume (go on from the newest checkpoint), --device NAME (cpu, cuda)")
        print("Several GPUs or machines: torchrun --nproc-per-node N --no-python textgroup train ... (docs/scaling.md)")
        return
    own = Parser("textgroup train", add_help=False, allow_abbrev=False)
    own.add_argument("--resume", action="store_true")
    own.add_argument("--device")
    options, rest = own.parse_known_args(words)
    config = load_run(rest)
    from textgroup.report.terminal import training_bar
    from textgroup.training import distributed
    from textgroup.training.inputs import read_inputs
    from textgroup.training.progress import shown_on
    from textgroup.training.trainer import Stopped
    from textgroup.training.trainer import train as run

    with distributed.joined(options.device) as place:
        first = distributed.rank() == 0
        inputs = read_inputs(config)
        try:
            with training_bar(config.out) as bar:
                run(config, inputs, resume=options.resume, device=place, progress=shown_on(bar))
        except Stopped as stopped:
            if first:
                print(f"textgroup: {stopped}")
            return
    if first:
        print(f'trained: {config.out}/last   (textgroup segment -c {config.out} "...")')
