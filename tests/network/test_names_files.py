"""What podpy writes for the resolver, and into the files of running containers."""

from __future__ import annotations

import fcntl
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from podpy.network.bridge import hosts, resolver
from podpy.network.bridge.resolver import Entry, Zone
from podpy.network.names import host_line, server_line
from tests.support import wait

FRONT = Zone(network="front", addresses=["10.5.0.1", "fd00:1::1"], servers=["1.1.1.1"])
ONE = Entry(container_id="a" * 64, v4=["10.5.0.77"], v6=["fd00:1::77"], names=["c3", "a" * 12, "c3"])
TWO = Entry(container_id="b" * 64, v4=["10.5.0.3"], names=["c2", "zz"], servers=["9.9.9.9"])
TEXT = (
    f"10.5.0.1,fd00:1::1 1.1.1.1\n{'a' * 64} 10.5.0.77 fd00:1::77 c3,{'a' * 12}\n{'b' * 64} 10.5.0.3  c2,zz 9.9.9.9\n"
)


@pytest.fixture
def directory(tmp_path: Path) -> str:
    return os.fspath(tmp_path)


def names(directory: str) -> dict[str, str]:
    """Return the folder's files with their texts."""
    return {path.name: path.read_text() for path in Path(directory, "names").iterdir()}


def test_a_networks_file_is_aardvarks(directory: str) -> None:
    resolver.write(directory, FRONT, [ONE, TWO])
    assert names(directory) == {"front": TEXT}


def test_containers_come_and_go(directory: str) -> None:
    resolver.add(directory, FRONT, TWO)
    resolver.add(directory, FRONT, ONE.replace(names=["old"]))
    resolver.add(directory, FRONT, ONE)
    assert sorted(names(directory)["front"].splitlines()) == sorted(TEXT.splitlines())
    resolver.remove(directory, "front", ONE.container_id)
    assert names(directory)["front"].splitlines()[1:] == TEXT.splitlines()[2:]
    resolver.remove(directory, "front", TWO.container_id)
    resolver.remove(directory, "front", TWO.container_id)
    assert names(directory) == {}


def test_an_internal_network_is_marked_and_stays_one_file(directory: str) -> None:
    resolver.add(directory, FRONT, ONE)
    resolver.add(directory, FRONT.replace(internal=True), TWO)
    assert list(names(directory)) == ["front%int"]
    assert len(names(directory)["front%int"].splitlines()) == 3
    resolver.remove(directory, "front", TWO.container_id)
    assert len(names(directory)["front%int"].splitlines()) == 2
    resolver.remove(directory, "front")
    assert names(directory) == {}


def test_a_host_name_that_nobody_can_ask_for_is_left_out(directory: str) -> None:
    resolver.write(directory, FRONT, [ONE.replace(names=["c3", "my host", "a,b", "x\nffff 10.5.0.9  forged"])])
    assert names(directory)["front"].splitlines()[1:] == [f"{'a' * 64} 10.5.0.77 fd00:1::77 c3"]


def test_a_network_without_names_has_no_file(directory: str) -> None:
    resolver.write(directory, FRONT, [ONE])
    resolver.write(directory, FRONT.replace(addresses=[]), [ONE])
    assert names(directory) == {}


def test_one_resolver_for_a_namespace_while_its_lock_is_held(directory: str) -> None:
    assert not resolver.is_alive(directory, 7)
    lock = resolver.take(directory, 7)
    assert resolver.is_alive(directory, 7)
    assert resolver.take(directory, 7) == -1
    assert not resolver.is_alive(directory, 8)
    next_one = resolver.take(directory, 8)  # the first is still on its way out
    assert resolver.is_alive(directory, 8)
    os.close(lock)
    assert resolver.is_alive(directory, 8)
    os.close(next_one)  # as a kill does
    assert not resolver.is_alive(directory, 8)
    os.close(resolver.take(directory, 8))


HOSTS = "127.0.0.1\tlocalhost\n# mine\n10.89.0.4\tabc web\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "hosts"
    path.write_text(HOSTS)
    return path


def lines(file: Path) -> list[str]:
    """Return the lines that count."""
    return [line.rstrip() for line in file.read_text().splitlines() if not line.startswith("#")]


def test_a_line_joins_at_the_end_and_leaves_in_place(file: Path) -> None:
    inode = file.stat().st_ino
    hosts.join(os.fspath(file), [host_line("10.89.1.3", ["abc", "web"])])
    assert file.read_text() == HOSTS + "10.89.1.3\tabc web\n"
    hosts.leave(os.fspath(file), ["10.89.0.4\tabc web"])
    assert file.read_text() == "127.0.0.1\tlocalhost\n# mine\n" + "#" * 17 + "\n10.89.1.3\tabc web\n"
    assert file.stat().st_ino == inode


def test_a_line_is_there_once_and_may_leave_twice(file: Path) -> None:
    hosts.join(os.fspath(file), ["10.89.0.4\tabc web"])
    assert file.read_text() == HOSTS
    hosts.leave(os.fspath(file), ["10.89.0.4\tabc web", "10.89.0.4\tabc web", "1.2.3.4\tnobody"])
    assert lines(file) == ["127.0.0.1\tlocalhost"]


def test_an_address_leaves_with_those_names_that_it_has(file: Path) -> None:
    file.write_text("1.2.3.4\tabc\n10.89.0.4\tweb\n10.89.0.4\tmine web\n10.89.0.5\tweb\n")
    hosts.forget(os.fspath(file), ["10.89.0.4"], ["abc", "web"])
    assert lines(file) == ["1.2.3.4\tabc", "10.89.0.4\tmine web", "10.89.0.5\tweb"]


