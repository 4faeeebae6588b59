"""Models on ranking benchmarks: all models score the same rows, and the scores are written out.

A row with a missing or broken image is dropped for every model, and counted. Memory holds the rows, and a vector for
each image and caption of one model at a time.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from textgroup.data.probes.read import find_images
from textgroup.data.probes.rows import Pair, Probe, Probes, json_field, json_lines
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.errors import InputError
from textgroup.evaluation.dual_encoder import DualEncoder, embed_captions, embed_images
from textgroup.evaluation.open_model import open_dual_encoder
from textgroup.evaluation.ranking.accuracy import (
    Figure,
    Scores,
    fit_threshold,
    noun_understanding,
    pairwise,
    svo_match,
    winoground,
)
from textgroup.evaluation.ranking.blind import caption_likelihood
from textgroup.evaluation.ranking.report import markdown, records
from textgroup.files import atomic_write
from textgroup.inference.textgroup import TextGroup
from textgroup.report.terminal import progress_bar

CHUNK = 4096
"""Rows compared at once."""


@dataclass
class Scored:
    """The scores of the models.

    benchmarks: with only the rows that every model scored. scores: by model, over the rows of all benchmarks in turn.
    thresholds: by model, where one was fitted. seconds: by model, in all.
    """

    benchmarks: list[Probes]
    scores: dict[str, Scores]
    thresholds: dict[str, float]
    seconds: dict[str, float]

    @property
    def rows(self) -> list[Probe]:
        """The rows of all benchmarks."""
        return [row for benchmark in self.benchmarks for row in benchmark.rows]


def score_models(
    models: Sequence[str],
    benchmarks: Sequence[Probes],
    images: Sequence[str],
    *,
    blind: bool = False,
    fit_on: str | None = None,
    batch_size: int | None = None,
    device: str | None = None,
    encoder: str | None = None,
    image_column: str = "image",
    caption_column: str = "caption",
) -> Scored:
    """Every model's score of every pair.

    models: as `open_dual_encoder` takes them. images: sources as `read_samples` takes them; none, with `blind`: all
    rows are scored without images. blind: also (or only) by likelihood, where the model has a decoder: the rows
    "MODEL, blind" and "MODEL, blind, a token". fit_on: images with captions for the threshold of SVO's match.
    batch_size: images encoded at once. device, encoder: see `open_dual_encoder`. image_column, caption_column: of
    tables among `images` and in `fit_on`.

    Raises `InputError` for what cannot be opened, and for a benchmark of which no row can be scored.
    """
    scored = Scored(list(benchmarks), {}, {}, {})
    if images:
        available = {name for name, _ in find_images(images, _image_names(scored.rows), image_column)}
        _keep_rows(scored, np.array([_image_names([row]) <= available for row in scored.rows]), "missing")
    for spec in models:
        begun = perf_counter()
        model = open_dual_encoder(spec, device, encoder)
        if images:
            scored.scores[spec] = _similarities(spec, model, scored.rows, images, batch_size, image_column)
            if fit_on is not None:
                scored.thresholds[spec] = _fit_match_threshold(
                    model,
                    read_samples(fit_on, image_column=image_column, caption_column=caption_column),
                    fit_on,
                    batch_size,
                )
            scored.seconds[spec] = perf_counter() - begun
        if blind and isinstance(model, TextGroup) and model.model.decoder is not None:
            begun = perf_counter()
            likelihood = _likelihoods(spec, model, scored.rows)
            scored.scores[f"{spec}, blind"] = Scores(likelihood.better[:, 0], likelihood.worse[:, 0])
            scored.scores[f"{spec}, blind, a token"] = Scores(*(pair[:, 0] / pair[:, 1] for pair in likelihood))
            scored.seconds[f"{spec}, blind"] = perf_counter() - begun
    if not scored.scores:
        raise InputError("--blind: none of the models has a decoder; give --images, or a model trained with one")
    finite = [np.isfinite(scores.better) & np.isfinite(scores.worse) for scores in scored.scores.values()]
    _keep_rows(scored, np.all(finite, axis=0), "broken")
    return scored


def _image_names(rows: Iterable[Probe]) -> set[str]:
    return {pair.image for row in rows for pair in (row.better, row.worse)}


def _keep_rows(scored: Scored, kept: np.ndarray, why: str) -> None:
    """Leave only some rows, by a mask over all, and count the others where they came from."""
    scored.scores = {name: scores.take(kept) for name, scores in scored.scores.items()}
    start = 0
    for benchmark in scored.benchmarks:
        rows, kept_here = benchmark.rows, kept[start : start + len(benchmark.rows)]
        start += len(rows)
        for row, keep in zip(rows, kept_here):
            if not keep:
                benchmark.skip(row.category, f"{why} image")
        benchmark.rows = [row for row, keep in zip(rows, kept_here) if keep]
        if not benchmark.rows:
            raise InputError(f"probe {benchmark.name}: all of its {len(rows):,} rows have {why} images: check --images")


def _similarities(
    name: str,
    model: DualEncoder,
    rows: Sequence[Probe],
    sources: Sequence[str],
    batch_size: int | None,
    image_column: str,
) -> Scores:
    wanted = _image_names(rows)
    with progress_bar(f"images, {name}", len(wanted)) as advance:
        images = embed_images(model, find_images(sources, wanted, image_column), batch_size, advance)
    if not images.row:
        raise InputError(f"none of {len(wanted):,} images can be read: {next(iter(images.broken.values()))}")
    column, captions = _captions(rows)
    with progress_bar(f"captions, {name}", len(captions)) as advance:
        texts = embed_captions(model, captions, advance)
    _check_finite(name, images.vectors, texts)

    def cosine(pairs: Iterable[Pair]) -> np.ndarray:
        image, caption = np.array([(images.row.get(p.image, -1), column[p.caption]) for p in pairs]).T
        blocks = []
        for a in range(0, len(image), CHUNK):
            images_of, captions_of = image[a : a + CHUNK], caption[a : a + CHUNK]
            blocks.append(np.where(images_of < 0, np.nan, (images.vectors[images_of] * texts[captions_of]).sum(axis=1)))
        return np.concatenate(blocks)

    return Scores(cosine(row.better for row in rows), cosine(row.worse for row in rows))


def _likelihoods(name: str, model: TextGroup, rows: Sequence[Probe]) -> Scores:
    """Log-likelihood and tokens, (rows, 2), of the captions of both pairs."""
    column, captions = _captions(rows)
    with progress_bar(f"captions, {name}, blind", len(captions)) as advance:
        likelihood = caption_likelihood(model, captions, advance)
    _check_finite(name, likelihood)
    better, worse = ([column[pair.caption] for pair in pairs] for pairs in zip(*((r.better, r.worse) for r in rows)))
    return Scores(likelihood[better], likelihood[worse])


def _check_finite(name: str, *arrays: np.ndarray) -> None:
    """From here on, NaN says that the image is broken, not the model."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(f"model {name}: it gives what is no number (NaN or infinite): its weights are broken")


