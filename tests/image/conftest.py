"""Fixtures for images: keys, a registry that misbehaves, small images, one whose layer is large enough to be cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.odd_registry import OddRegistry
from tests.support.images import Image, Layer
from tests.support.signing import Gpg, OpensslKey


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


@pytest.fixture(scope="session")
def gpg(session_base: Path) -> Iterator[Gpg]:
    """The GPG keys."""
    directory = session_base / "gpg"
    directory.mkdir(mode=0o755)
    keys = Gpg(directory / "home")
    yield keys
    keys.close()


@pytest.fixture(scope="session")
def ec_key(session_base: Path) -> OpensslKey:
    """An ECDSA P-256 key, as cosign makes them."""
    return OpensslKey(session_base, "ec", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")
