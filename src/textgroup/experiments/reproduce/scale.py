"""The contract of a scale: data at one size, and what can be measured on it.

A new scale is one file beside this one and a line in `command.SCALES`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from textgroup.config.command_line import SHIPPED, load_run
from textgroup.config.run import RunConfig
from textgroup.experiments.reproduce.measured import Measured
from textgroup.experiments.reproduce.systems import System
from textgroup.inference.textgroup import TextGroup
from textgroup.training.build import Inputs
from textgroup.units import Segmenter


class Scale(Protocol):
    """name: as on the command line."""

    name: str

    @property
    def bases(self) -> Mapping[str, str]:
        """The shipped configuration of each role of `systems.py`, and of the object encoder where it is trained."""
        ...

    @property
    def options(self) -> tuple[str, ...]:
        """Words of the command line that all of its runs have."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """Whatever else decides its results, for JSON."""
        ...

    @property
    def captions(self) -> list[str]:
        """Some captions for figures 2 and 3."""
        ...

    def lacks(self, row: str) -> str | None:
        """Why this row cannot be measured here; None: it can."""
        ...

    def steps(self, row: str) -> int | None:
        """How many steps a row is trained for, whatever its data; None: as many as its configuration says."""
        ...

    def seconds(self, row: str) -> float:
        """A guess at the time of a row on one CPU core, for the plan."""
        ...

    def prepare(self) -> None:
        """What all rows need, made once, by the process that plans."""
        ...

    def inputs(self, config: RunConfig, row: str, encoder: Path) -> Inputs:
        """What a row is trained on. encoder: the directory of the run of `ENCODER`."""
        ...

    def measure(self, row: str, model: TextGroup, run: Path, encoder: Path) -> Measured:
        """All figures of a trained row. run: its directory."""
        ...

    def trivial(self, row: str, seed: int) -> Segmenter:
        """A row that is not trained."""
        ...

    def measure_units(self, segmenter: Segmenter) -> Measured:
        """The figures that need nothing but units."""
        ...


def units_of(model: TextGroup) -> Segmenter:
    """A model as a segmenter."""
    return lambda captions: list(model.segment_stream(captions))


def configuration(scale: Scale, row: str, seed: int, out: Path) -> RunConfig:
    """The configuration of a trained row: its base, its variants, then what is the scale's."""
    system = System.parse(row)
    files = [SHIPPED / f"{scale.bases[system.role]}.yaml"]  # the object encoder is a role of its own
    files += [SHIPPED / "variants" / f"{variant}.yaml" for variant in system.variants]
    words = [word for file in files for word in ("--config", str(file))]
    return load_run([*words, *scale.options, "--seed", str(seed), "--out", str(out)])