def test_the_file_doesnt_grow_for_ever(file: Path) -> None:
    before = file.stat().st_size
    for number in range(2, 200):
        hosts.join(os.fspath(file), [f"10.89.0.{number}\tabc web"])
        hosts.leave(os.fspath(file), [f"10.89.0.{number}\tabc web"])
    hosts.join(os.fspath(file), ["10.89.0.5\tabc web"])
    assert lines(file) == ["127.0.0.1\tlocalhost", "10.89.0.5\tabc web"]
    assert file.stat().st_size <= before + 60


def test_a_last_line_without_newline_stays_whole(file: Path) -> None:
    file.write_text("1.2.3.4\tx")
    hosts.join(os.fspath(file), ["10.89.0.5\tabc"])
    assert file.read_text() == "1.2.3.4\tx\n10.89.0.5\tabc\n"


def test_resolv_conf_is_kept_in_the_same_way(file: Path) -> None:
    file.write_text("search dns.podman\nnameserver 10.89.0.1\n")
    hosts.join(os.fspath(file), [server_line("10.89.1.1")])
    hosts.leave(os.fspath(file), [server_line("10.89.0.1")])
    assert lines(file) == ["search dns.podman", "nameserver 10.89.1.1"]


def test_a_container_that_keeps_its_file_to_itself_keeps_nobody_waiting(file: Path) -> None:
    with file.open("r+") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        hosts.join(os.fspath(file), ["10.89.0.5\tabc"])
        assert lines(file)[-1] == "10.89.0.5\tabc"
    text = file.read_text()
    with file.open("r+") as theirs:
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # by which the kernel asks for the lease
        fcntl.fcntl(theirs, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        hosts.leave(os.fspath(file), ["10.89.0.5\tabc"])  # else it would wait for fs.lease-break-time
        fcntl.fcntl(theirs, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        signal.signal(signal.SIGIO, before)
    assert file.read_text() == text


def test_a_file_that_the_container_has_made_huge_is_read_in_part(file: Path) -> None:
    os.truncate(file, 1 << 40)
    hosts.correct(os.fspath(file), "10.89.0.9\tabc web\n")
    hosts.rewrite(os.fspath(file), "nameserver 10.89.0.1\n")
    with file.open() as there:
        assert there.readline() == "nameserver 10.89.0.1\n"


def test_a_container_without_the_file_has_its_own(tmp_path: Path) -> None:
    hosts.join(os.fspath(tmp_path / "hosts"), ["10.89.0.5\tabc"])
    hosts.leave(os.fspath(tmp_path / "nowhere/hosts"), ["10.89.0.5\tabc"])
    assert not any(tmp_path.iterdir())


FORK = multiprocessing.get_context("fork")  # since Python 3.14 the usual one starts another interpreter


def _rewrite(path: str, number: int, rounds: int) -> None:
    for _ in range(rounds):
        hosts.join(path, [f"10.89.{number}.1\twriter{number}"])
        hosts.leave(path, [f"10.89.{number}.1\twriter{number}"])
    hosts.join(path, [f"10.89.{number}.1\twriter{number}"])


def test_two_writers_lose_nothing(file: Path) -> None:
    writers = [FORK.Process(target=_rewrite, args=(os.fspath(file), number, 200)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert set(lines(file)) == {*lines_of(HOSTS), *(f"10.89.{number}.1\twriter{number}" for number in range(3))}


def test_a_kill_leaves_the_other_lines_alone(file: Path) -> None:
    whole = {f"10.89.{number}.1\twriter{number}" for number in range(10)}
    for number in range(10):
        before = file.stat().st_mtime_ns
        writer = FORK.Process(target=_rewrite, args=(os.fspath(file), number, 1_000_000))
        writer.start()
        wait.until(functools.partial(_has_changed, file, before), what="it writes")
        writer.kill()
        writer.join()
        hosts.join(os.fspath(file), ["10.1.2.3\tafter"])
        found = lines(file)
        assert [line for line in found if "writer" not in line] == [*lines_of(HOSTS), "10.1.2.3\tafter"]
        assert {line for line in found if "writer" in line} <= whole
        hosts.leave(os.fspath(file), ["10.1.2.3\tafter"])


def _has_changed(file: Path, before: int) -> bool:
    return file.stat().st_mtime_ns != before


def lines_of(text: str) -> list[str]:
    """Return the lines of a text that count."""
    return [line for line in text.splitlines() if not line.startswith("#")]


LOOK_UP = """
import select, socket
failed = rounds = 0
print("ready", flush=True)
while not select.select([0], [], [], 0)[0]:
    rounds += 1
    try:
        failed += socket.gethostbyname("web") != "10.89.0.4"
    except OSError:
        failed += 1
print(failed, rounds)
"""


def test_readers_lose_nothing_while_others_join_and_leave(file: Path) -> None:
    """glibc reads the file for each look-up; the reader's /etc/hosts is the file, mounted."""
    for number in range(100):
        hosts.join(os.fspath(file), [f"10.90.0.{number}\tneighbour{number}"])
    script = 'mount --bind "$0" /etc/hosts && exec "$1" -c "$2"'
    reader = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, file, sys.executable, LOOK_UP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    for number in range(3):
        _rewrite(os.fspath(file), number, 300)
    said, _ = reader.communicate("\n", timeout=60)
    failed, rounds = said.split()
    assert int(failed) == 0, f"{failed} of {rounds} look-ups failed"
    assert int(rounds) > 0
