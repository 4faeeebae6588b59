"""`textgroup train`."""

import sys
from collections.abc import Sequence

from textgroup.cli.common import Parser, quote_hint
from textgroup.errors import InputError


def train(words: Sequence[str]) -> None:
    """`textgroup train`."""
    from textgroup.config.command_line import load_run
    from textgroup.config.help import train_help

    if not words or words[0] in ("-h", "--help"):
        print(train_help(*words[1:2]), end="")
        return
    if {"-h", "--help"} & set(words):
        print(train_help(), end="")
        return
    own = Parser("textgroup train", add_help=False, allow_abbrev=False)
    own.add_argument("--resume", action="store_true")
    own.add_argument("--device")
    options, rest = own.parse_known_args(words)
    try:
        config = load_run(rest)
    except InputError as error:
        raise InputError(f"{error}{quote_hint(str(error))}") from None
    from textgroup.report.terminal import training_bar
    from textgroup.training import distributed
    from textgroup.training.inputs import read_inputs
    from textgroup.training.loop import Stopped, train_opened
    from textgroup.training.optim import advise_steps
    from textgroup.training.runs.directory import open_run
    from textgroup.training.runs.progress import show_on

    with distributed.join_processes(options.device) as device, open_run(config, resume=options.resume):
        first = distributed.rank() == 0
        inputs = read_inputs(config)
        for name, count in inputs.counts.items() if first else ():
            print(f"textgroup: {name}: {count}", file=sys.stderr)
        if first and (advice := advise_steps(inputs.train.steps_per_epoch(config.optim.batch_size), config.optim)):
            print(f"textgroup: {advice}", file=sys.stderr)
        try:
            with training_bar(config.out) as bar:
                train_opened(config, inputs, device=device, progress=show_on(bar))
        except Stopped as stopped:
            if first:
                print(f"textgroup: {stopped}")
            return
    if first:
        print(f'trained: {config.out}/last   (textgroup segment -c {config.out} "...")')
