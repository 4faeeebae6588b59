"""Units against objects: does `loss.alignment` make a unit refer to its object? Takes minutes on one CPU thread.

    python benchmarks/alignment.py [--weights 0 1] [--seeds 0 1 2] [--scenes N] [--steps N] [--out FILE.json]

Models of configs/scenes.yaml, trained on generated scenes with and without the loss; on held-out scenes, whether the
unit of each phrase that names an object refers to it (`textgroup.evaluation.alignment`).
"""

import tempfile
from dataclasses import replace
from itertools import islice

import numpy as np

from common import figure, finish, parser, run
from textgroup.config import SHIPPED, load_run
from textgroup.data.captions import CaptionData
from textgroup.data.scenes import Scene, scenes
from textgroup.demo import HELD_OUT_SCENES, TRAIN_SCENES
from textgroup.evaluation.alignment import alignment
from textgroup.evaluation.retrieval import evaluate
from textgroup.inference import TextGroup
from textgroup.report.terminal import training_bar
from textgroup.tokenizer import CaptionTokenizer
from textgroup.training.progress import shown_on
from textgroup.training.trainer import Inputs, train
from textgroup.vision.oracle import encode_scenes

WORDS = {
    "chance": "phrases whose unit is most similar to their object, by chance",
    "accuracy": "phrases whose unit is most similar to their object",
    "found": "phrases whose unit refers to their object (none is an answer)",
    "none": "units outside phrases that refer to none",
    "r1": "retrieval, text to image, R@1",
}


def main() -> None:
    """Train, measure and report."""
    options = parser(__doc__)
    options.add_argument("--weights", type=float, nargs="+", default=[0.0, 1.0])
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--scenes", type=int, default=TRAIN_SCENES, help="to train on")
    options.add_argument("--steps", type=int, help="training steps, instead of the configuration's")
    chosen = options.parse_args()
    scores: dict[float, list[dict[str, float]]] = {weight: [] for weight in chosen.weights}
    for seed in chosen.seeds:
        shown, held_out = list(islice(scenes(seed), chosen.scenes)), list(islice(scenes(seed, "test"), HELD_OUT_SCENES))
        tokenizer = CaptionTokenizer.train((scene.caption for scene in shown[:10_000]), 1_024)
        data = with_oracle(shown, tokenizer)
        for weight in chosen.weights:
            model = one(weight, seed, chosen.steps, Inputs(tokenizer, data))
            found = alignment(model, held_out)._asdict()
            found["r1"] = evaluate(model.model, with_oracle(held_out, tokenizer)).text_to_image.r1 / 100
            scores[weight].append(found)
            print(f"seed {seed}, loss.alignment {weight:g}: {found}", flush=True)
    rows = [
        figure(f"{name}_{weight:g}", f"loss.alignment {weight:g}: {words}", "%", [100 * score[name] for score in found])
        for weight, found in scores.items()
        for name, words in WORDS.items()
    ]
    finish(rows, chosen.out)


def with_oracle(found: list[Scene], tokenizer: CaptionTokenizer) -> CaptionData:
    """Captions of scenes with what the oracle sees in them."""
    seen = encode_scenes(found)
    assert seen.groups is not None
    rows = np.arange(len(found))
    data = CaptionData.build([(scene.caption,) for scene in found], tokenizer, seen.pooled.numpy(), rows)
    return replace(data, groups=seen.groups.numpy())


def one(weight: float, seed: int, steps: int | None, inputs: Inputs) -> TextGroup:
    """A trained model."""
    words = ["--config", str(SHIPPED / "scenes.yaml"), "--loss.alignment", str(weight), "--seed", str(seed)]
    config = load_run(words)
    if steps is not None:
        epochs = steps / inputs.train.steps_per_epoch(config.optim.batch_size)
        config = replace(config, optim=replace(config.optim, epochs=epochs, warmup_epochs=epochs / 4))
    with tempfile.TemporaryDirectory() as out, training_bar(f"loss.alignment {weight:g}, seed {seed}") as bar:
        model = train(replace(config, out=f"{out}/run"), inputs, device="cpu", progress=shown_on(bar))
    return TextGroup(model, inputs.tokenizer)


if __name__ == "__main__":
    run(main)
