"""Figures 2 and 3 of the paper, soft attention of the groups over the subwords, and the curves of training."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from textgroup.experiments.reproduce.jobs import Job, curve, file_name
from textgroup.experiments.reproduce.scale import Scale
from textgroup.experiments.reproduce.tables import FIGURES
from textgroup.inference.textgroup import load
from textgroup.report.figures import curves, heat_map, save


class Drawing(NamedTuple):
    """A figure: its file's name without an ending, and a title."""

    name: str
    title: str
    figure: Figure

    def save(self, out: Path) -> None:
        """Write NAME.svg and NAME.png."""
        for kind in ("svg", "png"):
            save(self.figure, out / f"{self.name}.{kind}")


def attention_maps(name: str, scale: Scale, jobs: Sequence[Job], captions: Sequence[str]) -> list[Drawing]:
    """The maps of a figure: for each of its rows, the first seed's model on each caption."""
    drawn = []
    for row in FIGURES[name]:
        job = next((job for job in jobs if job.name == row and job.done), None)
        if job is None:
            continue
        model = load(job.folder)
        for number, caption in enumerate(captions, 1):
            title = f"{name}, {row}: {caption}"
            drawn.append(Drawing(f"{name}-{file_name(row)}-{number}", title, heat_map(*model.assignment(caption))))
    return drawn


def training_curves(jobs: Sequence[Job]) -> list[Drawing]:
    """Units against steps, for the rows that were measured on the way: do they emerge, and do they stay?"""
    lines = {}
    for job in jobs:
        points = curve(job.folder) if job.done else []
        if points and job.name not in lines:
            lines[job.name] = ([point["step"] for point in points], [point["tiou"] for point in points])
    if not lines:
        return []
    return [Drawing("emergence", "tIoU over the steps of training", curves([("tIoU", lines)]))]
