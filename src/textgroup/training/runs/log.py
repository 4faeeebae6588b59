"""The run's log: JSON lines always; TensorBoard and Weights & Biases when asked for."""

import json
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from textgroup.config.command_line import save_run, to_dict
from textgroup.config.run import RunConfig
from textgroup.errors import InputError
from textgroup.training.runs.progress import Progress


class RunLog(AbstractContextManager["RunLog"]):
    """Writes `config.yaml` and `log.jsonl` into the run's directory.

    resumed_at: the step that a resumed run continues from; lines after it are dropped, because those steps are taken
    again. None is a new run: a directory that already holds one is refused.
    """

    def __init__(self, run: Path, config: RunConfig, resumed_at: int | None) -> None:
        self.path = run / "log.jsonl"
        if resumed_at is None:
            refuse_existing(run)
        run.mkdir(parents=True, exist_ok=True)
        save_run(config, run / "config.yaml")
        if resumed_at is not None and self.path.exists():
            kept = [line for line in read(self.path) if line["step"] <= resumed_at]
            self.path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._file = self.path.open("a", encoding="utf-8")
        self._tensorboard = _tensorboard(run) if config.log.tensorboard else None
        self._wandb = _wandb(run, config) if config.log.wandb else None

    def write(self, report: Progress, lr: float) -> None:
        """One line: step, losses, learning rate, speed, monitors, validation, warnings."""
        monitors = report.monitors.as_dict() if report.monitors else {}
        figures = {**report.losses, "lr": lr, "captions_per_second": report.captions_per_second}
        figures |= monitors | report.validation
        line = {"step": report.step, **figures, "warnings": report.warnings}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        if self._tensorboard:
            for name, value in figures.items():
                self._tensorboard.add_scalar(name, value, report.step)
        if self._wandb:
            self._wandb.log(figures, step=report.step)

    def __exit__(self, *exc: object) -> None:
        self._file.close()
        if self._tensorboard:
            self._tensorboard.close()
        if self._wandb:
            self._wandb.finish()


def refuse_existing(run: Path) -> None:
    """Raise `InputError` if the directory holds a run."""
    if (run / "log.jsonl").exists():
        raise InputError(f"{run} already holds a run: give --resume to go on with it, or another --out")


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
    if (run / "log.jsonl").is_file() and (run / "config.yaml").is_file():
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
