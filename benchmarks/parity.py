"""The same model on the CPU and on the GPU: do vectors and units agree?

    python benchmarks/parity.py [--captions N] [--out FILE.json]

The packaged model on generated captions, and one training step of configs/scenes_fixed.yaml with the same noise.
Without a GPU the rows are "not run".
"""

from itertools import islice

import numpy as np
import torch

from common import Row, figure, finish, parser, run
from textgroup import load
from textgroup.data.scenes.scene import scenes
from textgroup.experiments.outcome import shipped_config
from textgroup.experiments.scenes import scene_inputs
from textgroup.training.build import build_model
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.placement import to_device

ROWS = {
    "vectors": "largest difference of two caption vectors of unit length",
    "units": "captions whose units differ",
    "loss": "difference of the loss of a training step, as a share of it",
}


def main() -> None:
    """Measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--captions", type=int, default=2_000)
    options = options_parser.parse_args()
    if not torch.cuda.is_available():
        finish([Row(name, what, "", not_run="no GPU") for name, what in ROWS.items()], options.out)
        return
    captions = [scene.caption for scene in islice(scenes(7), options.captions)]
    cpu, gpu = load(), load(device="cuda")
    apart = float(np.abs(cpu.encode_text(captions) - gpu.encode_text(captions)).max())
    differ = sum(a != b for a, b in zip(cpu.segment(captions), gpu.segment(captions)))
    rows = [
        figure("vectors", ROWS["vectors"], "", [apart]),
        figure("units", ROWS["units"], f"of {len(captions):,}", [differ]),
        figure("loss", ROWS["loss"], "", [loss_difference()]),
    ]
    finish(rows, options.out)


def loss_difference() -> float:
    """Relative difference of one step's loss on the two devices."""
    inputs, _ = scene_inputs(0, 600, 10)
    config = shipped_config("scenes_fixed", inputs)
    model, batch = build_model(config, inputs), inputs.train.batch(0, 256, 0)
    losses = []
    for name in ("cpu", "cuda"):
        device = torch.device(name)
        objectives = objectives_for(config.loss)
        losses.append(compute(model.to(device), to_device(batch, device), objectives, 0).total.item())
    return abs(losses[0] - losses[1]) / abs(losses[0])


if __name__ == "__main__":
    run(main)
