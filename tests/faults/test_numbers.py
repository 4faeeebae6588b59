"""Every number of a configuration, with values that make no sense: one line, or a run that does not break."""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.command_line import load_run
from textgroup.config.model import DecoderConfig
from textgroup.config.run import RunConfig
from textgroup.errors import InputError
from textgroup.training.loop import train
from textgroup.training.runs.progress import Progress


def numbers(kind: type[Any], prefix: str = "") -> Iterator[str]:
    """The dotted names of all fields that may hold a number."""
    for field in fields(kind):
        hint = get_type_hints(kind)[field.name]
        kinds = {hint, *get_args(hint)}
        inner = next((one for one in kinds if is_dataclass(one)), None)
        if inner is not None:
            yield from numbers(inner, f"{prefix}{field.name}.")  # type: ignore[arg-type]
        elif kinds & {int, float}:
            yield prefix + field.name


NUMBERS = tuple(numbers(RunConfig))


def with_field(config: Any, name: str, value: Any) -> Any:
    """The configuration with another value of the field of this dotted name."""
    first, _, rest = name.partition(".")
    return replace(config, **{first: with_field(getattr(config, first), rest, value) if rest else value})


def test_the_table_is_not_empty() -> None:
    assert len(NUMBERS) > 35
    assert {"optim.lr", "model.decoder.bottleneck", "seed", "log.every"} <= set(NUMBERS)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, 10**30, 1e300])
@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_may_be_infinite_negative_or_a_slip_of_the_keyboard(name: str, value: float) -> None:
    with pytest.raises(InputError) as told:
        with_field(RunConfig(), name, value)
    assert name in str(told.value)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 200


@pytest.mark.parametrize(
    "word", ["x", "", "null", "[2, 3]", "{a: 1}", "1e400", "9" * 400, "0x", "1_0", "-", "true", "--"]
)
@pytest.mark.parametrize("name", ["optim.lr", "optim.batch_size", "optim.chunk", "model.decoder.heads", "seed"])
def test_what_is_no_number_is_one_line(name: str, word: str) -> None:
    try:
        load_run([f"--{name}={word}"])
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 500


@pytest.mark.parametrize("width", ["model.encoder.width", "model.encoder.router_width", "model.embedding"])
def test_a_model_that_cannot_be_in_memory_is_refused_before_it_is_built(width: str, tmp_path: Path) -> None:
    config = with_field(tiny_config(tmp_path / "run"), width, 65_536)
    config = replace(config, model=replace(config.model, encoder=replace(config.model.encoder, kind="dynamic")))
    for layers in ("model.encoder.layers_after", "model.decoder.layers"):
        config = with_field(config, layers, 1_000)
    config = with_field(config, "model.encoder.router_hidden", 65_536)
    with pytest.raises(InputError, match=r"the model has [\d,]+ parameters; [\d,]+ GB are needed"):
        train(config, tiny_inputs())


class Enough(Exception):
    """Two steps are taken."""


def two_steps(report: Progress) -> None:
    if report.step == 2:
        raise Enough


@pytest.mark.slow
@pytest.mark.parametrize("value", [0, 1, 0.5, 1e-300, 1000, 10**9])
def test_a_number_that_is_accepted_trains(tmp_path: Path, value: float) -> None:
    """Or ends in a sentence, as a temperature of 1e-300 does."""
    inputs, base = tiny_inputs(), tiny_config(tmp_path / "run")
    whole = {name for name in NUMBERS if isinstance(of(base, name), int) or name.endswith(("chunk", "bottleneck"))}
    for number, name in enumerate(NUMBERS):
        if name in whole and value != int(value):
            continue
        with suppress(InputError, Enough):
            train(with_field(replace(base, out=str(tmp_path / str(number))), name, value), inputs, progress=two_steps)


def of(config: Any, name: str) -> Any:
    first, _, rest = name.partition(".")
    return of(getattr(config, first), rest) if rest else getattr(config, first)


def test_the_decoder_names_its_fields_too() -> None:
    with pytest.raises(InputError, match=r"^model\.decoder\.layers must be a whole number, not x$"):
        load_run(["--model.decoder.layers", "x"])
    with pytest.raises(InputError, match=r"model\.decoder\.noise must be a finite number"):
        DecoderConfig(noise=math.nan)
