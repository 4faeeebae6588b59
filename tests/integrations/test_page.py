"""What docs/integrations.md shows is what happens: what stands behind `>>>` and `$` is run, and its output compared."""

import doctest
import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

import textgroup
from tests.integrations.stand_ins import Processor, grounding_dino, word_tokenizer
from textgroup.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text()
SECTIONS = {section.splitlines()[0]: section for section in re.split(r"^#+ ", PAGE, flags=re.MULTILINE)[1:]}
OTHERS = {"datasets", "pandas", "pyarrow", "ray", "spacy"}
"""Packages that a checkout may lack."""


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def section(heading: str) -> str:
    (found,) = (text for name, text in SECTIONS.items() if name.startswith(heading))
    return found


def names() -> dict[str, Any]:
    """What a section may use: what the first one made, and a tokenizer."""
    tokenizer = word_tokenizer("a", "man", "in", "blue", "hat")
    return {"__name__": "__main__", "textgroup": textgroup, "model": textgroup.load(), "tokenizer": tokenizer}


@pytest.mark.parametrize("heading", [name for name, text in SECTIONS.items() if ">>> " in text])
def test_python_gives_what_the_page_shows(heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = "\n".join(block for block in blocks(SECTIONS[heading], "python") if block.startswith(">>>"))
    for package in OTHERS & set(re.findall(r"^>>> (?:import|from) (\w+)", source, flags=re.MULTILINE)):
        pytest.importorskip(package, reason=f"needs {package}")
    if heading == "spaCy":
        import textgroup.integrations.spacy  # noqa: F401  # a checkout that is not installed has no entry point
    example = doctest.DocTestParser().get_doctest(source, names(), heading, "docs/integrations.md", 0)
    assert example.examples
    said = io.StringIO()
    failed = doctest.DocTestRunner(verbose=False).run(example, out=said.write).failed
    assert not failed, said.getvalue()


@pytest.mark.parametrize("heading", [name for name, text in SECTIONS.items() if blocks(text, "console")])
def test_commands_print_what_the_page_shows(heading: str) -> None:
    for block in blocks(SECTIONS[heading], "console"):
        command, _, expected = block.partition("\n")
        with redirect_stdout(io.StringIO()) as printed:
            assert main(shlex.split(command.removeprefix("$ textgroup "))) == 0
        assert printed.getvalue() == expected


def test_the_lines_for_grounding_dino_fit_it() -> None:
    """Each phrase has a score for each box, and the box that answers it best."""
    (lines,) = (block for block in blocks(section("Open-vocabulary"), "python") if "in_prompt" in block)
    scope = names() | {"processor": Processor(), "detector": grounding_dino(), "image": None}
    scope["phrases"] = scope["model"].phrases("A man in a blue hat and a man with a flag.")
    exec(lines, scope)
    assert scope["scores"].shape == (5, 4)
    assert [phrase.start for phrase in scope["best"]] == [0, 9, 24, 35], "two men stay two"
    assert all(box.shape == (4,) for box in scope["best"].values())


def test_every_section_is_run_or_says_that_it_is_not() -> None:
    unrun = [name for name, text in SECTIONS.items() if not blocks(text, "console") and ">>> " not in text]
    assert unrun == []
