"""What the commands print: units in colour, progress bars, small tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from textgroup.report.colours import colour_of
from textgroup.report.printable import one_line, printable
from textgroup.units import Unit

if TYPE_CHECKING:  # what only draws is imported when it does
    from rich.console import Console
    from rich.progress import TaskID
    from rich.text import Text

WIDE = 1000
"""Columns of a table that goes to a file."""

T = TypeVar("T")


def colour_units(units: Sequence[Unit], console: "Console") -> "Text":
    """Units with `|` between them; on a terminal each is on its group's colour, but what names nothing has none."""
    from rich.text import Text

    if not console.is_terminal:
        return Text(plain_line(units))
    text = Text()
    for i, unit in enumerate(units):
        text.append(" | " if i else "", style="dim")
        text.append(one_line(unit.text), style="" if unit.groundable is False else f"black on {colour_of(unit.group)}")
    return text


def plain_line(units: Sequence[Unit]) -> str:
    """Units with `|` between them."""
    return " | ".join(one_line(unit.text) for unit in units)


def units_line(units: Sequence[Unit]) -> str:
    """`colour_units` as text for the standard output: with the codes of colours if it is a terminal."""
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False, force_jupyter=False)
    with console.capture() as captured:
        console.print(colour_units(units, console), end="")
    return captured.get()


def ranking(ranked: Sequence[tuple[float, str]]) -> None:
    """Captions with their cosine, best first."""
    for cosine, caption in ranked:
        print(f"{cosine:+.3f}  {printable(caption)}")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], console: "Console | None" = None) -> None:
    """A plain table: the first column is left-aligned, the others right-aligned."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        title=Text(printable(title), "table.title"),
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for i, name in enumerate(columns):
        grid.add_column(Text(printable(name)), justify="right" if i else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    console = console or Console()
    if not console.is_terminal:  # a file is as wide as it needs to be
        console.width = WIDE
    console.print(grid)


@contextmanager
def progress_bar(unit: str, total: int | None, shown: bool = True) -> Iterator[Callable[[int, str], None]]:
    """Yield a function that moves a bar on standard error: (number done, a note). Silent where there is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not (shown and console.is_terminal):  # before version 14.3 of rich a hidden bar prints an empty line
        yield _show_nothing
        return
    columns = (
        TextColumn(f"{{task.completed:,}} {unit}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[rate]} {task.fields[note]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(unit, total=total, rate="", note="")

        def advance(done: int, note: str = "") -> None:
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, completed=done, rate=f"{speed:,.0f} {unit}/s" if speed else "", note=printable(note))

        yield advance


def _show_nothing(done: int, note: str = "") -> None:
    """A bar that is not there."""


def counted(steps: int, unit: str) -> Iterator[int]:
    """The numbers of steps, with a bar that moves at each of them."""
    with progress_bar(unit, steps) as advance:
        for step in range(steps):
            yield step
            advance(step + 1, "")


def count_progress(items: Iterable[T], unit: str) -> Iterator[T]:
    """Pass the items on, with a bar that counts them."""
    with progress_bar(unit, None) as advance:
        for i, item in enumerate(items, 1):
            yield item
            if i % 1000 == 0:
                advance(i, "")


class TrainingBar:
    """The bar of a training run: step, losses, captions/s, time left. Each kind of warning is printed once above it."""

    def __init__(self, label: str, console: "Console | None" = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.label, self.console = printable(label), console or Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.fields[label]}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._warned: set[str] = set()

    def show(self, step: int, steps: int, losses: Mapping[str, float], rate: float, warnings: Sequence[str]) -> None:
        """Move the bar. Where there is no terminal, print a line for every tenth of the steps."""
        from rich.text import Text

        terms = ", ".join(f"{name} {value:.2f}" for name, value in losses.items() if name != "total")
        figures = f"loss {losses['total']:.2f} ({terms})  {rate:,.0f} captions/s"
        if self.console.is_terminal:
            if self._task is None:
                self._task = self.bar.add_task("", total=steps, completed=step, figures=figures, label=self.label)
            self.bar.update(self._task, completed=step, refresh=False, **{"figures": figures})  # type: ignore[arg-type]
        elif step == steps or step % max(1, steps // 10) == 0:
            line = Text(f"{self.label}: step {step}/{steps}  {figures}")
            self.console.print(line, soft_wrap=True)
        for warning in warnings:
            kind = warning.split(":")[0]
            if kind not in self._warned:
                self._warned.add(kind)
                text = Text(f"{self.label}: step {step}: {printable(warning)}", style="yellow")
                self.console.print(text, soft_wrap=True)


@contextmanager
def training_bar(label: str) -> Iterator[TrainingBar]:
    """A `TrainingBar`, shown while the block runs."""
    bar = TrainingBar(label)
    with bar.bar:
        yield bar
