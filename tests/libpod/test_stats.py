"""`podpy stats`: Podman's columns, from cgroups or, without them, from /proc."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

from podpy.cli.show import stat_rows
from podpy.cli.show.stat_board import bars
from podpy.libpod.containers.stats import Stats
from podpy.libpod.containers.usage import Cgroup
from tests.support import wait
from tests.support.engine import Podpy

BUSY = "while :; do :; done"


def test_columns_json_and_templates_are_podmans(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name", "busy", busybox, "sh", "-c", BUSY)
    podpy.ok("create", "--network=none", "--name", "created", busybox, "true")

    def cpu_time() -> int:
        return int(podpy.ok("stats", "--no-stream", "--format", "{{.CPUNano}}", "busy"))

    first = cpu_time()
    wait.until(lambda: cpu_time() > first, what="the CPU's time is counted")
    heading, line = podpy.ok("stats", "--no-stream").splitlines()
    assert heading.split("  ")[0] == "ID"
    assert [word.strip() for word in heading.split("  ") if word] == [*stat_rows.HEADING]
    assert line.split()[1] == "busy"

    created, busy = sorted(podpy.json("stats", "--no-stream", "--all", "--format", "json"), key=lambda row: row["pids"])
    assert [*busy] == ["id", "name", "cpu_time", "cpu_percent", "avg_cpu", "mem_usage", "mem_percent", "net_io",
                       "block_io", "pids"]  # fmt: skip
    assert (busy["name"], busy["pids"], busy["net_io"], len(busy["id"])) == ("busy", "1", "0B / 0B", 12)
    assert not busy["mem_usage"].startswith("0B")
    zeros = {"cpu_time": "0s", "cpu_percent": "0.00%", "mem_usage": "0B / 0B", "net_io": "0B / 0B", "pids": "0"}
    assert {key: created[key] for key in zeros} == zeros

    raw = podpy.json("stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", "--latest")
    assert [*raw] == ["AvgCPU", "ContainerID", "Name", "PerCPU", "CPU", "CPUNano", "CPUSystemNano", "SystemNano",
                      "MemUsage", "MemLimit", "MemPerc", "Network", "BlockInput", "BlockOutput", "PIDs", "UpTime",
                      "Duration"]  # fmt: skip
    table = podpy.ok(
        "container", "stats", "--no-stream", "--format", "table {{.Name}} {{.CPUPerc}} {{.UpTime}}", "busy"
    )
    assert table.splitlines()[0] == "NAME        CPU %       CPU TIME"
    on_a_terminal(podpy)


def on_a_terminal(podpy: Podpy) -> None:
    """The table is drawn anew, keys choose the order, q ends it, and the terminal is as before."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    before = termios.tcgetattr(slave)
    with (
        podpy.popen("stats", "--interval", "1", stdin=slave, stdout=slave, stderr=subprocess.PIPE) as process,
        open(master, "rb", buffering=0, closefd=False) as screen,
    ):
        wait.for_text(screen, b"busy")
        wait.for_text(screen, b"busy")  # the second look
        os.write(master, b"c")
        wait.for_text(screen, "█".encode())
        os.write(master, b"q")
        assert process.wait(wait.PATIENCE) == 0
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_what_cant_be_known_is_a_dash_and_said_once(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=host", "--name", "c", busybox, "sleep", "1000")
    done = podpy("stats", "--no-stream", "--format", "{{.NetIO}}")
    assert done.ok() == "-- / --"
    assert done.stderr.count("NET IO") == 1


def test_mistakes_have_podmans_words(podpy: Podpy) -> None:
    assert podpy.ok("stats", "--no-stream").startswith("ID          NAME")
    assert podpy.ok("stats", "--no-stream", "--format", "json") == "[]"
    text = (
        'unable to get list of containers: unable to look up container none: no container with name or ID "none" found'
    )
    podpy("stats", "--no-stream", "none").fails(125, text)
    podpy("stats", "--interval", "0").fails(125, "invalid interval, must be a positive number greater zero")
    podpy("stats", "--all", "c").fails(125, "--all, --latest and containers cannot be used together")


def test_a_cgroups_files_are_read_as_podman_reads_them(tmp_path: Path) -> None:
    texts = {
        "cpu.stat": "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n",
        "memory.current": "5000\n",
        "memory.stat": "anon 10\ninactive_file 2000\n",
        "memory.max": "8000\n",
        "pids.current": "3\n",
        "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert Cgroup(str(tmp_path), texts).usage(100_000) == {
        "cpu_time": 1_500_000, "system_time": 500_000, "memory": 3000, "memory_limit": 8000, "network": None,
        "block_input": 11, "block_output": 22, "pids": 3,
    }  # fmt: skip
    (tmp_path / "memory.max").write_text("max\n")
    usage = Cgroup(str(tmp_path), texts.keys() - {"io.stat"}).usage(100_000)
    assert (usage["memory_limit"], usage["block_input"]) == (100_000, None)


def test_members_of_a_cgroup_are_those_of_the_cgroups_in_it_too(tmp_path: Path) -> None:
    inner = tmp_path / "container"
    inner.mkdir()
    for directory, processes, threads in ((tmp_path, "", ""), (inner, "7\n9\n", "7\n8\n9\n")):
        (directory / "cgroup.procs").write_text(processes)
        (directory / "cgroup.threads").write_text(threads)
    assert Cgroup(str(tmp_path), ()).members() == (["7", "9"], 3)
    assert Cgroup(str(inner), ()).members() == (["7", "9"], 3)
    (inner / "cgroup.threads").write_text("7\n")
    assert Cgroup(str(inner), ()).members() == (["7"], 1)
    many = [str(number) for number in range(30_000, 34_000)]
    for name in ("cgroup.procs", "cgroup.threads"):
        (inner / name).write_text("".join(f"{number}\n" for number in many))
    assert Cgroup(str(inner), ()).members() == (many, len(many))
    assert Cgroup(str(tmp_path / "gone"), ()).members() == ([], 0)


def test_bars_and_dashes() -> None:
    assert bars([0.0, 50.0, 100.0], 10.0) == "▁▅█"
    assert bars([0.0, 1.0], 10.0) == "▁▂"
    texts = stat_rows.StatTexts(Stats(id="a" * 64, name="c", cpu=None, memory=None, memory_limit=1000, pids=None))
    assert (texts.cpu, texts.memory, texts.memory_percent, texts.pids) == ("--", "-- / 1kB", "--", "--")
