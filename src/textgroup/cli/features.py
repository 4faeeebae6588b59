"""`textgroup features`: every image of a data set through the frozen encoder, once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textgroup.cli.common import Parser, column_options, path, tell_count

if TYPE_CHECKING:
    from textgroup.vision.store.manifest import Manifest


def features(words: Sequence[str]) -> None:
    """`textgroup features`."""
    parser = Parser("textgroup features", description="Encode the images of a data set into a feature store.")
    parser.add_argument(
        "--images",
        required=True,
        help="tar shards (file, directory, pattern, range, URL, pipe:COMMAND), a directory or zip of images, a table, "
        "or datasets:NAME (docs/data.md)",
    )
    parser.add_argument(
        "--encoder",
        required=True,
        help="groupvit[:WHERE], backbone:WHERE, clusters:WHERE or queries:WHERE (WHERE: a directory, a Hub name, or "
        "packaged, the MobileNetV2 that comes with the package)",
    )
    parser.add_argument(
        "--out",
        type=path,
        required=True,
        help="the feature store; the same command goes on with one half done",
    )
    parser.add_argument("--groups", action="store_true", help="also store every object's vector, not only their mean")
    parser.add_argument("--resize", type=int, help="shorter side before the centre crop, instead of the encoder's")
    parser.add_argument("--size", type=int, help="squash the whole image to so many pixels a side, without a crop")
    column_options(parser, captions=False)
    parser.add_argument("--batch-size", type=int, help="images encoded at once (default: 4 on a CPU, 256 on a GPU)")
    parser.add_argument("--device", help="cpu or cuda (default: a GPU if there is one)")
    options = parser.parse_args(words)
    import os

    import torch

    from textgroup.data.sources.count import Count
    from textgroup.data.sources.samples import read_samples
    from textgroup.devices import pick_device
    from textgroup.report.printable import printable
    from textgroup.report.terminal import progress_bar
    from textgroup.vision.encoders.open import open_encoder
    from textgroup.vision.store.processes import encode_rank_share, rank_and_world
    from textgroup.vision.store.writing import encode_features

    rank, world = rank_and_world()
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else None
    device = str(pick_device(options.device)) if options.device else own
    encoder = open_encoder(options.encoder, resize=options.resize, device=device, size=options.size)
    count = Count(strict=options.strict)
    with progress_bar("images", None, shown=rank == 0) as advance:
        settings: dict[str, Any] = {
            "groups": options.groups,
            "image_column": options.image_column,
            "batch_size": options.batch_size,
            "count": count,
            "progress": lambda done, skipped: advance(done, f"{skipped} skipped"),
        }
        manifest: Manifest | None
        if world > 1:
            settings |= {"rank": rank, "world": world, "image_column": options.image_column}
            manifest = encode_rank_share(options.images, encoder, options.out, **settings)
        else:
            samples = read_samples(options.images, image_column=options.image_column, captions=False, count=count)
            manifest = encode_features(samples, encoder, options.out, source=options.images, **settings)
    if count.given:  # a store that was complete reads nothing
        tell_count(options.images, count)
    if manifest is None:
        print(f"{options.out}: process {rank} of {world} is done; the last one joins their shares")
        return
    print(f"{options.out}: {manifest.images} images, {manifest.width} wide, {len(manifest.skipped)} skipped")
    for skipped in manifest.skipped[:10]:
        print(printable(f"  skipped {skipped.key}: {skipped.reason}"))
    if count.skipped:
        print(printable(f"  all that was skipped: {options.out / 'skipped.jsonl'}"))
