"""Fixtures for images: a registry that misbehaves, small images, and one whose layer is large enough to be cut."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.image.odd_registry import OddRegistry
from tests.support.images import Image, Layer


@pytest.fixture
def odd() -> Iterator[OddRegistry]:
    """An empty registry of ours on 127.0.0.1, speaking HTTP."""
    with OddRegistry.start() as registry:
        yield registry


@pytest.fixture
def other() -> Iterator[OddRegistry]:
    """A second one: where the first redirects to, or its mirror."""
    with OddRegistry.start() as registry:
        yield registry


@pytest.fixture(scope="session")
def bulky() -> Image:
    """One layer of about 1 MB that doesn't compress."""
    data = random.Random(1).randbytes(1_000_000)
    return Image([Layer().add("data", mode=0o755).add("data/file", data).tar()])


@pytest.fixture(scope="session")
def small() -> Image:
    """Two layers with one file each."""
    first = Layer().add("etc", mode=0o755).add("etc/one", b"1").tar()
    second = Layer().add("etc", mode=0o755).add("etc/two", b"2").tar()
    settings = {
        "Cmd": ["/bin/x"],
        "Env": ["A=1"],
        "Labels": {"color": "red"},
        "ExposedPorts": {"80/tcp": {}},
        "User": "7",
    }
    return Image([first, second], settings)
