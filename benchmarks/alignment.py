"""Units against objects: does `loss.alignment` make a unit refer to its object? Takes minutes on one CPU thread.

    python benchmarks/alignment.py [--weights 0 1] [--seeds 0 1 2] [--steps N] [--out FILE.json]

Models of configs/scenes.yaml, trained on generated scenes with and without the loss; on held-out scenes, whether the
unit of each phrase that names an object refers to it (`textgroup.evaluation.alignment`).
"""

import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

from common import figure, finish, parser
from textgroup.config import SHIPPED, load_run
from textgroup.data.scenes import scenes
from textgroup.demo import TRAIN_SCENES, HeldOut, make_data
from textgroup.evaluation.alignment import AlignmentScore, alignment
from textgroup.inference import TextGroup
from textgroup.report.terminal import training_bar
from textgroup.training.progress import shown_on
from textgroup.training.trainer import Inputs, train
from textgroup.vision.oracle import encode_scenes

WORDS = {
    "accuracy": "phrases whose unit is most similar to their object",
    "found": "phrases whose unit refers to their object (none is an answer)",
    "none": "units outside phrases that refer to none",
}


def main() -> None:
    """Train, measure and report."""
    options = parser(__doc__)
    options.add_argument("--config", default=str(SHIPPED / "scenes.yaml"))
    options.add_argument("--weights", type=float, nargs="+", default=[0.0, 1.0])
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--steps", type=int, help="training steps, instead of the configuration's")
    chosen = options.parse_args()
    scores: dict[float, list[AlignmentScore]] = {weight: [] for weight in chosen.weights}
    for seed in chosen.seeds:
        inputs, held_out = make_data(seed)
        groups = encode_scenes(list(islice(scenes(seed), TRAIN_SCENES))).groups
        assert groups is not None
        inputs = replace(inputs, train=replace(inputs.train, groups=groups.numpy()))
        for weight in chosen.weights:
            scores[weight].append(one(chosen.config, weight, seed, chosen.steps, inputs, held_out))
    chance = [score.chance for score in scores[chosen.weights[0]]]
    rows = [figure("chance", WORDS["accuracy"] + ", by chance", "%", [100 * value for value in chance])]
    for weight, found in scores.items():
        for name, words in WORDS.items():
            values = [100 * getattr(score, name) for score in found]
            rows.append(figure(f"{name}_{weight:g}", f"loss.alignment {weight:g}: {words}", "%", values))
    finish(rows, chosen.out)


def one(
    config_file: str, weight: float, seed: int, steps: int | None, inputs: Inputs, held_out: HeldOut
) -> AlignmentScore:
    config = load_run(["--config", config_file, "--loss.alignment", str(weight), "--seed", str(seed)])
    if steps is not None:
        epochs = steps / inputs.train.steps_per_epoch(config.optim.batch_size)
        config = replace(config, optim=replace(config.optim, epochs=epochs, warmup_epochs=epochs / 4))
    with tempfile.TemporaryDirectory() as out, training_bar(f"loss.alignment {weight:g}, seed {seed}") as bar:
        model = train(replace(config, out=str(Path(out) / "run")), inputs, device="cpu", progress=shown_on(bar))
    found = alignment(TextGroup(model, inputs.tokenizer), held_out.scenes)
    print(found)
    return found


if __name__ == "__main__":
    main()
