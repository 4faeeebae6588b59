"""Pictures, weights and a configuration of a run that trains an image tower."""

from pathlib import Path

import pytest

from tests.training.exactness.joint_runs import SMALL, joint_config, picture
from tests.training.tiny import COLOURS, SHAPES
from textgroup.config.run import RunConfig
from textgroup.vision.encoders.tower import ImageTower


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen pictures of one coloured thing, each with two captions, and a broken one: a table."""
    folder = tmp_path_factory.mktemp("pictures")
    lines = ["image\tcaption"]
    for colour in COLOURS:
        for shape in SHAPES:
            picture(colour, shape).save(folder / f"{colour}-{shape}.png")
            lines += [f"{colour}-{shape}.png\ta {colour} {shape}"]
            lines += [f"{colour}-{shape}.png\tthere is a {shape} , it is {colour}"]
    (folder / "broken.png").write_bytes((folder / "red-ring.png").read_bytes()[:60])
    (folder / "captions.tsv").write_text("\n".join([*lines, "broken.png\ta green ring"]) + "\n")
    return folder / "captions.tsv"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights that a run begins with."""
    where = tmp_path_factory.mktemp("start") / "groupvit"
    ImageTower.random(0, **SMALL).model.save_pretrained(where)
    return where


@pytest.fixture
def config(tmp_path: Path, pictures: Path, start: Path) -> RunConfig:
    return joint_config(tmp_path / "run", pictures, start)
