"""`textgroup evaluate`: one command a benchmark, one file a command.

May import every floor below; nothing imports it but `cli`. Start with `phrases.py`.
"""

from collections.abc import Sequence

from textgroup.cli.evaluate.grounding import grounding
from textgroup.cli.evaluate.phrases import phrases
from textgroup.cli.evaluate.ranking import ranking
from textgroup.cli.evaluate.retrieval import retrieval
from textgroup.errors import InputError


def evaluate(words: Sequence[str]) -> None:
    """`textgroup evaluate`."""
    benchmarks = {"phrases": phrases, "grounding": grounding, "ranking": ranking, "retrieval": retrieval}
    if not words or words[0] not in benchmarks:
        raise InputError(f"textgroup evaluate: give what to evaluate: {', '.join(benchmarks)}")
    benchmarks[words[0]](words[1:])
