"""`textgroup evaluate`: one command a benchmark, one file a command.

May import every floor below; nothing imports it but `cli`. Start with `phrases.py`.
"""

from collections.abc import Sequence

from textgroup.cli.evaluate.grounding import grounding
from textgroup.cli.evaluate.phrases import phrases
from textgroup.cli.evaluate.ranking import ranking
from textgroup.cli.evaluate.retrieval import retrieval
from textgroup.errors import InputError

HELP = """\
usage: textgroup evaluate BENCHMARK ...

  textgroup evaluate phrases      units against the phrases that people bracketed (Flickr30k Entities)
  textgroup evaluate grounding    units against the boxes that people drew
  textgroup evaluate ranking      captions against foils: SVO-Probes, FOIL-COCO, SugarCrepe, VALSE, Winoground
  textgroup evaluate retrieval    photographs by captions and the other way round: recall at 1, 5, 10

Each one has --help. docs/evaluation.md says where to get each benchmark, and its traps.
"""

BENCHMARKS = {"phrases": phrases, "grounding": grounding, "ranking": ranking, "retrieval": retrieval}


def evaluate(words: Sequence[str]) -> None:
    """`textgroup evaluate`."""
    if not words or words[0] in ("-h", "--help"):
        print(HELP, end="")
        return
    if words[0] not in BENCHMARKS:
        raise InputError(f"textgroup evaluate {words[0]}: there are {', '.join(BENCHMARKS)}")
    BENCHMARKS[words[0]](words[1:])
