"""Captions a second of `segment` against NLTK's tagger and chunker and spaCy's; peak memory on a long stream.

    python benchmarks/segment.py [--captions ../shared/captions/coco.jsonl.gz] [--out FILE.json]

Two models: the packaged one, and the paper's with random weights (they do not change the cost) and a tokenizer learned
on the captions. All contenders get the same raw captions and the same machine; NLTK and spaCy use one core by design.
Memory is that of `textgroup segment --file` in a fresh process.
"""

import gc
import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common import Row, alternate, compared, figure, finish, fresh_model, parser, peak_memory, run, run_fresh
from peers import PeerMissing, nltk_chunker, spacy_chunker
from textgroup.cli import main as textgroup
from textgroup.config.command_line import SHIPPED, load_run
from textgroup.data.sources.samples import read_samples
from textgroup.inference.textgroup import TextGroup, load
from textgroup.text.tokenizer import CaptionTokenizer

STREAMS = (10_000, 100_000)
MODELS = {"paper": "the paper's model", "packaged": "the packaged model"}


def main() -> None:
    """Measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--captions", default="../shared/captions/coco.jsonl.gz", help="any source of captions")
    options_parser.add_argument("--count", type=int, default=4096, help="captions of a round")
    options_parser.add_argument("--rounds", type=int, default=5)
    options_parser.add_argument("--stream", type=Path, help="only the peak memory: a folder with captions")
    options = options_parser.parse_args()
    if options.stream:
        print(json.dumps(stream_memory(options.stream)))
        return
    captions = [text for sample in read_samples(options.captions, images=False) for text in sample.captions]
    models = {"paper": paper_model(CaptionTokenizer.train(captions[:20_000], 16_384)), "packaged": load()}
    finish(speed(models, captions[: options.count], options.rounds) + memory(captions), options.out)


def paper_model(tokenizer: CaptionTokenizer) -> TextGroup:
    """The paper's model, for this tokenizer."""
    config = load_run(["--config", str(SHIPPED / "paper.yaml")])
    return TextGroup(fresh_model(config, len(tokenizer)), tokenizer)


def speed(models: dict[str, TextGroup], captions: Sequence[str], rounds: int) -> list[Row]:
    """Every model against every installed peer, in one interleaved run."""
    contenders = {name: (lambda model=model: len(model.segment(captions))) for name, model in models.items()}
    missing = {}
    try:
        chunk, tag = nltk_chunker()
        contenders |= {"nltk": lambda: chunk(captions), "nltk_tagger": lambda: tag(captions)}
    except PeerMissing as reason:
        missing |= {"nltk": str(reason), "nltk_tagger": str(reason)}
    try:
        noun_chunks = spacy_chunker()
        contenders["spacy"] = lambda: noun_chunks(captions)
    except PeerMissing as reason:
        missing["spacy"] = str(reason)
    gc.collect()
    gc.freeze()  # one contender's objects must not slow another: the collector ignores them from now on
    rates = alternate(contenders, rounds)
    peers = {"nltk": "NLTK's tagger + chunker", "nltk_tagger": "NLTK's tagger alone", "spacy": "spaCy's noun chunks"}
    rows = []
    for (model, model_label), (peer, peer_label) in itertools.product(MODELS.items(), peers.items()):
        name, description = f"{model}_{peer}", f"segment with {model_label} against {peer_label}"
        goal = "at least 10 times" if peer == "nltk" else ""
        if peer in missing:
            rows.append(Row(name, description, "captions/s", goal=goal, not_run=missing[peer]))
        else:
            rows.append(compared(name, description, "captions/s", rates[model], rates[peer], goal))
    return rows


def memory(captions: Sequence[str]) -> list[Row]:
    """Peak memory of the command on a short and a long stream: it must not grow with the stream."""
    peaks = []
    for count in STREAMS:
        with tempfile.TemporaryDirectory() as folder:
            text = "\n".join(itertools.islice(itertools.cycle(captions), count)) + "\n"
            (Path(folder) / "captions.txt").write_text(text, encoding="utf-8")
            peaks.append(run_fresh(__file__, "--stream", folder))
    short, long = STREAMS
    return [
        figure("memory", f"peak memory of segment --file, {long:,} captions", "MiB", [peaks[1]]),
        figure("growth", f"the same over that of {short:,} captions", "times", [peaks[1] / peaks[0]], goal="flat: 1.0"),
    ]


def stream_memory(folder: Path) -> float:
    """Peak memory of this process after the command, in MiB."""
    words = ["segment", "--file", f"{folder}/captions.txt", "--out", f"{folder}/units.jsonl"]
    if textgroup(words):
        sys.exit(2)
    return peak_memory()


if __name__ == "__main__":
    run(main)
