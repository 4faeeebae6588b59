"""Configurations: the shipped ones hold and build, the paper's is the paper's, and mistakes are told."""

import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml

from textgroup.config.command_line import SHIPPED, load_run, save_run
from textgroup.config.run import RunConfig
from textgroup.errors import InputError
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.build import check_model

CONFIGS = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
VARIANTS = sorted(path.stem for path in (SHIPPED / "variants").glob("*.yaml"))


def load_variant(base: str, variant: str) -> RunConfig:
    """A variant on top of a configuration."""
    return load_run(["--config", str(SHIPPED / f"{base}.yaml"), "--config", str(SHIPPED / f"variants/{variant}.yaml")])


@pytest.mark.parametrize("name", CONFIGS)
def test_every_shipped_configuration_loads_and_builds_its_model(name: str) -> None:
    config = load_run(["--config", str(SHIPPED / f"{name}.yaml")])
    model = TextGroupModel(**vars(config.model), vocabulary=600, image_width=8)
    assert model.parameter_counts()["total"] > 0
    assert Path(config.out).name == name


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("base", ["paper", "scenes_paper", "scenes_fixed", "flickr8k_fixed"])
def test_every_variant_fits_every_configuration_with_groups(base: str, name: str) -> None:
    config = load_variant(base, name)
    model = TextGroupModel(**vars(config.model), vocabulary=600, image_width=8)
    assert model.parameter_counts()["total"] > 0
    assert Path(config.out).name == name
    check_model(config)


def test_a_shipped_configuration_is_found_by_its_name_and_a_file_of_that_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = load_run(["--config", str(SHIPPED / "units.yaml"), "--seed", "3"])
    (tmp_path / "units").mkdir()  # a directory is no configuration
    assert load_run(["--config", "units", "--seed", "3"]) == load_run(["--config=units", "--seed=3"]) == shipped
    (tmp_path / "units").rmdir()
    (tmp_path / "units").write_text("out: mine\n")
    assert load_run(["--config", "units"]).out == "mine"


@pytest.mark.parametrize("name", ["unit", "shipped/units", "../units", ""])
def test_a_configuration_that_is_not_there_is_answered_with_those_that_come_with_the_package(name: str) -> None:
    with pytest.raises(InputError, match=r"there is no such file; .* are .*baseline, .*, units"):
        load_run(["--config", name])


def test_fields_may_be_spelt_with_dashes_as_the_options_of_other_commands_are() -> None:
    words = ["--data.image-column", "photo", "--optim.batch-size=7", "--out", "runs/a-b", "--data.captions=my-own.txt"]
    config = load_run(["--config", "units", *words])
    assert (config.data.image_column, config.optim.batch_size) == ("photo", 7)
    assert (config.out, config.data.captions) == ("runs/a-b", "my-own.txt"), "values stay as they are"


def test_the_configurations_of_the_papers_tables_are_there() -> None:
    assert {"paper", "scenes", "scenes_paper", "flickr8k"} <= set(CONFIGS)
    assert {"baseline", "no_contrastive", "no_reconstruction", "k1", "k2", "k8", "k16"} <= set(VARIANTS)


def test_the_paper_is_section_4_1() -> None:
    c = load_run(["--config", str(SHIPPED / "paper.yaml")])
    encoder, decoder = c.model.encoder, c.model.decoder
    assert decoder is not None
    assert (encoder.layers_before, encoder.layers_after, encoder.heads, encoder.width) == (6, 3, 4, 128)
    assert (encoder.groups, encoder.max_tokens) == (4, 77)
    assert (decoder.layers, decoder.heads, c.model.embedding) == (1, 1, 256)
    assert (c.loss.temperature, c.loss.reconstruction) == (0.07, 1.0)
    assert (c.optim.batch_size, c.optim.epochs, c.optim.lr, c.optim.warmup_epochs) == (4096, 25, 1.6e-3, 2)
    assert (decoder.bottleneck, decoder.noise, c.loss.balance, c.loss.contiguity) == (None, 0, 0, 0)
    assert c.image_encoder == "groupvit:nvidia/groupvit-gcc-yfcc"


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("baseline", {"model.encoder.kind"}),
        ("no_contrastive", {"data.features", "image_encoder"}),
        ("shuffled_images", {"data.shuffle_images"}),
        ("no_reconstruction", {"model.decoder", "loss.reconstruction"}),
        ("k1", {"model.encoder.groups"}),
        ("k2", {"model.encoder.groups"}),
        ("k8", {"model.encoder.groups"}),
        ("k16", {"model.encoder.groups"}),
    ],
)
def test_an_ablation_changes_what_it_says_and_nothing_else(name: str, changed: set[str]) -> None:
    from textgroup.config.command_line import to_dict

    def flat(tree: dict, prefix: str = "") -> dict:  # type: ignore[type-arg]
        out: dict = {}  # type: ignore[type-arg]
        for key, value in tree.items():
            out |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        return out

    paper = flat(to_dict(load_run(["--config", str(SHIPPED / "paper.yaml")])))
    ablated = flat(to_dict(load_variant("paper", name)))
    different = {key for key in paper.keys() | ablated.keys() if paper.get(key) != ablated.get(key)} - {"out"}
    assert {key for key in different if not any(key == c or key.startswith(f"{c}.") for c in changed)} == set()
    assert different


