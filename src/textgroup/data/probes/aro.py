"""ARO's Visual Genome parts (Yuksekgonul et al., 2023): relations whose two things, or attributes, are exchanged.

`visual_genome_relation.json` and `visual_genome_attribution.json`. The authors cut each photograph to the box of its
row; here it is seen whole, so figures are not those of the paper.
"""

from pathlib import Path

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name, json_files, json_text, records


def read_aro(path: Path) -> Probes:
    """One of the official files, or their directory; the name of the file is the category.

    Skipped and counted: rows with an empty caption.
    """
    probes = Probes("aro")
    for file in json_files(path):
        category = file.stem.removeprefix("visual_genome_")
        for key, where, record in records(file):
            caption, false = (json_text(record, name, where) for name in ("true_caption", "false_caption"))
            image = image_name(json_text(record, "image_path", where))
            if caption and false:
                probes.rows.append(Probe(key, category, Pair(image, caption), Pair(image, false)))
            else:
                probes.skip(category, "no caption")
    return probes
