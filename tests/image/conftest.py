"""Fixtures for images: keys, a registry that misbehaves, small images, one whose layer is large enough to be cut."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.odd_registry import INDEX_TYPE, OddRegistry
from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE, MANIFEST_TYPE, Image, Layer, sha256
from tests.support.registry import Registry
from tests.support.signing import Gpg, OpensslKey

OTHER = "arm64" if ARCHITECTURE != "arm64" else "amd64"


@pytest.fixture
def place(podpy: Podpy) -> Path:
    """A directory of the user's own."""
    path = podpy.home / "out"
    podpy.run(["mkdir", str(path)]).ok()
    return path


@pytest.fixture
def shelf(session_base: Path) -> Path:
    """A directory that the user can only read."""
    path = session_base / f"shelf-{os.urandom(4).hex()}"
    path.mkdir(mode=0o755)
    return path


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


@pytest.fixture
def two(podpy: Podpy, small: Image, bulky: Image, session_base: Path) -> tuple[str, str]:
    """localhost/here and localhost/other (of another architecture) are in the store; their manifests' digests."""
    other = Image(bulky.layers, bulky.settings, OTHER)
    archives = [
        small.write_oci_archive(session_base / "list-1.tar", "localhost/here:latest"),
        other.write_oci_archive(session_base / "list-2.tar", "localhost/other:latest"),
    ]
    for archive in archives:
        podpy.ok("load", "-i", str(archive))
    return sha256(small.blobs()[0]), sha256(other.blobs()[0])


@pytest.fixture
def index(registry: Registry, small: Image, bulky: Image) -> str:
    """A registry's index x/all:1 with this machine's image and one for another; its name."""
    images = {ARCHITECTURE: small, OTHER: Image(bulky.layers, bulky.settings, OTHER)}
    described = []
    for architecture, image in images.items():
        digest = registry.push("x/all", architecture, image)
        platform = {"architecture": architecture, "os": "linux"}
        size = len(image.blobs()[0])
        described.append({"mediaType": MANIFEST_TYPE, "digest": digest, "size": size, "platform": platform})
    document = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": described}
    registry.push_manifest("x/all", "1", json.dumps(document).encode(), INDEX_TYPE)
    return f"{registry.address}/x/all:1"
