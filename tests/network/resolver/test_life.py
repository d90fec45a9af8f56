"""Containers and networks come and go; how the resolver starts, is confined, and ends."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

from podpy.network.bridge import resolver
from podpy.network.bridge.resolver import Entry
from tests.network.resolver.lab import BACK, DB, ENTRIES, FRONT, NOERROR, NXDOMAIN, PTR, Lab, Running, Upstream, query
from tests.support import wait


def test_containers_come_and_go(lab: Lab, running: Running, upstream: Upstream) -> None:
    directory = os.fspath(lab.directory)
    new = Entry(container_id="9" * 64, v4=["10.89.0.9"], names=["new"])
    resolver.add(directory, FRONT, new)
    assert lab.web.addresses("new") == ["10.89.0.9"]
    resolver.remove(directory, "front", DB)
    assert lab.web.ask("db").rcode == NXDOMAIN, "nothing answers for the dead"
    assert lab.web.ask("3.0.89.10.in-addr.arpa", PTR).rcode in (NXDOMAIN, NOERROR)
    resolver.add(directory, FRONT, new.replace(v4=["10.89.0.10"]))
    assert lab.web.addresses("new") == ["10.89.0.10"]
    assert b"db" not in upstream.names


def test_networks_come_and_go(lab: Lab, running: Running) -> None:
    directory = os.fspath(lab.directory)
    resolver.remove(directory, "back")

    def is_deaf() -> bool:
        with lab.cache.space.socket("udp") as asker:
            asker.settimeout(1)  # what was in the socket when it was closed is lost
            asker.connect((BACK.addresses[0], 53))
            try:
                asker.send(query("cache"))
                asker.recv(1000)
            except ConnectionRefusedError:
                return True
            except TimeoutError:
                pass
        return False

    wait.until(is_deaf, what="nobody listens for a network that is gone")
    assert lab.db.addresses("web") == ["10.89.0.2"]
    resolver.write(directory, BACK, ENTRIES["back"])
    wait.until(lambda: not is_deaf(), what="it listens again")
    assert lab.cache.addresses("cache") == ["10.89.1.4"]
    assert lab.cache.ask_by_tcp("cache").addresses == ["10.89.1.4"]


def test_a_gateway_may_come_after_its_names(lab: Lab, running: Running) -> None:
    zone = FRONT.replace(network="late", addresses=["10.89.7.1", "fd00:97::1"])
    resolver.write(os.fspath(lab.directory), zone, [Entry(container_id="7" * 64, v4=["10.89.7.2"], names=["late"])])
    wait.until(lambda: ":53" in lab.shared.ok("ss", "-lnuH", "src", "10.89.7.1"), what="it listens")
    lab.shared.ok(*"ip address add 10.89.7.1/24 dev front".split())
    try:
        assert "10.89.7.2" in lab.shared.ok("dig", "+short", "@10.89.7.1", "late")
    finally:
        lab.shared.ok(*"ip address del 10.89.7.1/24 dev front".split())


def test_lines_that_make_no_sense_are_left_out(lab: Lab, running: Running) -> None:
    text = "\n".join(
        [
            "10.89.0.1,nonsense,,fd00:89::1 x,y",
            "",
            "a",
            "a b c",
            f"{'5' * 64} 10.89.0.300,10.89.0.5, zz odd,,{'x' * 300},{'y' * 64}.b nowhere",
            f"{DB} 10.89.0.3  db",
            "\0\xff\0 1.2.3.4",
            f"{'6' * 64} 10.89.0.6  last",
        ]
    )
    aside = lab.directory / "aside"
    aside.write_bytes(text.encode("latin-1"))
    aside.rename(lab.directory / "names/front")
    (lab.directory / "names/empty").touch()
    (lab.directory / "names/link").symlink_to("/etc/passwd")
    (lab.directory / "names/directory").mkdir()
    try:
        wait.until(lambda: lab.web.addresses("odd") == ["10.89.0.5"], what="the new file is read")
        assert lab.web.addresses("db") == ["10.89.0.3"]
        lab.web.ask("5.0.89.10.in-addr.arpa", PTR)
    finally:
        (lab.directory / "names/directory").rmdir()


def test_it_is_confined(running: Running, program: Path) -> None:
    status = dict(
        line.split(":\t") for line in Path(f"/proc/{running.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Name"] == "podpy-resolver"
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapPrm"], 16) == 1 << 10 | 1 << 21  # NET_BIND_SERVICE, SYS_ADMIN: of the user's own namespace
    if program.name == "plain":
        assert status["Seccomp"] == "2"


def test_it_ends_with_the_namespace(lab: Lab, running: Running) -> None:
    assert running.is_alive()
    assert not resolver.is_alive(os.fspath(lab.directory), running.inode + 1)
    (lab.directory / "netns").unlink()
    wait.for_end(running.pid)
    assert not running.is_alive()


def test_one_that_was_killed_is_started_again(lab: Lab, running: Running, program: Path) -> None:
    os.kill(running.pid, signal.SIGKILL)
    wait.for_end(running.pid)
    wait.until(lambda: not running.is_alive(), what="its lock is free")
    again = Running(lab, program)
    assert lab.web.addresses("db") == ["10.89.0.3"]
    again.end()


START = """
import os, sys
from podpy.network.bridge.resolver import StartResolver, WaitForResolver
directory, netns = sys.argv[1:]
descriptor = os.open(netns, os.O_RDONLY)
start = StartResolver(directory, lambda: descriptor)
start.execute()
WaitForResolver(start).execute()
"""


START_IT = ("env", f"PYTHONPATH={os.pathsep.join(sys.path)}", sys.executable, "-c", START)


def start(lab: Lab, *outer: str) -> str:
    """Start the built resolver as podpy does."""
    return lab.host.run(*outer, *START_IT, os.fspath(lab.directory), f"/proc/{lab.shared.process.pid}/ns/net")


def test_podpy_starts_one_where_none_is_alive(lab: Lab) -> None:
    lab.reset()
    pid_file = lab.directory / "resolver.pid"
    pid_file.write_text("2 1\n")
    assert start(lab) == ""
    first = pid_file.read_text()
    try:
        assert lab.web.addresses("db") == ["10.89.0.3"]
        assert start(lab) == ""
        assert pid_file.read_text() == first
    finally:
        (lab.directory / "netns").unlink()
        wait.for_end(int(first.split()[1]))


def test_who_starts_while_one_is_on_its_way_waits_until_it_listens(lab: Lab) -> None:
    lab.reset()
    netns = f"/proc/{lab.shared.process.pid}/ns/net"
    inode = os.stat(netns).st_ino
    running = resolver.take(os.fspath(lab.directory), inode)  # another call has started one, and waits for it
    with open(lab.directory / resolver.START_LOCK, "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        number = os.fstat(lock.fileno()).st_ino
        waiting = subprocess.Popen([*lab.host.inside, *START_IT, lab.directory, netns])
        waiters = Path("/proc/locks")
        wait.until(
            lambda: any("->" in line and f":{number} " in line for line in waiters.read_text().splitlines()),
            what="it waits",
        )
        assert waiting.poll() is None
    assert waiting.wait(timeout=60) == 0
    os.close(running)


def test_the_mounts_of_the_container_that_was_first_go_with_it(lab: Lab) -> None:
    lab.reset()
    holder = lab.directory.parent / "holder"
    holder.write_text(f"{lab.host.process.pid} and more\n")
    try:
        assert start(lab, "unshare", "--mount") == ""
        pid = int((lab.directory / "resolver.pid").read_text().split()[1])
        theirs = Path(f"/proc/{lab.host.process.pid}/ns/mnt").stat().st_ino
        assert Path(f"/proc/{pid}/ns/mnt").stat().st_ino == theirs
        (lab.directory / "netns").unlink()
        wait.for_end(pid)
    finally:
        holder.unlink()


def test_mounts_that_lack_the_directory_are_no_place_to_live(lab: Lab) -> None:
    lab.reset()
    elsewhere = lab.space(f"mount -t tmpfs none {lab.directory}")
    holder = lab.directory.parent / "holder"
    holder.write_text(f"{elsewhere.process.pid} and more\n")
    try:
        assert start(lab) == ""
        assert lab.web.addresses("db") == ["10.89.0.3"]
        pid = int((lab.directory / "resolver.pid").read_text().split()[1])
        (lab.directory / "netns").unlink()
        wait.for_end(pid)
    finally:
        holder.unlink()


def test_a_start_that_fails_says_why(lab: Lab) -> None:
    lab.reset()
    with lab.shared.socket("udp", "10.89.0.1", 53):
        said = start(lab)
    (lab.directory / "netns").unlink()
    assert "podpy-resolver can't start: listen on 10.89.0.1 port 53: Address already in use" in said