def test_the_command_line_overrides_the_file() -> None:
    words = ["--config", str(SHIPPED / "paper.yaml"), "--optim.lr", "1e-4", "--model.encoder.groups", "2"]
    config = load_run(words)
    assert (config.optim.lr, config.model.encoder.groups, config.optim.batch_size) == (1e-4, 2, 4096)


def test_a_saved_run_reads_back_as_it_was(tmp_path: Path) -> None:
    config = load_run(["--config", str(SHIPPED / "scenes.yaml"), "--seed", "3"])
    save_run(config, tmp_path / "config.yaml")
    assert load_run(["--config", str(tmp_path / "config.yaml")]) == config


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--optim.lr", "fast"], "optim.lr"),
        (["--optim.lr", "-1"], "optim.lr must be positive, not -1"),
        (["--optim.speed", "1"], "optim.speed"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--model.encoder.block", "gvit"], "model.encoder.block"),
        (["--model.encoder.width", "30"], "multiple of model.encoder.heads"),
        (["--data.val_features", "x"], "data.val_captions"),
        (["--optim.warmup_epochs", "-1"], "optim.warmup_epochs must not be negative: -1"),
        (["--out", ""], "out is empty"),
        (["--data.captions", " "], "data.captions is empty: give a value or null"),
        (["--data.tokens", ""], "data.tokens is empty"),
        (["--optim.betas", "[2,3]"], "optim.betas"),
        (["--model.encoder.width", "1000000000"], "model.encoder.width must be at most 65,536, not 1e+09"),
        (["--optim.chunk", "0.5"], "optim.chunk must be a whole number or null, not 0.5"),
        (["--model.decoder.layers", "null"], "model.decoder.layers is null"),
        (["--loss.temperature", "0"], "loss.temperature"),
        (["--loss.written", "0"], "loss.written must be above 0 and at most 1, not 0"),
        (["--loss.written", "0.5", "--loss.reduction", "sum"], "set loss.written to 1"),
        (["--loss.paraphrase", "1", "--loss.alignment", "1"], "loss.paraphrase with loss.alignment"),
        (["--loss.paraphrase", "1", "--optim.batch_size", "7"], "optim.batch_size 7"),
        (["--model.decoder.word_dropout", "1.5"], "word_dropout"),
        (["--log.every", "0"], "log.every"),
        (["--seed", "-1"], "seed -1"),
        (["--seed", str(2**64)], "seed 18446744073709551616"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_field(words: list[str], named: str) -> None:
    with pytest.raises(InputError) as caught:
        load_run(words)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def fields_of(config: Any, prefix: str = "") -> dict[str, Any]:
    """The fields of a configuration and of its sections, with their types."""
    found: dict[str, Any] = {}
    for name, kind in get_type_hints(config).items():
        found[prefix + name] = kind
        for inner in (kind, *get_args(kind)):
            if is_dataclass(inner):
                found |= fields_of(inner, f"{prefix}{name}.")
    return found


ALL_FIELDS = fields_of(RunConfig)


@pytest.mark.parametrize("name", [name for name, kind in ALL_FIELDS.items() if type(None) not in get_args(kind)])
def test_null_in_a_file_is_refused_where_a_value_is_needed(name: str, tmp_path: Path) -> None:
    outer: Any = None
    for part in reversed(name.split(".")):
        outer = {part: outer}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(outer), encoding="utf-8")
    with pytest.raises(InputError, match=rf"^{re.escape(name)} is null: "):
        load_run(["--config", str(tmp_path / "run.yaml")])


def test_a_file_that_is_no_yaml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("optim: {lr: [1, 2\nx")
    with pytest.raises(InputError) as caught:
        load_run(["--config", str(tmp_path / "bad.yaml")])
    assert "\n" not in str(caught.value)


def test_the_help_of_train_names_every_field_and_explains_it_by_name() -> None:
    from textgroup.config.command_line import to_dict
    from textgroup.config.help import train_help

    overview = train_help()
    groups = [name for name, value in to_dict(RunConfig()).items() if isinstance(value, dict)]
    assert len(overview.splitlines()) < 60
    for name in (*groups, "model.encoder"):
        assert f"\n  {name}" in overview
    assert "--loss.written NUMBER" in train_help("loss")
    assert "--loss.written" not in train_help("optim")
    one = train_help("model.encoder.residual")
    assert "--model.encoder.residual groups|none   (default: groups)" in one
    assert one.count("--") == 1
    assert "--seed WHOLE" in train_help("run")
    with pytest.raises(InputError, match="--help speed: there is no such field; groups are run, model"):
        train_help("speed")


def test_directories_of_the_user_are_written_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    config = load_run(["--out", "~/runs/x", "--data.tokens", "~/tokens"])
    assert (config.out, config.data.tokens, config.data.features) == ("/home/ada/runs/x", "/home/ada/tokens", None)
    with pytest.raises(InputError, match=r"^~nobody-of-this-name/x: .*write the path in full"):
        load_run(["--out", "~nobody-of-this-name/x"])
