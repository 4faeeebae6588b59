"""The model card of a checkpoint: README.md as the Hub reads it, with the figures of `textgroup evaluate`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from textgroup.errors import InputError
from textgroup.evaluation.grounding import report as grounding
from textgroup.evaluation.page import made_of
from textgroup.evaluation.phrases import report as phrases
from textgroup.evaluation.ranking import report as ranking
from textgroup.model.textgroup import TextGroupModel
from textgroup.report.markdown import plain, table

INTERVALS = "Per cent; in brackets 95% intervals from a bootstrap over images"
UNKNOWN = "Not stated by who exported it"
USE = """\
## Use

```python
import textgroup

model = textgroup.load("OWNER/NAME")  # its name on the Hub, or this directory
model.segment("A man in a blue hat holding a flag")
```

`pip install textgroup`. On the command line: `textgroup segment -c OWNER/NAME "..."`.
"""


@dataclass(frozen=True)
class Facts:
    """What only the person who shares a checkpoint knows.

    license: of the weights, as the Hub names it, such as apache-2.0. languages: codes, such as en. data: what it was
    trained on, with its licence. limits: what it cannot do.
    """

    license: str | None = None
    languages: Sequence[str] = ()
    data: Sequence[str] = ()
    limits: Sequence[str] = ()


def model_card(name: str, model: TextGroupModel, facts: Facts, results: Sequence[Path] = ()) -> str:
    """The whole README.md. results: directories of `textgroup evaluate --out`.

    Raises `InputError` for a directory without results and for a file that the command did not write.
    """
    head = ModelCardData(
        language=list(facts.languages) or None,
        license=facts.license,
        library_name="textgroup",
        tags=["text-segmentation", "captions", *(["phrase-grounding"] if model.image_encoder else [])],
    )
    figures = (
        "\n".join(_figures(where) for where in results) or f"{UNKNOWN}: give `--evaluation` to `textgroup export`.\n"
    )
    limits = _list(
        [*facts.limits, "The figures hold for captions and photographs like those that they were measured on."]
    )
    license = plain(facts.license) if facts.license else UNKNOWN
    about = "Units of captions (Text Group Transformer, arXiv 2511.11262)"
    return (
        f"---\n{head.to_yaml()}\n---\n\n# {plain(name)}\n\n{about}. Exported by TextGroup {version('textgroup')}.\n\n"
        f"{USE}\n## Model\n\n{table(('', ''), _architecture(model))}\n"
        f"## Data and licences\n\nWeights: {license}.\n\n{_list(facts.data or [f'Training data: {UNKNOWN}'])}\n"
        f"## Figures\n\n{figures}\n## Limits\n\n{limits}"
    )


def _figures(where: Path) -> str:
    """A table for each file of results in a directory."""
    made = [made_of(where / name, make) for name, make in TABLES.items() if (where / name).is_file()]
    if not made:
        raise InputError(
            f"--evaluation {where}: none of {', '.join(TABLES)} is in it; `textgroup evaluate` writes them"
        )
    return "\n".join(made)


def _phrases(records: list[dict[str, Any]]) -> str:
    told = f"Phrases, {records[0]['split']}, {records[0]['n_captions']:,} captions. {INTERVALS}."
    return f"{plain(told)}\n\n{table(phrases.COLUMNS, map(phrases.cells_with_intervals, records))}"


def _grounding(records: list[dict[str, Any]]) -> str:
    told = f"Grounding, {records[0]['n_images']:,} photographs, {records[0]['n_phrases']:,} mentions. {INTERVALS}."
    return f"{plain(told)}\n\n{table(grounding.COLUMNS, map(grounding.cells_with_intervals, records))}"


def _ranking(content: dict[str, Any]) -> str:
    told = "Ranking, {}. Per cent; 95% intervals from a bootstrap over images; a tie counts half."
    return "\n".join(
        f"{plain(told.format(benchmark))}\n\n{table(ranking.COLUMNS, rows)}"
        for benchmark, rows in ranking.tables(content["figures"])
    )


TABLES: dict[str, Callable[[Any], str]] = {
    "phrases.json": _phrases,
    "grounding.json": _grounding,
    "ranking.json": _ranking,
}
"""Name of a file of results, and what makes its part of the card."""


def _architecture(model: TextGroupModel) -> list[tuple[str, str]]:
    image = model.image_encoder
    return [
        ("grouping", model.encoder.config.kind),
        ("parameters", f"{sum(p.numel() for p in model.parameters()):,} (without the image encoder)"),
        ("token ids", f"{model.vocabulary:,}"),
        ("image encoder", Path(image["encoder"]).name if image else "none: trained on captions alone"),
    ]


def _list(lines: Sequence[str]) -> str:
    return "".join(f"- {plain(line)}\n" for line in lines)
