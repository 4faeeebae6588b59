"""Write docs/licences.md: `python docs/generate_licences.py`, where all extras are installed."""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

PAGE = Path(__file__).with_name("licences.md")
PROJECT = Path(__file__).parents[1] / "pyproject.toml"
NOTES = {
    "textblob-aptagger": "MIT, by the LICENSE in its sources",
}
"""Packages whose metadata do not name their licence -> what does."""
CORE = "core"
HEAD = """\
# Licences of what is installed with TextGroup

TextGroup is under the Apache License 2.0, and so are its packaged weights. The wheel holds nothing of the packages
below; they are installed beside it. What every installation brings (`core`) is under permissive licences; parts of
`tqdm` are under the MPL 2.0. A test refuses GPL, LGPL, AGPL and unknown licences there.

PyTorch from PyPI on Linux also brings NVIDIA's CUDA libraries, under NVIDIA's own licence; its CPU builds do not.

Made by `python docs/generate_licences.py` from the metadata of the installed packages. A package stands where it is
needed first.

| package | licence | needed by |
|---|---|---|
"""


class Package(NamedTuple):
    """An installed package. licence: "" where its metadata name none. needed_by: `CORE` or the name of an extra."""

    name: str
    licence: str
    needed_by: str


def main() -> None:
    """Write the page."""
    rows = [f"| {one.name} | {one.licence or 'unknown'} | {one.needed_by} |\n" for one in packages()]
    PAGE.write_text(HEAD + "".join(rows), encoding="utf-8")


def packages() -> list[Package]:
    """All that is installed with the package and with its extras; the core first, then by name."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    found: dict[str, Package] = {}
    for needed_by, wanted in {CORE: project["dependencies"], **project["optional-dependencies"]}.items():
        for name in sorted(closure(wanted) - found.keys()):
            found[name] = Package(name, licence_of(name), needed_by)
    return list(found.values())


def closure(wanted: Iterable[str]) -> set[str]:
    """The names of all packages that these requirements bring."""
    found: dict[str, set[str]] = {}  # with the extras that are asked for; "" is the package itself
    waiting = [Requirement(one) for one in wanted]
    while waiting:
        requirement = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        new = {"", *requirement.extras} - found.setdefault(name, set())
        found[name] |= new
        for inner in map(Requirement, requirements_of(name) if new else ()):
            if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in new):
                waiting.append(inner)
    return set(found)


def requirements_of(name: str) -> list[str]:
    """What an installed package needs; nothing for one that is not installed."""
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def licence_of(name: str) -> str:
    """What the metadata of a package say, in a few words; "" where they say nothing."""
    try:
        about = distribution(name).metadata
    except PackageNotFoundError:
        return "not installed where this page was made"
    classes = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier") or () if one.startswith("License ::")]
    stated = [about.get("License-Expression"), *classes[:1], about.get("License")]
    in_few_words = (one for one in stated if one and "\n" not in one)  # some have the whole text there
    return NOTES.get(name) or next(in_few_words, "")


if __name__ == "__main__":
    main()
