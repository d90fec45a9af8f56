"""`config_of`: the config.json that `build` makes for a spec, on an ordinary rootless host. `guest`: a program."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from podpy.config.containers_conf import ContainersConf
from podpy.oci.document import build as oci
from podpy.oci.document.context import BundleContext, HostFacts, Limit
from podpy.spec.container import ContainerSpec
from podpy.spec.defaults import with_defaults
from tests.support.engine import CHECKOUT

ConfigOf = Callable[..., dict[str, Any]]

HOST = HostFacts(
    rootless=True,
    limits={
        "NOFILE": Limit(soft=1024, hard=20000),
        "NPROC": Limit(soft=32768, hard=32768),
        "CORE": Limit(soft=0, hard=-1),
    },
    environment={},
)
CONTEXT = BundleContext(container_id="0123456789abcdef" * 4, rootfs="/rootfs", host=HOST)


@pytest.fixture
def config_of() -> ConfigOf:
    """Return config.json for fields of the spec; `host`, `context` and `conf` change what surrounds it."""

    def build(
        *,
        host: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        conf: dict[str, Any] | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        surroundings = CONTEXT.replace(host=HOST.replace(**(host or {})), **(context or {}))
        asked = ContainerSpec(**{"command": ["true"], **fields})
        return oci.build(with_defaults(asked, ContainersConf(conf), {}, rootless=True), surroundings)

    return build


def mount_at(config: dict[str, Any], target: str) -> dict[str, Any]:
    """Return the one mount at `target`. AssertionError if there isn't exactly one."""
    found: list[dict[str, Any]] = [mount for mount in config["mounts"] if mount["destination"] == target]
    assert len(found) == 1, f"{len(found)} mounts at {target}"
    return found[0]


def namespaces(config: dict[str, Any]) -> dict[str, str]:
    """Return the namespaces that the container gets, with the path of those that it joins."""
    return {entry["type"]: entry.get("path", "") for entry in config["linux"]["namespaces"]}


@pytest.fixture(scope="session")
def guest(session_base: Path) -> Path:
    """A directory with the static program `sockets`, to be mounted."""
    directory = session_base / "guest"
    directory.mkdir(mode=0o755)
    flags = ["-static", "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, str(CHECKOUT / "tests/oci/sockets.c"), "-o", str(directory / "sockets")], check=True)
    return directory
