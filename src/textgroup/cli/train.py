"""`textgroup train`."""

from collections.abc import Sequence

from textgroup.cli.common import Parser


def train(words: Sequence[str]) -> None:
    """`textgroup train`."""
    from textgroup.config.command_line import load_run, run_parser

    if not words or {"-h", "--help"} & set(words):
        run_parser().print_help()
        print("\nOwn options: --resume (go on from the newest checkpoint), --device NAME (cpu, cuda)")
        print("Several GPUs or machines: torchrun --nproc-per-node N --no-python textgroup train ... (docs/scaling.md)")
        return
    own = Parser("textgroup train", add_help=False, allow_abbrev=False)
    own.add_argument("--resume", action="store_true")
    own.add_argument("--device")
    options, rest = own.parse_known_args(words)
    config = load_run(rest)
    from textgroup.report.terminal import training_bar
    from textgroup.training import distributed
    from textgroup.training.inputs import read_inputs
    from textgroup.training.loop import Stopped
    from textgroup.training.loop import train as run
    from textgroup.training.runs.progress import show_on

    with distributed.join_processes(options.device) as place:
        first = distributed.rank() == 0
        inputs = read_inputs(config)
        try:
            with training_bar(config.out) as bar:
                run(config, inputs, resume=options.resume, device=place, progress=show_on(bar))
        except Stopped as stopped:
            if first:
                print(f"textgroup: {stopped}")
            return
    if first:
        print(f'trained: {config.out}/last   (textgroup segment -c {config.out} "...")')
