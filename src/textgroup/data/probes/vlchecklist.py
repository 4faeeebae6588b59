"""VL-CheckList (Zhao et al., 2022): captions of objects, attributes and relations, and the same with one thing changed.

Its files are lists of [image, {"POS": [caption, ...], "NEG": [caption, ...]}].
"""

from pathlib import Path

from textgroup.data.probes.rows import MAX_FILE, Pair, Probe, Probes, image_name, json_field, json_object
from textgroup.errors import InputError
from textgroup.files import read_json_value


def read_vlchecklist(path: Path) -> Probes:
    """One of the official files, or a directory of them; where a file lies under it is the category.

    Skipped and counted: positive captions without a negative one, and the reverse, and captions that are empty.
    """
    probes = Probes("vlchecklist")
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    for file in files:
        category = file.stem if file == path else file.relative_to(path).with_suffix("").as_posix()
        content = read_json_value(file, MAX_FILE)
        if not isinstance(content, list):
            raise InputError(f"{file}: not a list: not a file of VL-CheckList")
        for number, entry in enumerate(content):
            where = f"{file}: entry {number}"
            if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str):
                raise InputError(f'{where}: not [image, {{"POS": [...], "NEG": [...]}}]')
            captions = json_object(entry[1], where)
            right, wrong = (json_field(captions, name, list, where) for name in ("POS", "NEG"))
            for _ in range(abs(len(right) - len(wrong))):
                probes.skip(category, "no partner")
            for i, (better, worse) in enumerate(zip(right, wrong)):
                if not all(isinstance(text, str) and text.strip() for text in (better, worse)):
                    probes.skip(category, "no caption")
                    continue
                image = image_name(entry[0])
                pairs = Pair(image, better.strip()), Pair(image, worse.strip())
                probes.rows.append(Probe(f"{number}/{i}", category, *pairs))
    if not files:
        raise InputError(f"{path}: no .json file in this directory")
    return probes
