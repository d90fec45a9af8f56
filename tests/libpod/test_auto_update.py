"""auto-update and rollback, as far as they need no systemd: whose containers they leave alone, the history, prune."""

from __future__ import annotations

from pathlib import Path

import pytest

from podpy.libpod.updates.table import (
    BY_HAND,
    FAILED,
    PULLING,
    ROLLED_BACK,
    ROLLING_BACK,
    UPDATED,
    Update,
    UpdateTable,
)
from podpy.storage.database.database import Database
from podpy.systemd.unit import is_in
from tests.storage.stores import paths_under
from tests.support.engine import Podpy

LABEL = "--label=io.containers.autoupdate="


@pytest.fixture
def table(tmp_path: Path) -> UpdateTable:
    return UpdateTable(Database.open(paths_under(tmp_path)))


def update(former: str, new: str, *, policy: str = "registry", container: str = "web") -> Update:
    return Update(
        container=container,
        container_id="1",
        unit="web.service",
        manager="user",
        image="quay.io/app:1",
        policy=policy,
        former_id=former,
        former_digest="",
        new_id=new,
    )


def test_without_containers_that_ask_for_it_nothing_is_done(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--stop-timeout=0", busybox, "sleep", "1000")
    podpy.ok("create", "--network=none", f"{LABEL}local", busybox)  # it doesn't run
    podpy.ok("run", "-d", "--network=none", "--stop-timeout=0", f"{LABEL}disabled", busybox, "sleep", "1000")
    assert podpy.ok("auto-update") == ""
    assert podpy.ok("auto-update", "--format=json") == "[]"
    assert podpy.ok("auto-update", "--history", "--format=json") == "[]"
    podpy.ok("rm", "-aft0")


def test_what_cannot_be_updated_is_told_for_each_container(podpy: Podpy, busybox: str) -> None:
    run = ("run", "-d", "--network=none", "--stop-timeout=0")
    first = podpy.ok(*run, f"{LABEL}local", busybox, "sleep", "1000")
    second = podpy.ok(*run, f"{LABEL}local", busybox, "sleep", "1000", env={"PODMAN_SYSTEMD_UNIT": "init.scope"})
    third = podpy.ok(*run, f"{LABEL}local", "--label=PODMAN_SYSTEMD_UNIT=x.service", busybox, "sleep", "1000")
    podpy.ok(*run, f"{LABEL}often", busybox, "sleep", "1000")
    done = podpy("auto-update").fails(125)
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith("Error: ")] == [
        f'Error: auto-updating container "{first}": no PODMAN_SYSTEMD_UNIT label found',
        f'Error: auto-updating container "{second}": it doesn\'t run in its unit init.scope',
        f'Error: auto-updating container "{third}": no PODMAN_SYSTEMD_UNIT label found',
        'Error: invalid auto-update policy "often": valid policies are ["disabled" "image" "local" "registry"]',
    ]
    podpy.ok("rm", "-aft0")


def test_mistakes_are_told(podpy: Podpy, busybox: str) -> None:
    podpy("auto-update", "web").fails(125, "`podpy auto-update` takes no arguments")
    podpy("auto-update", "--format={{.Nope}}").fails(125, "Nope")
    podpy("rollback", "web").fails(125, 'no container with name or ID "web" found: no such container')
    podpy.ok("create", "--name=web", busybox)
    podpy("rollback", "web").fails(125, "no former image of container web is known")


def test_without_the_timer_the_status_says_what_is_missing(podpy: Podpy) -> None:
    status = podpy("system", "auto-update", "status").fails(1).stdout
    assert status.startswith("Timer: not enabled\nNext: never\n")
    assert "Still missing: podpy system auto-update enable\n" in status


def test_a_units_cgroup_is_known_by_its_name() -> None:
    top = "/user.slice/user-1000.slice/user@1000.service"
    assert is_in(f"{top}/app.slice/web.service/runtime", "web.service")
    assert is_in("/system.slice/_cpu.service", "cpu.service")
    assert not is_in(f"{top}/app.slice/web.service.d/runtime", "web.service")
    assert not is_in(f"{top}/app.slice/web.service/runtime", "user@1000.service")
    assert not is_in(f"{top}/app.slice/web.service/runtime", "app.slice")
    assert not is_in("", "")


def test_the_image_that_was_given_up_is_remembered_until_it_is_taken_again(table: UpdateTable) -> None:
    table.end(table.add(update("a", "b")), ROLLED_BACK)
    assert table.given_up("quay.io/app:1", "b") is not None
    assert table.given_up("quay.io/app:1", "a") is None
    assert table.given_up("quay.io/app:2", "b") is None
    table.end(table.add(update("a", "b")), UPDATED)
    assert table.given_up("quay.io/app:1", "b") is None
    table.end(table.add(update("b", "a", policy=BY_HAND)), UPDATED)
    assert table.given_up("quay.io/app:1", "b") is not None
    assert table.given_up("quay.io/app:1", "a") is None
    table.end(table.add(update("a", "c", policy=BY_HAND)), ROLLED_BACK)  # the one that came back wasn't given up
    assert table.given_up("quay.io/app:1", "a") is None


def test_what_a_killed_call_was_doing_is_known(table: UpdateTable) -> None:
    rows = [table.add(update("a", "b", container=name)) for name in ("one", "two", "three")]
    table.change(rows[0], result=ROLLING_BACK)
    table.end(rows[1], FAILED, "why")
    assert [(row.container, row.result) for row in table.unfinished()] == [("one", ROLLING_BACK), ("three", PULLING)]
    assert [row.container for row in table.history()] == ["one", "two", "three"]
    assert table.kept_images() == {"a", "b"}


def test_a_thousand_updates_are_remembered(table: UpdateTable) -> None:
    for _ in range(1100):
        table.end(table.add(update("a", "b")), UPDATED)
    assert len(table.history()) == 1000
