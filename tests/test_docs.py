"""What the documents point at is there."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [
    (cells[-2], cells[-1])
    for line in (ROOT / "docs" / "method.md").read_text().splitlines()
    if (cells := re.findall(r"`([^`]+)`", line)) and line.startswith("|") and len(cells) >= 2
]


@pytest.mark.parametrize(("file", "words"), ROWS)
def test_every_equation_is_where_the_method_page_says(file: str, words: str) -> None:
    assert words in (ROOT / file).read_text()


def test_the_method_page_names_every_equation_of_the_paper() -> None:
    page = (ROOT / "docs" / "method.md").read_text()
    named = {
        int(n)
        for low, high in re.findall(r"Eq\. (\d+)(?:-(\d+))?", page)
        for n in range(int(low), int(high or low) + 1)
    }
    assert named >= set(range(1, 11))


def test_the_api_page_is_what_the_docstrings_say() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'docs')!r}); from generate_api import page; print(page(), end='')"
    )
    written = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert written == (ROOT / "docs" / "api.md").read_text(), "run `python docs/generate_api.py`"


PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_documents_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_what_the_pages_name_of_the_package_is_there(page: str) -> None:
    """`textgroup.a.b` is a module, or a name in one; `from textgroup.a import b` works."""
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`(textgroup(?:\.\w+)+)`", text))
    named |= {f"{module}.{name}" for module, name in re.findall(r"from (textgroup[\w.]*) import (\w+)", text)}
    for dotted in named - {"textgroup.__version__"}:
        module, _, name = dotted.rpartition(".")
        try:
            importlib.import_module(dotted)
        except ImportError:
            assert hasattr(importlib.import_module(module), name), dotted
