"""Ways to encode a folder of small images, for the tests of the store."""

from collections.abc import Callable
from pathlib import Path

from tests.vision.tiny import TinyEncoder
from textgroup.data.sources.samples import read_samples
from textgroup.vision.store.manifest import Manifest
from textgroup.vision.store.writing import encode_features


def encode(images: Path, out: Path, **options: object) -> Manifest:
    """Encode a folder in parts of 10, the usual way of these tests."""
    settings = {"encoder": TinyEncoder(), "source": "x", "batch_size": 4, "part": 10, **options}
    return encode_features(read_samples(images), out=out, **settings)


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store."""
    return {path.name: path.read_bytes() for path in store.iterdir() if path.name != ".lock"}


def stop_at(images: int) -> Callable[[int, int], None]:
    """A progress callback that breaks the run off."""

    def progress(done: int, skipped: int) -> None:
        if done >= images:
            raise KeyboardInterrupt

    return progress
