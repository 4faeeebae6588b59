"""Units against objects: does `loss.alignment` make a unit refer to its object? Takes minutes on one CPU thread.

    python benchmarks/alignment.py [--weights 0 1] [--seeds 0 1 2] [--scenes N] [--steps N] [--out FILE.json]

Models of configs/scenes.yaml, trained on generated scenes with and without the loss; on held-out scenes, whether the
unit of each phrase that names an object refers to it (`textgroup.evaluation.alignment`).
"""

import tempfile
from dataclasses import replace

from common import figure, finish, parser, run
from textgroup.evaluation.alignment import alignment
from textgroup.evaluation.retrieval import evaluate
from textgroup.experiments.outcome import shipped_config
from textgroup.experiments.scenes import TRAIN_SCENES, scene_captions, scene_inputs
from textgroup.inference.textgroup import TextGroup
from textgroup.report.terminal import training_bar
from textgroup.training.build import Inputs
from textgroup.training.loop import train
from textgroup.training.runs.progress import show_on

DESCRIPTIONS = {
    "chance": "phrases whose unit is most similar to their object, by chance",
    "accuracy": "phrases whose unit is most similar to their object",
    "found": "phrases whose unit refers to their object (none is an answer)",
    "none": "units outside phrases that refer to none",
    "r1": "retrieval, text to image, R@1",
}


def main() -> None:
    """Train, measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 1.0])
    options_parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options_parser.add_argument("--scenes", type=int, default=TRAIN_SCENES, help="to train on")
    options_parser.add_argument("--steps", type=int, help="training steps, instead of the configuration's")
    options = options_parser.parse_args()
    scores: dict[float, list[dict[str, float]]] = {weight: [] for weight in options.weights}
    for seed in options.seeds:
        inputs, held_out = scene_inputs(seed, options.scenes)
        pairs = scene_captions(held_out.scenes, inputs.tokenizer)
        for weight in options.weights:
            model = train_model(weight, seed, options.steps, inputs)
            scores_of_seed = alignment(model, held_out.scenes)._asdict()
            scores_of_seed["r1"] = evaluate(model.model, pairs).text_to_image.r1 / 100
            scores[weight].append(scores_of_seed)
            print(f"seed {seed}, loss.alignment {weight:g}: {scores_of_seed}", flush=True)
    rows = [
        figure(
            f"{name}_{weight:g}",
            f"loss.alignment {weight:g}: {description}",
            "%",
            [100 * score[name] for score in seed_scores],
        )
        for weight, seed_scores in scores.items()
        for name, description in DESCRIPTIONS.items()
    ]
    finish(rows, options.out)


def train_model(weight: float, seed: int, steps: int | None, inputs: Inputs) -> TextGroup:
    """Train a model with this weight of the loss."""
    config = shipped_config("scenes", inputs, steps=steps, seed=seed, loss__alignment=weight)
    with tempfile.TemporaryDirectory() as out, training_bar(f"loss.alignment {weight:g}, seed {seed}") as bar:
        model = train(replace(config, out=f"{out}/run"), inputs, device="cpu", progress=show_on(bar))
    return TextGroup(model, inputs.tokenizer)


if __name__ == "__main__":
    run(main)
