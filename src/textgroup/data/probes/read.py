"""Opening a benchmark, and finding the images that its rows name."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from textgroup.data.probes.foil import read_foil
from textgroup.data.probes.plain import read_plain
from textgroup.data.probes.rows import Probes, image_name
from textgroup.data.probes.sugarcrepe import read_sugarcrepe
from textgroup.data.probes.svo import read_svo
from textgroup.data.probes.valse import read_valse
from textgroup.data.probes.winoground import read_winoground
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError

READERS: dict[str, Callable[[Path], Probes]] = {
    "svo": read_svo,
    "foil": read_foil,
    "sugarcrepe": read_sugarcrepe,
    "valse": read_valse,
    "winoground": read_winoground,
    "jsonl": read_plain,
}


def read_probes(spec: str) -> Probes:
    """A benchmark from KIND:PATH. Raises `InputError` for what is missing, damaged or not of this kind."""
    kind, _, where = spec.partition(":")
    if kind not in READERS or not where:
        raise InputError(f"probe {spec!r}: give KIND:PATH, KIND one of {', '.join(READERS)}")
    path = Path(where).expanduser()
    if not path.exists():
        raise InputError(f"probe {spec!r}: there is no file or directory {path}")
    probes = READERS[kind](path)
    if not probes.rows:
        why = "; ".join(f"{count} {category}: {reason}" for (category, reason), count in probes.skipped.most_common(3))
        raise InputError(f"probe {spec!r}: it holds no rows{f' ({why})' if why else ''}")
    return probes


def find_images(sources: Iterable[str], wanted: Collection[str]) -> Iterator[tuple[str, bytes | Path]]:
    """(name, image) of the wanted ones, as they come in the sources (`samples.read_samples`), each once.

    Raises `InputError` where two images have the same wanted name.
    """
    met: dict[str, str] = {}
    for source in sources:
        for sample in read_samples(source, captions=False):
            name = image_name(sample.key)
            if name not in wanted or sample.image is None:
                continue
            if name in met:
                raise InputError(
                    f"images: {name!r} is in {source} as {sample.key} and in {met[name]}: leave one of them out"
                )
            met[name] = f"{source} as {sample.key}"
            yield name, sample.image
