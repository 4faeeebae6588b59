"""Scenes to look at, made once."""

import pytest

from tests.data.scenes.reading import some
from textgroup.data.scenes.scene import Scene


@pytest.fixture(scope="session")
def train() -> list[Scene]:
    return some(2000)


@pytest.fixture(scope="session", name="test")
def unseen() -> list[Scene]:
    return some(1000, split="test")
