"""What is logged, and how."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conmon.harness import Conmon
from tests.conmon.test_attach import numbers
from tests.support import needs, wait

Make = Callable[..., Conmon]
WRITES = 500_000


def run(conmon: Conmon, *options: str, **more: object) -> Conmon:
    """Run the container to its end."""
    conmon.start("--runtime-run", *options, **more).started()  # type: ignore[arg-type]
    conmon.wait()
    return conmon


def test_single_byte_writes_are_all_there(odd: Conmon) -> None:
    odd.start(
        env={"ODD_COMMAND": f"dd if=/dev/zero bs=1 count={WRITES} 2>/dev/null | tr '\\0' x | dd bs=1 2>/dev/null"}
    )
    odd.started().wait()
    assert odd.log_text() == b"x" * WRITES


def test_pieces_of_a_line_are_marked(container: Make) -> None:
    conmon = container("printf a; read go; printf b; read go; echo c; printf d")
    conmon.start("--runtime-run", "--stdin", attach=True).started()
    assert conmon.attached is not None
    for piece in (b"a", b"b"):
        assert conmon.attached.recv(100) == b"\x02" + piece
        conmon.attached.send(b"go\n")
    conmon.wait()
    lines = conmon.log_path.read_bytes().splitlines()
    assert [line.split(b" ", 2)[2] for line in lines] == [b"P a", b"P b", b"F c", b"P d"]


def test_a_line_of_a_megabyte(container: Make) -> None:
    conmon = run(container("head -c 1000000 /dev/zero | tr '\\0' x; echo"))
    assert conmon.log_text() == b"x" * 1000000 + b"\n"


def test_rotation_loses_nothing_and_keeps_as_many_files_as_asked(container: Make) -> None:
    conmon = run(container("seq 1 50000"), "--log-size-max", "300000", "--log-max-files", "20")
    old = sorted(conmon.bundle.glob("log.*"), key=lambda path: -int(path.suffix[1:]))
    assert len(old) == 8
    assert b"".join(conmon.log_text(path=path) for path in [*old, conmon.log_path]) == numbers(50000)
    assert all(path.stat().st_size <= 300000 for path in [*old, conmon.log_path])


@pytest.mark.parametrize(("keep", "files"), [(None, 1), ("0", 0), ("3", 3)])
def test_rotation_keeps_the_newest_files(container: Make, keep: str | None, files: int) -> None:
    options = ["--log-max-files", keep] if keep else []
    conmon = run(container("seq 1 30000"), "--log-size-max", "100000", *options)
    assert len(list(conmon.bundle.glob("log.*"))) == files
    assert conmon.log_text().endswith(b"\n30000\n")


def test_the_global_limit_stops_the_log_but_not_the_container(container: Make) -> None:
    conmon = run(container("seq 1 100000; exit 3"), "--log-global-size-max", "50000")
    assert conmon.exit_code() == "3"
    assert 50000 <= conmon.log_path.stat().st_size < 50200


def test_reopen_rotates_on_demand(container: Make) -> None:
    conmon = container("echo one; cat; echo two").start("--runtime-run", "--stdin", attach=True).started()
    assert conmon.attached is not None
    assert conmon.attached.recv(100) == b"\x02one\n"
    with (conmon.bundle / "ctl").open("w") as ctl:
        ctl.write("2 0 0\n")
    old = conmon.bundle / "log.1"
    wait.until(old.exists, what="the log was rotated")
    conmon.attached.shutdown(1)
    conmon.wait()
    assert (conmon.log_text(path=old), conmon.log_text()) == (b"one\n", b"two\n")


def test_json_file_is_docker_format(container: Make) -> None:
    conmon = container("echo 'a \"b\" \\ ü'; printf '\\377\\t'; sleep 0.2; echo; echo err >&2; exit 0")
    run(conmon, "--log-tag", "t", "--log-label", 'L=v="w', log="json-file:{log}")
    entries = [json.loads(line) for line in conmon.log_path.read_text().splitlines()]
    assert "".join(e["log"] for e in entries if e["stream"] == "stdout") == 'a "b" \\ ü\n\ufffd\t\n'
    assert [e["log"] for e in entries if e["stream"] == "stderr"] == ["err\n"]
    assert all(e["attrs"] == {"tag": "t", "L": 'v="w'} and e["time"].endswith("Z") for e in entries)


def test_json_file_puts_cut_utf8_together(odd: Conmon) -> None:
    text = "aü€😀\n"
    command = "; ".join(f"printf '\\{byte:03o}'; sleep 0.02" for byte in text.encode())
    odd.start(env={"ODD_COMMAND": command}, log="json-file:{log}").started().wait()
    assert "".join(json.loads(line)["log"] for line in odd.log_path.read_text().splitlines()) == text


def test_several_drivers_at_once(container: Make) -> None:
    conmon = container("seq 1 1000")
    second = conmon.bundle / "second"
    run(conmon, "-l", f"json-file:{second}", "-l", "none")
    assert conmon.log_text() == numbers(1000)
    assert "".join(json.loads(line)["log"] for line in second.read_text().splitlines()).encode() == numbers(1000)


@pytest.mark.parametrize("driver", ["none", "off", "null"])
def test_no_log_and_nobody_attached(container: Make, driver: str) -> None:
    assert run(container("seq 1 200000; exit 3"), log=driver).exit_code() == "3"


def test_a_full_disk_neither_stops_nor_blocks_the_container(container: Make) -> None:
    conmon = container("seq 1 100000; exit 3").start("--runtime-run", log="/dev/full", waiter=True).started()
    assert conmon.waiter is not None
    conmon.waiter.settimeout(wait.PATIENCE)
    line = json.loads(conmon.waiter.recv(4096))
    assert (line["exit_code"], line["lost_log_bytes"] > 588895) == (3, True)


def test_a_log_that_can_grow_no_more_ends_with_a_whole_line(odd: Conmon) -> None:
    odd.options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_001, resource.RLIM_INFINITY))
    odd.start(env={"ODD_COMMAND": "seq 1 100000; exit 3"}).started()
    assert odd.exit_code() == "3"
    text = odd.log_text("stdout")
    assert 50_000 < odd.log_path.stat().st_size <= 100_001
    assert text.endswith(b"\n") and numbers(100000).startswith(text)


def test_allowlist(container: Make, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    assert run(container("echo x"), "--log-allowlist-dir", str(allowed), log=str(allowed / "log")).exit_code() == "0"
    refused = container("echo x").start("--log-allowlist-dir", str(allowed), log=str(tmp_path / "allowedlog"))
    assert refused.returncode == 1 and "--log-allowlist-dir" in refused.stderr


def fields(datagram: bytes) -> dict[str, str]:
    """Read one entry of journald's native protocol."""
    found = {}
    while datagram:
        head, datagram = datagram.split(b"\n", 1)
        if b"=" in head:
            name, value = head.split(b"=", 1)
        else:
            name, (size,) = head, struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + size], datagram[9 + size :]
        found[name.decode()] = value.decode()
    return found