def _captions(rows: Sequence[Probe]) -> tuple[dict[str, int], list[str]]:
    """The different captions, and the number of each."""
    captions = list(dict.fromkeys(pair.caption for row in rows for pair in (row.better, row.worse)))
    return {caption: i for i, caption in enumerate(captions)}, captions


def _fit_match_threshold(model: DualEncoder, samples: Iterable[Sample], source: str, batch_size: int | None) -> float:
    """Fitted on each image with its first caption, and with the first caption of the next image."""
    first: dict[str, str] = {}

    def pictures() -> Iterable[tuple[str, bytes | Path]]:
        for sample in samples:
            if sample.image is not None and sample.captions:
                first[sample.key] = sample.captions[0]
                yield sample.key, sample.image

    images = embed_images(model, pictures(), batch_size)
    if len(images.row) < 2:
        raise InputError(f"--fit-on {source}: it needs at least two images with captions")
    texts = embed_captions(model, [first[key] for key in images.row])
    return fit_threshold((images.vectors * texts).sum(axis=1), (images.vectors * np.roll(texts, 1, axis=0)).sum(axis=1))


def keep_scored_rows(benchmarks: Iterable[Probes], file: Path) -> None:
    """Leave only the rows that another run scored: those in its `ranking_rows.jsonl`."""
    named = {
        tuple(json_field(record, name, str, where) for name in ("benchmark", "category", "id"))
        for where, record in json_lines(file)
    }
    for benchmark in benchmarks:
        rows, benchmark.rows = benchmark.rows, []
        for row in rows:
            if (benchmark.name, row.category, row.id) in named:
                benchmark.rows.append(row)
            else:
                benchmark.skip(row.category, "not in --only")
        if not benchmark.rows:
            raise InputError(f"--only {file}: it names no row of {benchmark.name}")


def figures(scored: Scored) -> list[Figure]:
    """All figures of all models, benchmark by benchmark."""
    results: list[Figure] = []
    slices: dict[str, slice] = {}
    start = 0
    for benchmark in scored.benchmarks:
        slices[benchmark.name] = slice(start, start := start + len(benchmark.rows))
    rows = scored.rows
    for name, rows_of in slices.items():
        for model, scores in scored.scores.items():
            scores_of = Scores(scores.better[rows_of], scores.worse[rows_of])
            results += pairwise(model, name, rows[rows_of], scores_of)
            if name == "svo" and model in scored.thresholds:
                results += svo_match(model, rows[rows_of], scores_of, scored.thresholds[model])
            if name == "winoground":
                results += winoground(model, rows[rows_of], scores_of)
    nouns = {row.category for row in rows} >= {"subject", "object", "foil"}
    if nouns and slices.keys() >= {"svo", "foil"}:
        for model, scores in scored.scores.items():
            svo, foil = ((rows[slices[b]], Scores(*(s[slices[b]] for s in scores))) for b in ("svo", "foil"))
            results.append(noun_understanding(model, svo, foil))
    return results


def write_run(out: Path, scored: Scored, results: Sequence[Figure]) -> None:
    """`ranking.json` (figures, what was skipped, seconds), `ranking.md`, and `ranking_rows.jsonl`: every scored row."""
    skipped = [
        (benchmark.name, category, why, count)
        for benchmark in scored.benchmarks
        for (category, why), count in sorted(benchmark.skipped.items())
    ]
    compared = records(results)
    content = {
        "figures": compared,
        "skipped": [dict(zip(("benchmark", "category", "why", "rows"), line)) for line in skipped],
        "thresholds": scored.thresholds,
        "seconds": {model: round(seconds, 1) for model, seconds in scored.seconds.items()},
    }
    with atomic_write(out / "ranking.json") as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    with atomic_write(out / "ranking.md") as partial:
        partial.write_text(markdown(compared, skipped, scored.seconds), encoding="utf-8", errors="backslashreplace")
    names = [(benchmark.name, row) for benchmark in scored.benchmarks for row in benchmark.rows]
    with atomic_write(out / "ranking_rows.jsonl") as partial, partial.open("w", encoding="utf-8") as file:
        for number, (benchmark, row) in enumerate(names):
            scores = {m: [float(s.better[number]), float(s.worse[number])] for m, s in scored.scores.items()}
            line = {"benchmark": benchmark, "category": row.category, "id": row.id, "scores": scores}
            file.write(json.dumps(line) + "\n")
