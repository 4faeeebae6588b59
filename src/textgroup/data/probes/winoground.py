"""Winoground (Thrush et al., 2022): two images and two captions of the same words, to be told apart both ways."""

from pathlib import Path

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name, json_field, json_lines, json_text


def read_winoground(path: Path) -> Probes:
    """`examples.jsonl`, or the directory that holds it.

    Four rows an example, with ids such as "7/text/0": the right caption for each image ("text"), the right image
    for each caption ("image").
    Skipped and counted: examples with an empty caption, and repetitions of an id.
    """
    probes = Probes("winoground")
    seen: set[str] = set()
    for where, record in json_lines(path / "examples.jsonl" if path.is_dir() else path):
        number = str(json_field(record, "id", (int, str), where))
        images = [image_name(json_text(record, f"image_{i}", where)) for i in (0, 1)]
        captions = [json_text(record, f"caption_{i}", where) for i in (0, 1)]
        if not all(captions) or number in seen:
            for category in ("text", "image"):
                probes.skip(category, "repeated" if number in seen else "no caption")
            continue
        seen.add(number)
        for i in (0, 1):
            right = Pair(images[i], captions[i])
            probes.rows.append(Probe(f"{number}/text/{i}", "text", right, Pair(images[i], captions[1 - i])))
            probes.rows.append(Probe(f"{number}/image/{i}", "image", right, Pair(images[1 - i], captions[i])))
    return probes
