"""The directory of a run: held by one process at a time, and by one configuration for ever.

`config.yaml` says how the run was begun. A resumed run goes on with the same numbers, because the steps before were
taken with them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textgroup.config.command_line import load_run, to_dict
from textgroup.config.run import RunConfig
from textgroup.errors import InputError
from textgroup.files import lock_directory, remove_abandoned
from textgroup.training import distributed
from textgroup.training.runs.checkpoint import LAST, drop_old, newest_checkpoint

CONFIG, LOG = "config.yaml", "log.jsonl"
MAY_CHANGE = ("out", "log", "optim.epochs", "optim.chunk")
"""Fields that a resumed run may have otherwise: where it lies, what it tells and how often it saves, how long it goes
on (the cosine then has the new length), and how much is in memory at once, which changes no result."""
BY_CONTENT = ("data", "tokenizer", "image_encoder", "router", "units.translations")
"""Fields that name things, which may have been moved; `resume` compares what lies there."""


@contextmanager
def open_run(config: RunConfig, *, resume: bool) -> Iterator[None]:
    """Hold the directory of a run while the block runs.

    Raises `InputError` if another process holds it; without `resume`, if it has a checkpoint; with `resume`, if there
    is no run, or if it was begun with other numbers than this configuration's. A run that was ended before its first
    checkpoint begins anew, with and without `resume`. Of several processes the first one holds the directory.
    """
    run = Path(config.out)
    if distributed.rank() > 0:
        yield
        return
    with lock_directory(run):
        for name in (CONFIG, LOG, LAST):
            remove_abandoned(run / name)
        if (newest := newest_checkpoint(run)) is not None:
            if not resume:
                raise InputError(f"{run} already holds a run: give --resume to go on with it, or another --out")
            _refuse_changes(run, config)
            if newest.name.isdecimal():
                drop_old(run, int(newest.name))  # which a run that was killed meanwhile has not
        elif resume and not (run / LOG).exists():
            raise InputError(f"{run} has no checkpoint to resume from: start it without --resume")
        yield


def _refuse_changes(run: Path, config: RunConfig) -> None:
    """Raise `InputError` if `config.yaml` says that the run was begun otherwise. A run without one is not compared."""
    if not (run / CONFIG).is_file():
        return
    was, now = (_flat(to_dict(each)) for each in (load_run(["--config", str(run / CONFIG)]), config))
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name) and not _may_differ(name)]
    if changed:
        differences = ", ".join(f"{name} was {was.get(name)} and is {now.get(name)}" for name in changed)
        raise InputError(f"{run} cannot be resumed otherwise than it was begun: {differences}; give another --out")


def _may_differ(name: str) -> bool:
    return any(name == field or name.startswith(f"{field}.") for field in MAY_CHANGE + BY_CONTENT)


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Fields by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