def test_journald_gets_lines_with_their_fields(container: Make, tmp_path: Path) -> None:
    needs.require("mount")
    journal = tmp_path / "journal"
    journal.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(journal / "socket"))
        listener.settimeout(wait.PATIENCE)
        conmon = container("echo 'out a=b'; echo '<4>warn' >&2; printf end")
        run(conmon, "--log-tag", "tag", "--log-label", "MY=l", log="journald", env={"JOURNAL_DIR": str(journal)})
        got = [fields(listener.recv(65536)) for _ in range(3)]
    common = {"CONTAINER_ID_FULL": conmon.id, "CONTAINER_ID": conmon.id[:12], "CONTAINER_NAME": "name",
              "CONTAINER_TAG": "tag", "SYSLOG_IDENTIFIER": "tag", "MY": "l"}  # fmt: skip
    out, end, err = sorted(got, key=lambda entry: ["out a=b", "end", "warn"].index(entry["MESSAGE"]))
    assert out == {**common, "MESSAGE": "out a=b", "PRIORITY": "6"}
    assert end == {**common, "MESSAGE": "end", "PRIORITY": "6", "CONTAINER_PARTIAL_MESSAGE": "true"}
    assert err == {**common, "MESSAGE": "warn", "PRIORITY": "4"}
    assert got.index(out) < got.index(end)  # two streams have no common order


