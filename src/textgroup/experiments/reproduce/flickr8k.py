"""The scale `flickr8k`: 7,559 photographs with five captions each, an hour or two on two CPU cores.

The frozen encoder is a small classification network (MobileNetV2), which has patches and no objects: what the paper
asks of objects is asked of the photograph as a whole here. Phrases are those of Flickr30k Entities (val). The place of
SVO-Probes and FOIL-COCO takes SugarCrepe, of whose photographs those count that are at hand.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from textgroup.config.run import RunConfig
from textgroup.data.probes.rows import Probe, image_name
from textgroup.data.probes.sugarcrepe import read_sugarcrepe
from textgroup.data.sources.entities import EntityCaption, read_entities
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.errors import InputError
from textgroup.evaluation.phrases.benchmark import Benchmark
from textgroup.evaluation.phrases.tokens import token_spans
from textgroup.evaluation.segmenters.open import open_segmenter
from textgroup.experiments.reproduce.measured import Measured, best_left_entropy
from textgroup.experiments.reproduce.scale import configuration, units_of
from textgroup.experiments.reproduce.systems import ENCODER, UNTRAINED, System
from textgroup.inference.textgroup import TextGroup
from textgroup.report.terminal import progress_bar
from textgroup.training.build import Inputs, build_model
from textgroup.training.inputs import read_inputs, read_pairs
from textgroup.units import Segmenter
from textgroup.vision.encoders.objects import ObjectEncoder
from textgroup.vision.encoders.open import open_encoder
from textgroup.vision.store.reading import FeatureStore
from textgroup.vision.store.writing import encode_features

SPLITS = ("train", "val")
PROBES = {
    "svo": {"replace_obj": "object", "replace_rel": "verb"},
    "": {"replace_obj": "foil", "replace_att": "attribute"},
}
"""By benchmark of the paper, the categories of SugarCrepe that stand for its own."""
FRENCH = "flickr30k_entities_fr_val.zip"
"""French captions with phrases, in the layout of Flickr30k Entities."""
CHOSEN_ON = 500
"""Training captions whose phrases choose the threshold of left entropy: no model is shown as much."""
CAPTIONS = 3


class Flickr8k:
    """A `Scale`.

    data: the directory with flickr8k/flickr8k-{train,val}-*.tar, flickr30k_entities.zip, captions/, probes/sugarcrepe
    and coco_images. home: where features and tokens are kept. encoder: of the photographs, as `open_encoder` takes it.
    """

    name = "flickr8k"

    def __init__(self, data: Path, home: Path, encoder: str, fast: bool = False) -> None:
        self.data, self.home, self.encoder, self.fast = data, home / self.name / "data", encoder, fast
        if not list(data.glob("flickr8k/flickr8k-train-*.tar")):
            raise InputError(
                f"--scale flickr8k: {data} has no flickr8k/flickr8k-train-*.tar; --data names the directory of the data"
            )

    @property
    def bases(self) -> dict[str, str]:
        """See `Scale.bases`."""
        return {"recipe": "flickr8k_paper", "fixed": "flickr8k_fixed", "dynamic": "flickr8k"}

    @property
    def options(self) -> tuple[str, ...]:
        """See `Scale.options`."""
        quick = ("--units.teachers", "1", "--units.teacher_steps", "300", "--units.steps", "500")
        return ("--log.save_every", "100", "--log.eval_every", "100000", *quick)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """See `Scale.facts`: files by name and size, and the encoder."""
        files = sorted(path for path in self.data.rglob("*") if path.is_file() and self._reads(path))
        sizes = {path.relative_to(self.data).as_posix(): path.stat().st_size for path in files}
        return {"files": sizes, "encoder": self.encoder, "fast": self.fast}

    @property
    def captions(self) -> list[str]:
        """See `Scale.captions`."""
        return [caption.text for caption in islice(self._entities("val"), CAPTIONS)]

    @cached_property
    def benchmark(self) -> Benchmark:
        """Flickr30k Entities' val, in words."""
        return Benchmark.make(self._entities("val"), token_spans(None))

    @cached_property
    def french(self) -> Benchmark:
        """The same of French captions, for rows that are trained on such."""
        captions = read_entities(self.data / FRENCH, "val").captions
        return Benchmark.make(captions, token_spans(None))

    def lacks(self, row: str) -> str | None:
        """See `Scale.lacks`."""
        system = System.parse(row)
        if row == ENCODER:
            return "no text tower"
        if system.oracle or {"joint", "late_tokens", "alignment"} & set(system.variants):
            return "scenes only"
        if "on_french" in system.variants and not (self.data / FRENCH).is_file():
            return f"no {FRENCH}"
        return None

    def steps(self, row: str) -> int:
        """See `Scale.steps`."""
        return 12 if self.fast else 300

    def seconds(self, row: str) -> float:
        """See `Scale.seconds`."""
        return 60 + 0.4 * self.steps(row)

    def prepare(self) -> None:
        """See `Scale.prepare`: the photographs pass the frozen encoder once."""
        frozen = open_encoder(self.encoder)
        for split in SPLITS:
            source = str(self.data / "flickr8k" / f"flickr8k-{split}-*.tar")
            self._encode(read_samples(source, captions=False), frozen, split, source)
        if self._probes:
            source = str(self.data / "coco_images")
            wanted = {row.better.image for rows in self._probes.values() for row in rows}
            pictures = read_samples(source, captions=False)
            asked = (one for one in pictures if image_name(one.key) in wanted)
            self._encode(asked, frozen, "sugarcrepe", source)
        for row in (*self.bases, "recipe/no_contrastive", "fixed/no_contrastive"):  # before several processes want them
            read_inputs(self._with_data(configuration(self, row, 0, self.home / "run"), row))

    def inputs(self, config: RunConfig, row: str, encoder: Path) -> Inputs:
        """See `Scale.inputs`."""
        return read_inputs(self._with_data(config, row))

    def measure(self, row: str, model: TextGroup, run: Path, encoder: Path) -> Measured:
        """See `Scale.measure`."""
        measured = Measured()
        french = "on_french" in System.parse(row).variants
        measured.add_phrases(units_of(model), self.french if french else self.benchmark)
        if model.model.image_head is None:
            return measured
        captions = str(self.data / "flickr8k" / "flickr8k-val-*.tar")
        samples = read_samples(captions, images=False)
        pairs = read_pairs(samples, captions, self.home / "val", model.tokenizer, model.model.image_encoder)
        measured.add_retrieval(model, pairs)
        if self._probes:
            store = FeatureStore.open(self.home / "sugarcrepe")
            vectors = model.model.embed_image(torch.from_numpy(np.asarray(store.pooled, np.float32))).detach().numpy()
            image = {image_name(key): vector for key, vector in zip(store.keys, vectors)}
            for benchmark, rows in self._probes.items():
                measured.add_ranking(benchmark, [row for row in rows if row.better.image in image], model, image)
        return measured

    def trivial(self, row: str, seed: int) -> Segmenter:
        """See `Scale.trivial`."""
        if row == UNTRAINED:
            config = configuration(self, "recipe", seed, self.home / "run")
            inputs = self.inputs(config, "recipe", self.home)
            return units_of(TextGroup(build_model(config, inputs, learn=False), inputs.tokenizer))
        if row == "left-entropy":
            shown = Benchmark.make(self._entities("train")[:CHOSEN_ON], token_spans(None))
            return best_left_entropy((caption.text for caption in self._entities("train")), shown)
        return open_segmenter(row, None)

    def measure_units(self, segmenter: Segmenter) -> Measured:
        """See `Scale.measure_units`."""
        measured = Measured()
        measured.add_phrases(segmenter, self.benchmark)
        return measured

    def _encode(self, samples: Iterable[Sample], frozen: ObjectEncoder, name: str, source: str) -> None:
        with progress_bar(f"photographs, {name}", None) as advance:

            def show(images: int, skipped: int) -> None:
                advance(images, f"{skipped} skipped")

            encode_features(samples, frozen, self.home / name, source=source, progress=show)

    def _entities(self, split: str) -> list[EntityCaption]:
        captions = read_entities(self.data / "flickr30k_entities.zip", split).captions
        return captions[:200] if self.fast else captions

    @cached_property
    def _probes(self) -> dict[str, list[Probe]]:
        """SugarCrepe's rows under the names of the paper's columns; none where it is not at hand."""
        where = self.data / "probes" / "sugarcrepe"
        if not (where.is_dir() and (self.data / "coco_images").is_dir()):
            return {}
        rows = read_sugarcrepe(where).rows
        return {
            benchmark: [row._replace(category=names[row.category]) for row in rows if row.category in names]
            for benchmark, names in PROBES.items()
        }

    def _with_data(self, config: RunConfig, row: str) -> RunConfig:
        """The configuration with its paths in the directory of the data, features and tokens where they are kept."""
        data = config.data

        def at_home(where: Any) -> Any:
            if isinstance(where, list):
                return [at_home(one) for one in where]
            return str(self.data / where.removeprefix("data/"))

        features = None if data.features is None else str(self.home / "train")
        system = System.parse(row)
        images = "captions" if features is None else "images"  # tokens know whose features they go with
        others = (variant for variant in system.variants if variant.startswith("on_"))
        tokens = self.home / "tokens" / "-".join((system.role, images, *others))
        moved = replace(
            data,
            captions=at_home(data.captions),
            features=features,
            tokens=str(tokens),
            val_captions=None,
            val_features=None,
        )
        return replace(config, data=moved, image_encoder=config.image_encoder and self.encoder)

    @staticmethod
    def _reads(path: Path) -> bool:
        """Whether this scale reads a file of the data."""
        return path.suffix in (".tar", ".zip", ".gz") or "sugarcrepe" in path.parts
