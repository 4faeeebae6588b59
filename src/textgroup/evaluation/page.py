"""What a page shows of the results of `textgroup evaluate`: tables with intervals, and examples of ranking.

phrases.json, grounding.json, ranking.json and ranking_rows.jsonl, whichever of them a directory has.
"""

import heapq
import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from textgroup.errors import InputError
from textgroup.evaluation.grounding import report as grounding
from textgroup.evaluation.phrases import report as phrases
from textgroup.evaluation.ranking import report as ranking
from textgroup.files import check_size, read_json_value
from textgroup.report.sections import Section, plain_rows

T = TypeVar("T")

LONGEST, LONGEST_ROWS = 1 << 26, 1 << 31
"""Bytes of a file of figures, and of one of rows."""
EXAMPLES = 5
"""Best, worst and drawn rows that are shown of a model."""
ROWS = "ranking_rows.jsonl"
INTERVALS = "Per cent, and more is better; in brackets 95% intervals from a bootstrap over images."


def evaluation_sections(results: Path, seed: int = 0) -> list[Section]:
    """The sections of every file of results in a directory; none if it has none.

    seed: of the rows that are drawn as examples. Raises `InputError` for a file that the command did not write.
    """
    sections: list[Section] = []
    for name, make in FILES.items():
        file = results / name
        if file.is_file():
            sections += made_of(file, make)
    if (results / ROWS).is_file():
        sections += ranking_examples(results / ROWS, seed)
    return sections


def phrase_sections(records: list[dict[str, Any]]) -> list[Section]:
    """phrases.json: units against gold phrases, the paper's figures, and paired differences."""
    rows = plain_rows([phrases.cells_with_intervals(record) for record in records])
    printed = [{"cells": cells, "printed": True} for cells in phrases.paper_cells()]
    title = f"Phrases: {records[0]['split']}, {records[0]['n_captions']:,} captions"
    told = f"{INTERVALS} In italics the paper's, on Flickr30k Entities val, one run each. Count error: less is better."
    sections = [Section(title, told, columns=phrases.COLUMNS, rows=[*rows, *printed])]
    compared = [record for record in records if "difference" in record]
    if compared:
        title = f"Phrases: differences from {records[0]['segmenter']}"
        rows = plain_rows([phrases.differences(record) for record in compared])
        sections.append(Section(title, "Paired, on the same draws of images.", columns=phrases.COMPARED, rows=rows))
    return sections


def grounding_sections(records: list[dict[str, Any]]) -> list[Section]:
    """grounding.json: heat maps against boxes, and pointing by type of phrase."""
    title = f"Grounding: {records[0]['n_images']:,} photographs, {records[0]['n_phrases']:,} mentions of phrases"
    rows = plain_rows([grounding.cells_with_intervals(record) for record in records])
    columns, by_type = grounding.by_type(records)
    return [
        Section(title, f"{INTERVALS} docs/grounding.md defines each figure.", columns=grounding.COLUMNS, rows=rows),
        Section(
            "Grounding: pointing by type of phrase",
            "Centre of mass, per cent; in round brackets the number of phrases.",
            columns=columns,
            rows=plain_rows(by_type),
        ),
    ]


def ranking_sections(content: dict[str, Any]) -> list[Section]:
    """ranking.json: a table a benchmark, and the rows that were left out."""
    sections = [
        Section(f"Ranking: {benchmark}", f"{INTERVALS} A tie counts half.", (), ranking.COLUMNS, plain_rows(rows))
        for benchmark, rows in ranking.tables(content["figures"])
    ]
    columns = ("benchmark", "category", "why", "rows")
    left_out = [[str(line[name]) for name in columns] for line in content["skipped"]]
    if left_out:
        sections.append(Section("Ranking: rows left out", columns=columns, rows=plain_rows(left_out)))
    return sections


FILES: dict[str, Callable[[Any], list[Section]]] = {
    "phrases.json": phrase_sections,
    "grounding.json": grounding_sections,
    "ranking.json": ranking_sections,
}
"""Name of a file of results, and what shows it."""


class Example(NamedTuple):
    """A row of a ranking benchmark and by how much the better pair scored above the worse one."""

    margin: float
    where: str
    id: str


def ranking_examples(file: Path, seed: int) -> list[Section]:
    """For each model the rows that it gets most wrong and most right, and as many drawn by the seed.

    The seed also decides between rows that are alike. Raises `InputError` for rows that no ranking wrote.
    """
    check_size(file, LONGEST_ROWS)
    kept: dict[str, _Kept] = {}
    for where, name, margins in _rows(file):
        for model, margin in margins.items():
            if math.isfinite(margin):
                kept.setdefault(model, _Kept(seed)).add(Example(margin, where, name))
    columns = ("example", "benchmark, category", "margin")
    told = f"Margin: score of the better pair less that of the worse one; below 0 is wrong. Drawn with seed {seed}."
    return [
        Section(f"Ranking: examples of {model}", told, columns=columns, rows=of_model.rows())
        for model, of_model in kept.items()
    ]


class _Kept:
    """The worst, best and drawn examples among those that were added."""

    def __init__(self, seed: int) -> None:
        self.random, self.seen = random.Random(seed), 0
        self.heaps: dict[str, list[tuple[float, float, int, Example]]] = {"worst": [], "best": [], "drawn": []}

    def add(self, example: Example) -> None:
        """Keep a row where it is among the first of its kind; a draw decides between rows that are alike."""
        draw = self.random.random()
        for kind, rank in (("worst", -example.margin), ("best", example.margin), ("drawn", 0.0)):
            heapq.heappush(self.heaps[kind], (rank, draw, self.seen, example))
            if len(self.heaps[kind]) > EXAMPLES:
                heapq.heappop(self.heaps[kind])
        self.seen += 1

    def rows(self) -> list[dict[str, Any]]:
        """As a section takes them, under a line for each kind."""
        rows: list[dict[str, Any]] = []
        for kind, heap in self.heaps.items():
            examples = [example for *_, example in sorted(heap, reverse=True)]
            rows.append({"section": f"{kind} {len(examples)} of {self.seen:,}"})
            rows += [{"cells": [one.id, one.where, f"{one.margin:+.4f}"]} for one in examples]
        return rows


def _rows(file: Path) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Of each row where it is from, its id, and the margin of each model."""
    with file.open(encoding="utf-8", errors="backslashreplace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                margins = {model: float(better) - float(worse) for model, (better, worse) in row["scores"].items()}
                where, name = f"{row['benchmark']}, {row['category']}", str(row["id"])
            except (ValueError, RecursionError, TypeError, LookupError, AttributeError, OverflowError):
                raise InputError(f"{file}: line {number} is no row of `textgroup evaluate ranking`") from None
            yield where, name, margins


def made_of(file: Path, make: Callable[[Any], T]) -> T:
    """What `make` gives for the content of a file of results. Raises `InputError` if the command did not write it."""
    content = read_json_value(file, LONGEST)
    try:
        return make(content)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{file}: not as `textgroup evaluate {file.stem}` writes it ({type(error).__name__}: {error}); run it again"
        ) from None
