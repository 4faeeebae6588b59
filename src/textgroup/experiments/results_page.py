"""`textgroup report`: one page of a run, of results, or of a directory that has both."""

from collections.abc import Sequence
from pathlib import Path

from textgroup.errors import InputError
from textgroup.evaluation.page import FILES, evaluation_sections
from textgroup.inference.textgroup import load
from textgroup.report.figures import heat_map
from textgroup.report.page import check_replaceable
from textgroup.report.sections import Panel, Section, write_sections
from textgroup.training.runs.directory import LOG
from textgroup.training.runs.page import run_sections


def write_report(where: Path, out: Path, captions: Sequence[str] = (), seed: int = 0) -> int:
    """Write the page of what is in a directory; the number of its sections.

    captions: cut by the run's newest checkpoint, with the map of its groups. seed: of the examples that are drawn.
    Raises `InputError` if there is nothing to show, and before anything else if `out` may not be written.
    """
    check_replaceable(out)
    if not where.is_dir():
        raise InputError(f"{where}: no such directory; give a run, or the --out of `textgroup evaluate`")
    sections = run_sections(where) if (where / LOG).is_file() else []
    sections += evaluation_sections(where, seed)
    if not sections:
        raise InputError(f"{where}: neither a run ({LOG}) nor results ({', '.join(FILES)}) are in it")
    sections += caption_sections(where, captions)
    write_sections(out, where.absolute().name, sections)
    return len(sections)


def caption_sections(run: Path, captions: Sequence[str]) -> list[Section]:
    """Each caption cut into units, and the map of the groups over its subwords."""
    if not captions:
        return []
    model = load(run)
    sections = []
    for caption in captions:
        subwords = model.assignment(caption)
        if not subwords.pieces:
            raise InputError(f"--caption {caption!r}: there is no word in it")
        told = "One colour and one small number: one group, as in the map. Dark: the group has all of the subword."
        panel = Panel.of(f"the groups over the subwords of {caption}", heat_map(*subwords))
        sections.append(Section(f"Caption: {caption}", told, units=model.segment(caption), panels=[panel]))
    return sections
