"""The run's log: JSON lines always; TensorBoard and Weights & Biases when asked for."""

import json
import os
import shutil
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from textgroup.config.command_line import save_run, to_dict
from textgroup.config.run import RunConfig
from textgroup.errors import InputError
from textgroup.files import atomic_write, full_disk_told
from textgroup.training.runs.checkpoint import name_newest
from textgroup.training.runs.directory import CONFIG, LOG
from textgroup.training.runs.progress import Progress


class RunLog(AbstractContextManager["RunLog"]):
    """Writes `config.yaml` and `log.jsonl` into the run's directory.

    resumed_at: the step that a resumed run continues from; lines after it are dropped, because those steps are taken
    again. None is a new run.
    """

    def __init__(self, run: Path, config: RunConfig, resumed_at: int | None) -> None:
        self.run, self.path = run, run / LOG
        run.mkdir(parents=True, exist_ok=True)
        kept: list[dict[str, Any]] = []
        if resumed_at is not None and self.path.exists():
            kept = [line for line in read(self.path) if line["step"] <= resumed_at]
        with full_disk_told(run, "the run has not begun; make room and give the same command"):
            with atomic_write(run / CONFIG) as partial:
                save_run(config, partial)
            with atomic_write(self.path) as partial:
                partial.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._file = self.path.open("a", encoding="utf-8")
        self._tensorboard = _tensorboard(run) if config.log.tensorboard else None
        self._wandb = _wandb(run, config) if config.log.wandb else None

    def write(self, report: Progress, lr: float) -> None:
        """One line: step, losses, learning rate, speed, monitors, validation, warnings."""
        monitors = report.monitors.as_dict() if report.monitors else {}
        figures = {**report.losses, "lr": lr, "captions_per_second": report.captions_per_second}
        figures |= monitors | report.validation
        line = {"step": report.step, **figures, "warnings": report.warnings}
        self._check_place()
        remedy = f"step {report.step} is not logged; {name_newest(self.run)}; make room and go on with --resume"
        with full_disk_told(self.path, remedy):
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        if self._tensorboard:
            for name, value in figures.items():
                self._tensorboard.add_scalar(name, value, report.step)
        if self._wandb:
            self._wandb.log(figures, step=report.step)

    def _check_place(self) -> None:
        """Raise `InputError` if the log is no longer where it was: nobody would find what is written now."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            there = None
        here = os.fstat(self._file.fileno())
        if there is None or (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            raise InputError(f"{self.run} was removed or replaced while the run wrote to it: start it again")

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):  # of a full disk, which has been told
            self._file.close()
        if self._tensorboard:
            self._tensorboard.close()
        if self._wandb:
            self._wandb.finish()


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; a last line that a killed run left half-written is dropped."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines


def remove_run(run: Path) -> None:
    """Remove the directory of a run; one that holds no run is left as it is."""
    if (run / LOG).is_file() and (run / CONFIG).is_file():
        shutil.rmtree(run)


def _tensorboard(run: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError("log.tensorboard needs TensorBoard: pip install 'textgroup[tensorboard]'") from None
    return SummaryWriter(run / "tensorboard")


def _wandb(run: Path, config: RunConfig) -> Any:
    try:
        import wandb
    except ImportError:
        raise InputError("log.wandb needs Weights & Biases: pip install 'textgroup[wandb]'") from None
    return wandb.init(project=config.log.wandb, name=run.name, dir=str(run), config=to_dict(config))
