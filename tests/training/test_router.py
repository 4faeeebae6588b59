"""Training with the router of another checkpoint: captions are cut as that one cuts them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import textgroup
from tests.training.tiny import QUICK, tiny_config, tiny_inputs
from textgroup.config.model import EncoderConfig
from textgroup.config.run import LossConfig, RunConfig
from textgroup.errors import InputError
from textgroup.model.pretrained import load_model
from textgroup.training.build import build_model
from textgroup.training.inputs import open_router, read_inputs
from textgroup.training.loop import train
from textgroup.training.runs.log import read

DYNAMIC = EncoderConfig(
    kind="dynamic", width=16, router_width=16, router_hidden=24, heads=2, layers_after=0, groups=4, max_tokens=16
)


def dynamic(out: Path, encoder: EncoderConfig = DYNAMIC, **changes: object) -> RunConfig:
    config = tiny_config(out, loss=LossConfig(), units=QUICK)
    config = replace(config, model=replace(config.model, encoder=encoder))
    return replace(config, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "router"
    train(dynamic(out), tiny_inputs())
    return out


def test_a_run_with_a_router_cuts_as_that_checkpoint_does_and_trains_the_rest(trained: Path, tmp_path: Path) -> None:
    wider = replace(DYNAMIC, width=32, groups=5)  # the rest may have another size
    config = dynamic(tmp_path / "run", wider, router=str(trained), loss=LossConfig(grounding=1.0))
    inputs = replace(tiny_inputs(), router=open_router(str(trained))[0])
    train(config, inputs)
    lines = read(tmp_path / "run" / "log.jsonl")
    assert lines[-1]["contrastive"] < 0.8 * lines[0]["contrastive"]
    old, new = (load_model(where)[0].encoder.router for where in (trained, tmp_path / "run"))
    for name, tensor in old.state_dict().items():
        assert torch.equal(tensor, new.state_dict()[name]), name
    captions = ["a red ring", "there is a kite , it is pink"]
    cut = [textgroup.load(where).segment(captions) for where in (trained, tmp_path / "run")]
    assert cut[0] == cut[1]


def test_a_router_comes_with_its_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("a red ring\nthere is a kite , it is pink\n")
    config = RunConfig(out=str(tmp_path / "run"), router="packaged", image_encoder=None)
    config = replace(config, data=replace(config.data, captions=str(tmp_path / "captions.txt")))
    inputs = read_inputs(config)
    assert inputs.tokenizer.merges == load_model()[1].merges
    with pytest.raises(InputError, match=r"set tokenizer\.source to null"):
        replace(config, tokenizer=replace(config.tokenizer, source="x"))


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (replace(DYNAMIC, router_width=8), r"\(16, 24\) there and \(8, 24\) here"),
        (replace(DYNAMIC, kind="grouping"), "kind grouping has no router"),
    ],
)
def test_what_does_not_fit_a_router_is_refused(
    trained: Path, tmp_path: Path, encoder: EncoderConfig, message: str
) -> None:
    inputs = replace(tiny_inputs(), router=open_router(str(trained))[0])
    with pytest.raises(InputError, match=message):
        build_model(dynamic(tmp_path, encoder, router=str(trained)), inputs)


def test_a_checkpoint_without_a_router_is_no_router(tmp_path: Path) -> None:
    train(replace(tiny_config(tmp_path / "fixed"), optim=replace(tiny_config(tmp_path).optim, epochs=2)), tiny_inputs())
    inputs = replace(tiny_inputs(), router=open_router(str(tmp_path / "fixed"))[0])
    with pytest.raises(InputError, match="kind grouping has none"):
        build_model(dynamic(tmp_path, router="fixed", loss=LossConfig()), inputs)
