"""A whole store that an older podpy (commit b32718e) made goes on with this one: tests/data/store-b32718e.tar.xz.

Its containers, all of `hello`: plain (a label, a port), volumes (named, anonymous), ended (has run), joining (the
network and pid namespaces of plain), gone (--rm, never started), kept (--restart=on-failure:3).
"""

from __future__ import annotations

import os
import sqlite3
import subprocess

import pytest

from tests.support.engine import CHECKOUT, Podpy

STORE = CHECKOUT / "tests/data/store-b32718e.tar.xz"


@pytest.fixture
def old(podpy: Podpy) -> Podpy:
    """podpy with the old store."""
    target = podpy.data_home / "containers"
    target.mkdir()
    subprocess.run(["tar", "-xJf", STORE, "-C", target, "--no-same-owner"], check=True)
    (target / "podpy/runroot").unlink()  # it names the directory of another machine, as do the rows
    with sqlite3.connect(target / "podpy/podpy.sqlite") as connection:
        moved = "replace(log_path, '/var/tmp/oldstore/home/.local/share', ?)"
        connection.execute(f"UPDATE containers SET log_path = {moved}", (str(podpy.data_home),))
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{podpy.user.uid}:{podpy.user.gid}", target], check=True)
    return podpy


def test_its_containers_are_listed_and_inspected(old: Podpy) -> None:
    names = old.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}").split("\n")
    assert sorted(line.split()[0] for line in names) == ["ended", "gone", "joining", "kept", "plain", "volumes"]
    assert old.ok("inspect", "kept", "--format", "{{.HostConfig.RestartPolicy}}") == "{on-failure 3}"
    assert old.ok("ps", "-a", "--filter", "restart-policy=on-failure", "--format", "{{.Names}}") == "kept"


def test_its_containers_start_and_are_removed(old: Podpy) -> None:
    assert "Hello from a container" in old.ok("start", "-a", "ended")
    assert "Hello from a container" in old.ok("start", "-a", "gone")
    old("inspect", "gone").fails(125)
    old.ok("rm", "volumes", "--volumes")
    old.ok("rm", "ended", "kept")
    assert "named" in old.ok("system", "df", "-v")
    assert old.ok("system", "check").count("\n") <= 1


def test_a_container_in_anothers_namespace_still_depends_on_it(old: Podpy) -> None:
    assert "has dependent containers" in old("rm", "plain").fails(125).stderr
    old.ok("rm", "--depend", "plain")
    assert "joining" not in old.ok("ps", "-a", "--format", "{{.Names}}").split()


def test_its_names_are_taken(old: Podpy) -> None:
    old("create", "--name", "plain", "hello").fails(125, "already in use")
    old.ok("rename", "kept", "other")
    old.ok("create", "--name", "kept", "hello")
