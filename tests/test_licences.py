"""What is installed with the package may be used by everybody, and is listed."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


@pytest.fixture
def licences() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "docs"))
    import generate_licences

    yield generate_licences
    sys.path.remove(str(ROOT / "docs"))


def test_no_package_of_the_core_is_under_a_licence_that_spreads_or_is_unknown(licences: ModuleType) -> None:
    core = {one.name: one.licence for one in licences.packages() if one.needed_by == licences.CORE}
    assert len(core) > 40
    ours = {name: licence for name, licence in core.items() if not re.match("cuda-|nvidia-", name)}  # said on the page
    assert not {name for name, licence in ours.items() if not licence or re.search(r"GPL|General Public", licence)}


def test_a_package_without_a_stated_licence_is_unknown(licences: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert licences.licence_of("numpy").startswith("BSD")
    said = {"License": "a text\nof many lines"}
    monkeypatch.setattr(licences, "distribution", lambda name: type("D", (), {"metadata": Metadata(said)}))
    assert licences.licence_of("numpy") == ""


class Metadata(dict[str, str]):
    def get_all(self, name: str) -> None:
        """There are no classifiers."""


def test_the_page_lists_every_package_that_the_project_names(licences: ModuleType) -> None:
    listed = set(re.findall(r"^\| (\S+) \|", licences.PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert {re.sub(r"[-_.]+", "-", Requirement(one).name).lower() for one in named} <= listed
