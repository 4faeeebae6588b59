"""What is measured of one row with one seed, and how it is kept."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from textgroup.data.captions import CaptionData
from textgroup.data.probes.rows import Pair, Probe
from textgroup.evaluation.phrases.benchmark import Benchmark, score_rows
from textgroup.evaluation.phrases.tiou import CaptionScore, summarise
from textgroup.evaluation.ranking.accuracy import Scores, categories, points
from textgroup.evaluation.retrieval import evaluate as evaluate_retrieval
from textgroup.evaluation.segmenters.left_entropy import cut_above, word_entropy
from textgroup.inference.textgroup import TextGroup
from textgroup.units import Segmenter

MEANS = ("tiou", "precision", "recall", "f1", "strict_tiou")
"""Figures that are means over captions, so that two rows can be compared caption by caption."""
THRESHOLDS = np.arange(0.5, 5.0, 0.25)
"""Of left entropy, in nats."""
NOUNS = ("svo/subject", "svo/object", "foil")
"""Noun understanding is the plain mean of these (Table 4)."""


@dataclass
class Measured:
    """figures: by name, per cent (counts are numbers). rows: of those that are means, what they are means of, (N,).
    images: of each row, (N,), by the same names: rows of one image are alike."""

    figures: dict[str, float] = field(default_factory=dict)
    rows: dict[str, np.ndarray] = field(default_factory=dict)
    images: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, name: str, rows: np.ndarray, images: np.ndarray) -> None:
        """A figure that is the mean of rows."""
        self.figures[name] = float(rows.mean())
        self.rows[name], self.images[name] = rows.astype(np.float32), images

    def add_phrases(self, segmenter: Segmenter, benchmark: Benchmark) -> None:
        """The figures of `evaluate phrases`."""
        scores, _ = score_rows(segmenter, benchmark)
        for name in MEANS:
            self.add(name, 100 * scores[:, CaptionScore._fields.index(name)], np.array(benchmark.images))
        total = summarise(scores.sum(axis=0), len(scores))
        self.figures |= {"exact_f1": 100 * total.exact_f1, "units": total.units_per_caption}

    def add_ranking(self, name: str, probes: list[Probe], model: TextGroup, image: Mapping[str, np.ndarray]) -> None:
        """Pairwise accuracy of each category, and of all where there are several; named NAME/CATEGORY, or CATEGORY for
        the empty name. image: the unit vector (E,) of each image."""

        def score(pairs: list[Pair]) -> np.ndarray:
            text = model.encode_text([pair.caption for pair in pairs])
            return np.einsum("ne,ne->n", np.stack([image[pair.image] for pair in pairs]), text)

        scores = Scores(score([probe.better for probe in probes]), score([probe.worse for probe in probes]))
        self.add_scores(name, probes, scores)

    def add_scores(self, name: str, probes: list[Probe], scores: Scores) -> None:
        """`add_ranking` of pairs that are scored already."""
        right, images = 100 * points(scores), np.array([probe.better.image for probe in probes])
        for category, rows in categories(probes).items():
            self.add(f"{name}/{category}" if name else category, right[rows], images[rows])

    def add_retrieval(self, model: TextGroup, pairs: CaptionData, captions: int | None = None) -> None:
        """Recall at 1 in both directions; captions: of each image."""
        recall = evaluate_retrieval(model.model, pairs, captions)
        self.figures |= {"t2i_r1": recall.text_to_image.r1, "i2t_r1": recall.image_to_text.r1}

    def add_nouns(self) -> None:
        """Noun understanding: every row weighs as much as its share of the mean of three means."""
        if set(NOUNS) <= set(self.rows):
            counts = [len(self.rows[name]) for name in NOUNS]
            weighted = [self.rows[name] * sum(counts) / (3 * count) for name, count in zip(NOUNS, counts)]
            self.add("nouns", np.concatenate(weighted), np.concatenate([self.images[name] for name in NOUNS]))

    def save(self, folder: Path, about: dict[str, Any]) -> None:
        """Write result.json and rows.npz; the first is the last to be there. about: goes into result.json."""
        named = {f"rows {name}": rows for name, rows in self.rows.items()}
        named |= {f"images {name}": images for name, images in self.images.items()}
        with (folder / "rows.npz").open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **named)
        text = json.dumps(about | {"figures": self.figures}, indent=1)
        (folder / "result.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Measured":
        """Read what `save` wrote."""
        figures = json.loads((folder / "result.json").read_text(encoding="utf-8"))["figures"]
        with np.load(folder / "rows.npz", allow_pickle=False) as named:
            parts: dict[str, dict[str, np.ndarray]] = {"rows": {}, "images": {}}
            for key in named.files:
                kind, _, name = key.partition(" ")
                parts[kind][name] = named[key]
        return cls(figures, **parts)


def best_left_entropy(captions: Iterable[str], shown: Benchmark) -> Segmenter:
    """Left entropy of words in the captions, cut where tIoU on the benchmark that is shown is best."""
    entropy = word_entropy(captions)
    tiou = [score_rows(cut_above(float(limit), entropy), shown)[0][:, 0].mean() for limit in THRESHOLDS]
    return cut_above(float(THRESHOLDS[int(np.argmax(tiou))]), entropy)
