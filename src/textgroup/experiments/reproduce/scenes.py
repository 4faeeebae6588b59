"""The scale `scenes`: everything from nothing, in minutes on two CPU cores.

It begins where GroupViT's authors began: a small GroupViT is trained with a text tower of its own on pictures and
captions, frozen, and used as the paper uses the released checkpoint. Rows with @oracle have an ideal observer's objects
instead. Every seed has the same scenes, pictures and tokens: a seed is one of training.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from textgroup.config.run import RunConfig
from textgroup.data.captions import CaptionData
from textgroup.data.scenes.scene import Scene, scenes
from textgroup.data.sources.entities import EntityCaption, Phrase
from textgroup.evaluation.alignment import alignment
from textgroup.evaluation.phrases.benchmark import Benchmark
from textgroup.evaluation.phrases.tokens import token_spans
from textgroup.evaluation.segmenters.open import open_segmenter
from textgroup.experiments.reproduce.measured import Measured, best_left_entropy
from textgroup.experiments.reproduce.pictures import Pictures, discovery, encode, small_tower
from textgroup.experiments.reproduce.scale import configuration, units_of
from textgroup.experiments.reproduce.scene_probes import SceneProbes, scene_probes
from textgroup.experiments.reproduce.systems import ENCODER, UNTRAINED, System
from textgroup.files import atomic_write
from textgroup.inference.textgroup import TextGroup
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.build import Inputs, build_model
from textgroup.units import Segmenter
from textgroup.vision.encoders.groupvit import GroupViT
from textgroup.vision.encoders.oracle import encode_scenes

TRAIN_SEED, TEST_SEED = 1, 0
"""Seeds of the scenes, not of training."""
VOCABULARY = 1_024
ORACLE = {"encoder": "oracle of the generated scenes", "weights": "", "transform": {"resize": 224}}
CHOSEN_ON = 500
"""Training captions whose phrases choose the threshold of left entropy: no model is shown as much."""
CAPTIONS = 3
"""Drawn in figures 2 and 3."""


@dataclass(frozen=True)
class Sizes:
    """train, test: scenes. encoder_steps, oracle_steps, steps: of the object encoder, of rows @oracle, which have more
    to learn from, and of all others. units_steps: of the teacher and the router of `dynamic`."""

    train: int = 12_000
    test: int = 800
    encoder_steps: int = 2_000
    oracle_steps: int = 600
    steps: int = 400
    units_steps: int = 200


FAST = Sizes(train=1_500, test=100, encoder_steps=12, oracle_steps=12, steps=12, units_steps=20)


class Scenes:
    """A `Scale`."""

    name = "scenes"

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes

    @property
    def bases(self) -> dict[str, str]:
        """See `Scale.bases`."""
        return {"recipe": "scenes_paper", "fixed": "scenes_fixed", "dynamic": "scenes", ENCODER: "scenes_groupvit"}

    @property
    def options(self) -> tuple[str, ...]:
        """See `Scale.options`."""
        steps = str(self.sizes.units_steps)
        return ("--log.save_every", "50", "--units.teacher_steps", steps, "--units.steps", steps)

    def steps(self, row: str) -> int:
        """See `Scale.steps`."""
        if row == ENCODER:
            return self.sizes.encoder_steps
        return self.sizes.oracle_steps if System.parse(row).oracle else self.sizes.steps

    @property
    def facts(self) -> dict[str, Any]:
        """See `Scale.facts`."""
        return asdict(self.sizes)

    @property
    def captions(self) -> list[str]:
        """Of the first test scenes that name three things and more."""
        long = (scene.caption for scene in self.test if len(scene.phrases) >= 3)
        return list(islice(long, CAPTIONS))

    @cached_property
    def train(self) -> list[Scene]:
        """The training scenes."""
        return list(islice(scenes(TRAIN_SEED), self.sizes.train))

    @cached_property
    def test(self) -> list[Scene]:
        """The test scenes, each with a pair of colour and shape that training never shows."""
        return list(islice(scenes(TEST_SEED, "test"), self.sizes.test))

    @cached_property
    def tokenizer(self) -> CaptionTokenizer:
        """Learned on the training captions."""
        return CaptionTokenizer.train([scene.caption for scene in self.train], VOCABULARY)

    @cached_property
    def probes(self) -> SceneProbes:
        """Of the test scenes."""
        return scene_probes(self.test)

    @cached_property
    def benchmark(self) -> Benchmark:
        """The test captions with their phrases."""
        return Benchmark.make(_bracketed(self.test), token_spans(self.tokenizer))

    def lacks(self, row: str) -> str | None:
        """See `Scale.lacks`."""
        return "flickr8k only" if any(variant.startswith("on_") for variant in System.parse(row).variants) else None

    def seconds(self, row: str) -> float:
        """See `Scale.seconds`."""
        seconds_a_step = 0.45 if row == ENCODER or "joint" in row else 0.25
        return 20 + seconds_a_step * self.steps(row)

    def prepare(self) -> None:
        """See `Scale.prepare`."""

    def inputs(self, config: RunConfig, row: str, encoder: Path) -> Inputs:
        """See `Scale.inputs`."""
        if config.trained_tower is not None:
            tower = small_tower(config.seed)
            pictures = Pictures(self.train, tower.transform)
            return Inputs(self.tokenizer, self._captions(pictures), tower=tower)
        if System.parse(row).oracle:
            found = encode_scenes(self.train)
            assert found.vectors is not None, "the oracle always gives them"
            return Inputs(self.tokenizer, self._captions(found.pooled.numpy(), found.vectors.numpy()), None, ORACLE)
        if "no_contrastive" in System.parse(row).variants:
            return Inputs(self.tokenizer, self._captions())
        kept = load_file(encoder / "features.safetensors")
        objects = kept["objects"] if config.loss.needs_objects else None
        return Inputs(self.tokenizer, self._captions(kept["pooled"], objects), None, self._open(encoder).identity())

    def measure(self, row: str, model: TextGroup, run: Path, encoder: Path) -> Measured:
        """See `Scale.measure`; of the object encoder, also how well its groups are the objects."""
        measured = self.measure_units(units_of(model))
        if row == ENCODER:
            self._encode_train(run)
            measured.figures |= discovery(self._open(run), self.test)
        if model.model.image_head is None:
            return measured
        names = list(self.probes.pictures)
        pooled = self._pooled(row, run, encoder)
        vector = dict(zip(names, model.model.embed_image(torch.from_numpy(pooled)).detach().numpy()))
        measured.add_ranking("svo", self.probes.svo, model, vector)
        measured.add_ranking("", self.probes.foil, model, vector)
        measured.add_nouns()
        if System.parse(row) in (System("dynamic", (), True), System("dynamic", ("alignment",), True)):
            score = alignment(model, self.test)
            shares = {"refers": score.accuracy, "refers_or_none": score.found, "none": score.none}
            measured.figures |= {name: 100 * share for name, share in (shares | {"chance": score.chance}).items()}
        count = len(self.test)
        pairs = CaptionData.build(
            [(scene.caption,) for scene in self.test], self.tokenizer, pooled[:count], np.arange(count)
        )
        measured.add_retrieval(model, pairs)
        return measured

    def trivial(self, row: str, seed: int) -> Segmenter:
        """See `Scale.trivial`."""
        if row == UNTRAINED:
            config = configuration(self, "recipe", seed, Path("untrained"))
            model = build_model(config, Inputs(self.tokenizer, self._captions()), learn=False)
            return units_of(TextGroup(model, self.tokenizer))
        if row == "left-entropy":
            shown = Benchmark.make(_bracketed(self.train[:CHOSEN_ON]), token_spans(self.tokenizer))
            return best_left_entropy((scene.caption for scene in self.train), shown)
        return open_segmenter(row, self.tokenizer)

    def measure_units(self, segmenter: Segmenter) -> Measured:
        """See `Scale.measure_units`."""
        measured = Measured()
        measured.add_phrases(segmenter, self.benchmark)
        return measured

    def _captions(self, pooled: Any = None, objects: np.ndarray | None = None) -> CaptionData:
        """The training captions, with images or without."""
        rows = None if pooled is None else np.arange(len(self.train))
        return CaptionData.build([(scene.caption,) for scene in self.train], self.tokenizer, pooled, rows, objects)

    def _encode_train(self, run: Path) -> None:
        """Keep the vectors of the training pictures beside the encoder, for all other rows."""
        pooled, objects = encode(self._open(run), self.train)
        with atomic_write(run / "features.safetensors") as partial:
            save_file({"pooled": pooled, "objects": objects}, partial)

    def _pooled(self, row: str, run: Path, encoder: Path) -> np.ndarray:
        """The image vectors of the probes' pictures, as the row's images are encoded."""
        drawn = list(self.probes.pictures.values())
        if System.parse(row).oracle:
            return encode_scenes(drawn).pooled.numpy()
        own = run if row == ENCODER or "joint" in System.parse(row).variants else encoder
        return encode(self._open(own), drawn)[0]

    @staticmethod
    def _open(run: Path) -> GroupViT:
        """The image tower of a run, frozen."""
        where = str(run / "last" / "image_encoder")
        return GroupViT.open(where, size=None, device="cpu")


def _bracketed(drawn: Sequence[Scene]) -> list[EntityCaption]:
    return [
        EntityCaption(str(i), scene.caption, tuple(Phrase(p.start, p.end, str(p.object), ()) for p in scene.phrases))
        for i, scene in enumerate(drawn)
    ]
