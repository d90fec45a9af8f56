"""Programs ask `podman` for its version and choose their options by it."""

from __future__ import annotations

import pytest

from podpy.libpod.system.info import API_VERSION
from podpy.version import VERSION
from tests.drivers.conftest import Machine


@pytest.mark.parametrize("name", ["podman", "docker"])
def test_called_by_a_link_it_says_which_podman_it_is_like(machine: Machine, name: str) -> None:
    """Ansible's collection reads the last word, Jenkins three numbers; both take 0.1.0 for one of long ago."""

    def says(*args: str) -> str:
        return machine.run([name, *args]).ok()

    assert says("--version") == says("-v") == f"podman version {API_VERSION}"
    assert says("version", "--format", "{{.Client.Version}} {{.Server.Version}}") == f"{API_VERSION} {API_VERSION}"
    assert says("version").startswith("Client:       Podman Engine\n")
    assert says("info", "--format", "{{.Version.Version}}") == API_VERSION


def test_by_its_own_name_it_says_its_own_version(machine: Machine) -> None:
    assert machine.podpy.ok("--version") == f"podpy version {VERSION}"
    assert machine.podpy.ok("info", "--format", "{{.Version.Version}}") == VERSION
    assert machine.podpy.ok("version", "--format", "{{.Client.Version}}") == VERSION
