"""Networks to put containers on, written as netavark's files, and what is said about containers there."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from tests.support import wait
from tests.support.engine import Podpy


def define(podpy: Podpy, name: str, *subnets: dict[str, Any], **keys: Any) -> str:
    """Write a network's definition, and return its name. Subnets as netavark has them; other keys replace the usual."""
    directory = podpy.data_home / "containers/storage/networks"
    for path in reversed([directory, *directory.relative_to(podpy.data_home).parents]):
        (podpy.data_home / path).mkdir(mode=0o700, exist_ok=True)
        os.chown(podpy.data_home / path, podpy.user.uid, podpy.user.gid)
    number = len([*directory.glob("*.json")])
    definition = {
        "name": name,
        "id": hashlib.sha256(name.encode()).hexdigest(),
        "driver": "bridge",
        "network_interface": f"podman{number + 1}",
        "created": "2026-12-01T08:44:49.289982284Z",
        "subnets": list(subnets) or [{"subnet": f"10.89.{number}.0/24", "gateway": f"10.89.{number}.1"}],
        "ipv6_enabled": any(":" in subnet["subnet"] for subnet in subnets),
        "internal": False,
        "dns_enabled": True,
        "ipam_options": {"driver": "host-local"},
        **keys,
    }
    path = directory / f"{name}.json"
    path.write_text(json.dumps(definition))
    os.chown(path, podpy.user.uid, podpy.user.gid)
    return name


def addresses(podpy: Podpy, container: str) -> dict[str, str]:
    """Return a container's IPv4 addresses by its networks."""
    found = podpy.json("inspect", container)[0]["NetworkSettings"]["Networks"] or {}
    return {name: network["IPAddress"] for name, network in found.items()}


def serve(podpy: Podpy, container: str, port: int = 80) -> None:
    """Let a container with busybox answer each TCP client with its host name."""
    podpy.ok("exec", "-d", container, "nc", "-ll", "-p", str(port), "-e", "hostname")
    wait.until(lambda: f":{port:04X} " in podpy.ok("exec", container, "cat", "/proc/net/tcp6"), what="it listens")


def ask(podpy: Podpy, container: str, address: str, port: int = 80) -> str:
    """Return what an address answers to a container; an empty text if nobody does."""
    return podpy("exec", container, "nc", "-w", "3", address, str(port)).stdout.strip()


def clean(podpy: Podpy) -> bool:
    """Return whether nothing is left of the namespace of all bridges."""
    directory = podpy.runroot / "networks"
    return not (directory / "netns").exists() and not [*(directory / "names").glob("*")]
