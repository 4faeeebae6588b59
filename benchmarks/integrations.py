"""Captions a second of spaCy's `nlp.pipe`, of several workers and of Ray Data, against one process of `segment_stream`.

    python benchmarks/integrations.py [--captions 40000] [--workers 2] [--rounds 3] [--out FILE.json]

The packaged model on captions of generated scenes; the contenders take turns. Starting workers is part of their time.
Ray is a row "not run" where it is not installed.
"""

import logging
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice

import spacy

import textgroup
from common import Row, alternate, compared, figure, finish, parser, run
from textgroup.data.scenes.scene import scenes
from textgroup.inference.workers import segment_in_workers
from textgroup.integrations.tables import records, units_column


class Cut:
    """A worker of Ray Data."""

    def __init__(self) -> None:
        self.model = textgroup.load_segmenter()

    def __call__(self, batch: dict) -> dict:
        """A batch of captions with their units."""
        return batch | {"units": units_column(self.model, batch["caption"])}


def main() -> None:
    """Measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--captions", type=int, default=40_000)
    options_parser.add_argument("--workers", type=int, default=2)
    options_parser.add_argument("--rounds", type=int, default=3)
    options = options_parser.parse_args()
    captions = [scene.caption for scene in islice(scenes(0), options.captions)]
    model, nlp, blank = textgroup.load_segmenter(), spacy.blank("en"), spacy.blank("en")
    nlp.add_pipe("textgroup")
    contenders: dict[str, Callable[[], int]] = {
        "one": lambda: sum(1 for _ in model.segment_stream(captions)),
        "workers": lambda: sum(1 for _ in segment_in_workers(None, captions, options.workers, records)),
        "spacy": lambda: sum(1 for _ in nlp.pipe(captions)),
        "blank": lambda: sum(1 for _ in blank.pipe(captions)),
    }
    if find_spec("ray"):
        contenders["ray"] = lambda: with_ray(captions, options.workers)
    rates = alternate(contenders, options.rounds)
    names = {
        "workers": f"segment_in_workers, {options.workers} processes",
        "spacy": "nlp.pipe of a blank pipeline with the component",
        "ray": f"Ray Data, {options.workers} workers",
    }
    rows = [figure("one", "segment_stream, one process", "captions/s", rates["one"])]
    rows += [
        compared(name, f"{what}; the peer is segment_stream", "captions/s", rates[name], rates["one"])
        if name in rates
        else Row(name, what, "captions/s", not_run="it is not installed")
        for name, what in names.items()
    ]
    rows.append(figure("blank", "nlp.pipe of a blank pipeline, without the component", "captions/s", rates["blank"]))
    finish(rows, options.out)


def with_ray(captions: list[str], workers: int) -> int:
    """The number of captions that came back."""
    import ray

    ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR, num_cpus=workers)
    ray.data.DataContext.get_current().enable_progress_bars = False
    data = ray.data.from_items([{"caption": caption} for caption in captions])
    return sum(
        len(batch["units"]) for batch in data.map_batches(Cut, concurrency=workers, batch_size=1024).iter_batches()
    )


if __name__ == "__main__":
    run(main)
