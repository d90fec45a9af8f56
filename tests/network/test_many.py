"""Many networks and containers at the same time: none gets in another's way, nothing is left, limits are explained."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tests.network.conftest import LOCALHOST, tcp
from tests.network.user_networks import ask, clean, define
from tests.support import needs, ports
from tests.support.engine import Podpy

AT_A_TIME = 4
ANSWER = ("nc", "-ll", "-p", "80", "-e", "hostname")


def rows(podpy: Podpy) -> dict[str, int]:
    """Return how many rows the tables of attachments and addresses have."""
    with closing(sqlite3.connect(podpy.graphroot / "podpy.sqlite")) as database:
        tables = ("network_attachments", "network_addresses")
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def test_networks_are_made_used_and_removed_in_parallel(podpy: Podpy, busybox: str) -> None:
    def live(number: int) -> str:
        name = f"n{number}"
        podpy.ok("network", "create", name)
        podpy.ok("run", "-d", f"--name=c{number}", "--network", name, busybox, *ANSWER)
        found = podpy.ok("run", "--rm", "--network", name, busybox, "nc", "-w", "60", f"c{number}", "80")
        podpy.ok("rm", "-f", "-t0", f"c{number}")
        podpy.ok("network", "rm", name)
        return found

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        found = list(pool.map(live, range(8)))
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in found) and len(set(found)) == 8
    assert podpy.ok("network", "ls", "-q") == "podman"
    assert clean(podpy) and set(rows(podpy).values()) == {0}


def test_containers_with_ports_four_at_a_time_and_nothing_is_left(podpy: Podpy, busybox: str) -> None:
    net, count = define(podpy, "net"), 16
    first = ports.free(count)

    def start(number: int) -> str:
        options = [f"--name=c{number}", f"--hostname=h{number}", "-p", f"{first + number}:80"]
        return podpy.ok("run", "-d", *options, "--network", net, busybox, *ANSWER)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        ids = list(pool.map(start, range(count)))
    assert rows(podpy)["network_addresses"] == count
    assert [tcp(first + number, LOCALHOST).strip() for number in range(count)] == [f"h{n}" for n in range(count)]
    assert [ask(podpy, "c0", f"c{number}") for number in (1, count - 1)] == ["h1", f"h{count - 1}"]
    podpy.ok("rm", "-f", "-a", "-t", "0")
    assert set(rows(podpy).values()) == {0} and clean(podpy)
    assert not [path for path in (podpy.runroot / "containers").glob("*") if path.name in ids]


def test_too_few_inotify_instances_are_named(podpy: Podpy, busybox: str) -> None:
    needs.require("mount")
    net = define(podpy, "net")
    podpy.ok("run", "-d", "--name=other", "--network", net, busybox, *ANSWER)
    command = ["run", "-d", "--network", net, "-p", f"{ports.free()}:80", busybox, *ANSWER]
    inside = ["nsenter", "-t", (podpy.runroot / "holder").read_text().split()[0], "--user"]
    limit = "/proc/sys/user/max_inotify_instances"  # of the user namespace that all of this podpy is in
    subprocess.run([*inside, "sh", "-c", f"echo 1 > {limit}"], check=True)
    podpy(*command).fails(126, "podpy-forward: ", "Too many open files", "sysctl -w fs.inotify.max_user_instances=1024")
    subprocess.run([*inside, "sh", "-c", f"echo 100 > {limit}"], check=True)
    podpy.ok(*command)
