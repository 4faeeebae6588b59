"""The scale `paper`: the paper's own data and schedule (Section 4.1). Nobody has run it here; see docs/results.md.

It needs 2.9 million images and a GPU for two days a row, so before anything else it says which data are missing.
"""

from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from textgroup.config.run import RunConfig
from textgroup.data.probes.read import read_probes
from textgroup.data.probes.rows import Probes
from textgroup.data.sources.entities import read_entities
from textgroup.errors import InputError
from textgroup.evaluation.phrases.benchmark import Benchmark
from textgroup.evaluation.phrases.tokens import token_spans
from textgroup.evaluation.ranking.scoring import score_models
from textgroup.evaluation.segmenters.open import open_segmenter
from textgroup.experiments.reproduce.measured import Measured
from textgroup.experiments.reproduce.scale import configuration, units_of
from textgroup.experiments.reproduce.systems import ENCODER, UNTRAINED, System
from textgroup.inference.textgroup import TextGroup
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.build import Inputs, build_model
from textgroup.training.inputs import read_inputs
from textgroup.units import Segmenter

CAPTIONS = 3


class Needed(NamedTuple):
    """path: under the working directory, as configs/paper.yaml has it. origin: where it is to be had."""

    path: str
    origin: str


NEEDS = (
    Needed("data/gcc3m-train", "Conceptual Captions, by img2dataset (docs/data.md)"),
    Needed("features/gcc3m-train", "textgroup features --images data/gcc3m-train --encoder groupvit --groups"),
    Needed("data/flickr30k_entities.zip", "github.com/BryanPlummer/flickr30k_entities"),
    Needed("data/probes/svo_probes.csv", "github.com/google-deepmind/svo_probes"),
    Needed("data/probes/svo_images", "the URLs of svo_probes.csv"),
    Needed("data/probes/foilv1.0_test_2017.json", "foilunitn.github.io"),
    Needed("data/probes/val2014", "images.cocodataset.org/zips/val2014.zip"),
)


class Paper:
    """A `Scale`. home: where runs and tokens are kept."""

    name = "paper"

    def __init__(self, home: Path) -> None:
        self.home = home / self.name
        missing = [f"{one.path} ({one.origin})" for one in NEEDS if not Path(one.path).exists()]
        if missing:
            raise InputError(
                f"--scale paper: {len(missing)} of {len(NEEDS)} data sets are missing: {'; '.join(missing)}"
            )

    @property
    def bases(self) -> dict[str, str]:
        """See `Scale.bases`: GroupViT is the published one, and not trained."""
        return {"recipe": "paper"}

    @property
    def options(self) -> tuple[str, ...]:
        """See `Scale.options`."""
        return ()

    @property
    def facts(self) -> dict[str, Any]:
        """See `Scale.facts`."""
        return {one.path: Path(one.path).stat().st_size for one in NEEDS}

    @property
    def captions(self) -> list[str]:
        """See `Scale.captions`."""
        return list(islice(self.benchmark.captions, CAPTIONS))

    @cached_property
    def benchmark(self) -> Benchmark:
        """Flickr30k Entities' val, in CLIP's tokens as the paper's."""
        return Benchmark.make(read_entities(Path(NEEDS[2].path), "val").captions, token_spans(self._tokenizer))

    def lacks(self, row: str) -> str | None:
        """See `Scale.lacks`."""
        system = System.parse(row)
        if row == ENCODER:
            return "textgroup evaluate ranking --model groupvit"
        if system.role in ("fixed", "dynamic"):
            return "no setting at this scale"
        return "scenes only" if system.oracle else None

    def steps(self, row: str) -> int | None:
        """See `Scale.steps`: the paper's 25 epochs."""
        return None

    def seconds(self, row: str) -> float:
        """See `Scale.seconds`: 48 hours of a GPU, by the paper."""
        return 48 * 3600.0

    def prepare(self) -> None:
        """See `Scale.prepare`."""
        for row in ("recipe", "recipe/no_contrastive"):  # before several processes want them
            self.inputs(configuration(self, row, 0, self.home / "run"), row, Path())

    def inputs(self, config: RunConfig, row: str, encoder: Path) -> Inputs:
        """See `Scale.inputs`."""
        images = "captions" if config.data.features is None else "images"  # tokens know whose features they go with
        tokens = str(self.home / "tokens" / images)
        return read_inputs(replace(config, data=replace(config.data, tokens=tokens)))

    def measure(self, row: str, model: TextGroup, run: Path, encoder: Path) -> Measured:
        """See `Scale.measure`."""
        measured = self.measure_units(units_of(model))
        if model.model.image_head is None:
            return measured
        images = [str(Path("data/probes") / name) for name in ("svo_images", "val2014")]
        spec = f"model:{run}"
        scored = score_models([spec], self._probes(), images)
        start = 0
        for benchmark in scored.benchmarks:
            rows = np.arange(start, start + len(benchmark.rows))
            start += len(rows)
            name = "svo" if benchmark.name == "svo" else ""
            measured.add_scores(name, benchmark.rows, scored.scores[spec].take(rows))
        measured.add_nouns()
        return measured

    def trivial(self, row: str, seed: int) -> Segmenter:
        """See `Scale.trivial`."""
        if row == UNTRAINED:
            config = configuration(self, "recipe", seed, self.home / "run")
            inputs = self.inputs(config, row, self.home)
            return units_of(TextGroup(build_model(config, inputs, learn=False), self._tokenizer))
        return open_segmenter(row, self._tokenizer)

    def measure_units(self, segmenter: Segmenter) -> Measured:
        """See `Scale.measure_units`."""
        measured = Measured()
        measured.add_phrases(segmenter, self.benchmark)
        return measured

    @cached_property
    def _tokenizer(self) -> CaptionTokenizer:
        source = configuration(self, "recipe", 0, self.home / "run").tokenizer.source
        assert source is not None, "configs/paper.yaml names CLIP's"
        return CaptionTokenizer.from_pretrained(source)

    @staticmethod
    def _probes() -> list[Probes]:
        return [read_probes(f"svo:{NEEDS[3].path}"), read_probes(f"foil:{NEEDS[5].path}")]
