"""Two processes on one batch: what one process would have done."""

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training.exactness.test_gradcache import furthest, seen_in
from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.run import LossConfig, OptimConfig, RunConfig
from textgroup.data.captions import CaptionData
from textgroup.errors import InputError
from textgroup.keys import key_of
from textgroup.training.build import build_model
from textgroup.training.loop import train
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.runs import checkpoint
from textgroup.training.runs.log import read

ROOT = Path(__file__).parents[2]
TERMS = LossConfig(balance=0.1, contiguity=0.5, alignment=0.5, grounding=0.3, written=0.7)
IN_PAIRS = replace(TERMS, alignment=0.0, paraphrase=0.4)


def short(out: Path) -> RunConfig:
    """Twelve steps."""
    return tiny_config(out, optim=OptimConfig(batch_size=8, epochs=6, lr=5e-3, warmup_epochs=1))


def torchrun(script: str, *arguments: str) -> str:
    """Run a script in two processes; what they print."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    command += [sys.executable, "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def batches(data: CaptionData) -> list[tuple[CaptionData, LossConfig, int, int | None]]:
    """Data sets with their terms, captions of a batch, and of a chunk: one caption an image, and two."""
    kinds = ((replace(data, per_item=1), TERMS, 7), (replace(data, per_item=2), IN_PAIRS, 10))
    return [(*kind, chunk) for kind in kinds for chunk in (None, 3)]


def test_loss_and_gradients_of_two_processes_are_those_of_one(tmp_path: Path) -> None:
    """All terms and all noise, in whole batches and by GradCache; seven captions: the shares are not equal."""
    script = """
        import sys
        import torch
        from tests.training.tiny import tiny_config, tiny_inputs
        from tests.training.test_distributed import batches
        from tests.training.exactness.test_gradcache import seen_in
        from textgroup.keys import key_of
        from textgroup.training import distributed
        from textgroup.training.exactness import gradcache
        from textgroup.training.objectives.total import compute, objectives_for
        from textgroup.training.build import build_model
        from pathlib import Path
        with distributed.join_processes("cpu"):
            inputs = tiny_inputs()
            model = build_model(tiny_config(Path("unused")), inputs).train().double()
            found = []
            for data, terms, size, chunk in batches(inputs.train):
                batch = data.batch(1, size, 0, chunk, (distributed.rank(), 2))
                assert batch.size in (size // 2, (size + 1) // 2)
                batch = seen_in(batch, torch.float64)
                model.zero_grad()
                if chunk is None:
                    losses = compute(model, batch, objectives_for(terms), key_of(0, 1))
                    losses.total.backward()
                else:
                    losses = gradcache.backward(model, batch, objectives_for(terms), key_of(0, 1))
                distributed.reduce_gradients(model)
                found.append((losses.as_dict(), {n: p.grad.clone() for n, p in model.named_parameters()}))
            torch.save(found, f"{sys.argv[1]}/{distributed.rank()}.pt")
    """
    torchrun(script, str(tmp_path))
    inputs = tiny_inputs()
    model = build_model(tiny_config(tmp_path), inputs).train().double()
    found = [torch.load(tmp_path / f"{process}.pt") for process in (0, 1)]
    for number, (data, terms, size, _) in enumerate(batches(inputs.train)):
        model.zero_grad()
        expected = compute(model, seen_in(data.batch(1, size, 0), torch.float64), objectives_for(terms), key_of(0, 1))
        assert ("alignment" not in expected.terms) == ("paraphrase" in expected.terms) == (data.per_item == 2)
        expected.total.backward()
        theirs = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        for process in (0, 1):
            losses, gradients = found[process][number]
            assert losses.keys() == expected.as_dict().keys()
            for name, value in expected.as_dict().items():
                assert abs(losses[name] - value) <= 1e-10 * abs(value), name
            assert furthest(gradients, theirs) < 1e-10


@pytest.mark.slow
def test_two_processes_and_one_take_the_same_steps_and_go_on_with_each_others_runs(tmp_path: Path) -> None:
    """SIGTERM to one of two processes stops both, once it is saved; one process then finishes the run."""
    script = """
        import os, signal, sys
        from pathlib import Path
        from tests.training.tiny import tiny_inputs
        from tests.training.test_distributed import short
        from textgroup.training import distributed
        from textgroup.training.loop import Stopped, train
        def stop(progress):
            assert distributed.rank() == 0, "only the first reports"
            if progress.step == 5:
                os.kill(os.getpid(), signal.SIGTERM)
        with distributed.join_processes("cpu") as place:
            try:
                train(short(Path(sys.argv[1])), tiny_inputs(), device=place, progress=stop)
            except Stopped as stopped:
                print(stopped)
    """
    told = torchrun(script, str(tmp_path / "two"))
    assert told.count("stopped at step 6 of 12") == 2
    assert int(load_file(tmp_path / "two" / "last" / checkpoint.STATE)["step"]) == 6
    train(short(tmp_path / "one"), tiny_inputs(), device="cpu")
    train(short(tmp_path / "two"), tiny_inputs(), device="cpu", resume=True)
    one, two = ({line["step"]: line for line in read(tmp_path / name / "log.jsonl")} for name in ("one", "two"))
    for step in (1, 5, 12):  # line 10 is a mean over the steps since the run began or went on
        for name in ("contrastive", "reconstruction", "balance"):
            assert two[step][name] == pytest.approx(one[step][name], rel=1e-3), (step, name)


def test_fewer_captions_than_processes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgroup.training.distributed.world_size", lambda: 9)
    config = replace(tiny_config(tmp_path), optim=OptimConfig(batch_size=8))
    with pytest.raises(InputError, match="9 processes for batches of 8 captions"):
        train(config, tiny_inputs())
