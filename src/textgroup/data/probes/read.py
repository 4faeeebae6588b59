"""Opening a benchmark, and finding the images that its rows name."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from textgroup.data.probes.aro import read_aro
from textgroup.data.probes.foil import read_foil
from textgroup.data.probes.negclip import read_negclip
from textgroup.data.probes.plain import read_plain
from textgroup.data.probes.rows import Probes, image_name
from textgroup.data.probes.sugarcrepe import read_sugarcrepe, read_sugarcrepe_plus
from textgroup.data.probes.svo import read_svo
from textgroup.data.probes.valse import read_valse
from textgroup.data.probes.vlchecklist import read_vlchecklist
from textgroup.data.probes.whatsup import read_whatsup
from textgroup.data.probes.winoground import read_colorswap, read_winoground
from textgroup.data.sources.count import Count
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.files import expand_user

_COCO_ID = re.compile(r"\d{12}")
"""COCO numbers its photographs: two of one number are the same, in the releases of 2014 and of 2017."""

READERS: dict[str, Callable[[Path], Probes]] = {
    "svo": read_svo,
    "foil": read_foil,
    "sugarcrepe": read_sugarcrepe,
    "sugarcrepe++": read_sugarcrepe_plus,
    "valse": read_valse,
    "winoground": read_winoground,
    "colorswap": read_colorswap,
    "aro": read_aro,
    "vlchecklist": read_vlchecklist,
    "whatsup": read_whatsup,
    "negclip": read_negclip,
    "jsonl": read_plain,
}


def read_probes(spec: str) -> Probes:
    """A benchmark from KIND:PATH. Raises `InputError` for what is missing, damaged or not of this kind."""
    kind, _, where = spec.partition(":")
    if kind not in READERS or not where:
        raise InputError(f"probe {spec!r}: give KIND:PATH, KIND one of {', '.join(READERS)}")
    path = expand_user(where)
    if not path.exists():
        raise InputError(f"probe {spec!r}: there is no file or directory {path}")
    probes = READERS[kind](path)
    if not probes.rows:
        why = "; ".join(f"{count} {category}: {reason}" for (category, reason), count in probes.skipped.most_common(3))
        raise InputError(f"probe {spec!r}: it holds no rows{f' ({why})' if why else ''}")
    return probes


def find_images(
    sources: Sequence[str], wanted: Collection[str], image_column: str = "image"
) -> Iterator[tuple[str, bytes | Path]]:
    """(name, image) of the wanted ones, as they come in the sources (`samples.read_samples`).

    An image is meant by the name that agrees with its path in most folders from the end on: `a/1` and `b/1` are told
    apart, and where a row says only `1`, any folder will do. Other files in the sources do not matter. Raises
    `InputError` where two images fit a name as well.
    """
    chosen = _choose(sources, wanted, image_column)
    for source in sources:
        for sample in read_samples(source, captions=False, image_column=image_column, count=Count()):
            for name in chosen.get((source, sample.key), ()):
                if sample.image is not None:
                    yield name, sample.image


def _choose(sources: Iterable[str], wanted: Collection[str], image_column: str) -> dict[tuple[str, str], list[str]]:
    """The wanted names that each image, by its source and key, is meant by."""
    by_base: dict[str, list[str]] = {}
    for name in wanted:
        by_base.setdefault(_base(name), []).append(name)
    best: dict[str, tuple[int, str, str]] = {}  # how well it fits, source, key
    for source in sources:
        for sample in read_samples(source, captions=False, images=False, image_column=image_column, count=Count()):
            own = image_name(sample.key)
            candidates = [(_agreement(name, own), name) for name in by_base.get(_base(own), ())]
            for fit, name in candidates:
                if fit < max(candidates)[0]:
                    continue  # the image is another one's
                kept = best.get(name, (0, "", ""))
                if fit > kept[0]:
                    best[name] = (fit, source, sample.key)
                elif fit == kept[0] and (source == kept[1] or not _COCO_ID.fullmatch(_base(name))):
                    raise InputError(
                        f"images: {name!r} is in {source} as {sample.key} and in {kept[1]} as {kept[2]}: "
                        "leave one of them out, or name the image with its folder"
                    )
    chosen: dict[tuple[str, str], list[str]] = {}
    for name, (_, source, key) in best.items():
        chosen.setdefault((source, key), []).append(name)
    return chosen


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _agreement(one: str, other: str) -> int:
    """How many parts of two paths agree, from the end on."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")))
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
