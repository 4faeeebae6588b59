"""What the documents point at is there."""

import re
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


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))])
def test_links_between_documents_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), target