def test_an_option_of_the_journal_alone_is_warned_of_without_it(container: Make) -> None:
    conmon = run(container("echo here"), "--no-container-partial-message")
    assert conmon.stderr.count("\n") == 1 and "no effect without journald log driver" in conmon.stderr
    assert conmon.log_text() == b"here\n"


def test_a_journal_that_takes_nothing_does_not_block(container: Make, tmp_path: Path) -> None:
    needs.require("mount")
    journal = tmp_path / "journal"
    journal.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(journal / "socket"))
        conmon = container("seq 1 20000; exit 3")
        assert run(conmon, log="journald", env={"JOURNAL_DIR": str(journal)}).exit_code() == "3"


def test_a_journal_that_others_keep_busy_gets_everything(container: Make, tmp_path: Path) -> None:
    needs.require("mount")
    journal, lines = tmp_path / "journal", 3000
    journal.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(journal / "socket"))
        listener.settimeout(wait.PATIENCE)
        writers = [container(f"seq 1 {lines}") for _ in range(3)]  # the queue is shared, and has ten places
        for conmon in writers:
            conmon.start("--runtime-run", log="journald", env={"JOURNAL_DIR": str(journal)}).started()
        got = [fields(listener.recv(65536)) for _ in range(len(writers) * lines)]
    for conmon in writers:
        conmon.wait()
        messages = [entry["MESSAGE"] for entry in got if entry["CONTAINER_ID_FULL"] == conmon.id]
        assert messages == [str(number) for number in range(1, lines + 1)]


def test_out_of_memory_is_noticed(container: Make) -> None:
    """With cgroup v1 where the host has it, for which runc is needed."""
    needs.require("mount")
    limit = {"memory": {"limit": 20 << 20, "swap": 20 << 20}}
    if (
        not Path("/sys/fs/cgroup/memory").exists()
        and "memory" not in Path("/sys/fs/cgroup/cgroup.controllers").read_text()
    ):
        needs.require("cgroup-delegation")
    conmon = container("read go; tail /dev/zero; exit 3", runtime="/usr/sbin/runc", resources=limit)
    conmon.start("--runtime-run", "--stdin", attach=True, waiter=True, env={"KEEP_CGROUPS": "1"}).started()
    assert conmon.waiter is not None and conmon.attached is not None
    conmon.attached.send(b"go\n")  # it must not end before its cgroup could be looked up
    conmon.waiter.settimeout(wait.PATIENCE)
    assert json.loads(conmon.waiter.recv(4096))["oom_killed"] is True
    assert (conmon.bundle / "oom").exists()


def test_notify_messages_that_are_harmless_go_on_to_the_host(odd: Conmon) -> None:
    (odd.bundle / "notify").mkdir()
    host = odd.bundle / "host.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(host))
        listener.settimeout(wait.PATIENCE)
        odd.start("--sdnotify-socket", str(host), env={"ODD_COMMAND": "exec sleep 1000"}).started()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inside:
            inside.connect(str(odd.bundle / "notify/notify.sock"))
            inside.send(b"MAINPID=1\nREADY=1\nSTATUS=fine\nFDSTORE=1\nEXTEND_TIMEOUT_USEC=5")
        assert listener.recv(4096) == b"READY=1\nSTATUS=fine\nEXTEND_TIMEOUT_USEC=5"
    os.kill(odd.container, signal.SIGKILL)
