"""conmon beside another conmon (Debian's), in turns: start, memory at rest, bytes per CPU second.

    python bench/conmon.py OURS [OTHER]        OTHER: /usr/bin/conmon

The container is a plain process, started by a runtime that does nothing else (tests/conmon/odd_runtime.c), so that only
the monitor is measured. CPU time is the monitor's own (/proc/PID/schedstat), read when all bytes have come through.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUNTIME_SOURCE = HERE.parent / "tests/conmon/odd_runtime.c"
ID = "b" * 64


class Monitor:
    """One running monitor with a container that runs `command`."""

    def __init__(self, conmon: str, runtime: str, base: Path, command: str, *, log: str, attach: bool = False) -> None:
        self.bundle = Path(tempfile.mkdtemp(dir=base))
        reader, writer = os.pipe()
        start_reader, start_writer = os.pipe()
        argv = [conmon, "--api-version", "-c", ID, "-u", ID, "-r", runtime, "-b", str(self.bundle), "--full-attach"]
        argv += ["-p", f"{self.bundle}/pidfile", "-P", f"{self.bundle}/conmon.pid", "-n", "bench"]
        argv += ["--no-sync-log", "--exit-dir", str(self.bundle), "-l", log.format(bundle=self.bundle)]
        env = {"_OCI_SYNCPIPE": str(writer), "_OCI_STARTPIPE": str(start_reader), "ODD_COMMAND": command}
        os.write(start_writer, b"\0")
        if attach:
            env["ODD_COMMAND"] = f"while ! [ -e {self.bundle}/go ]; do sleep 0.01; done; {command}"
        began = time.perf_counter()
        pid = os.posix_spawn(
            conmon,
            argv,
            env,
            file_actions=[(os.POSIX_SPAWN_DUP2, writer, writer), (os.POSIX_SPAWN_DUP2, start_reader, start_reader)],
        )
        os.close(writer)
        answer = os.read(reader, 4096)
        self.seconds_to_pid = time.perf_counter() - began
        os.waitpid(pid, 0)
        for fd in (reader, start_reader, start_writer):
            os.close(fd)
        self.container = int(answer.split(b":")[1].strip(b" }\n"))
        self.pid = int((self.bundle / "conmon.pid").read_text())

    def cpu_seconds(self) -> float:
        """Return the monitor's time on a CPU until now."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1e9

    def memory(self) -> tuple[int, int]:
        """Return private dirty and resident kB."""
        fields = dict(
            line.split(":", 1) for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()[1:]
        )
        return int(fields["Private_Dirty"].split()[0]), int(fields["Rss"].split()[0])

    def stop(self) -> None:
        """Kill the container's process group, and wait until the monitor has gone."""
        while os.getpgid(self.container) != self.container:  # it may not have made its group yet
            time.sleep(0.001)
        os.killpg(self.container, 9)
        with contextlib.suppress(FileNotFoundError):
            while Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                time.sleep(0.002)


class Reader(threading.Thread):
    """Counts what comes from the attach socket; its own process, lest Python's lock be measured."""

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(f"{monitor.bundle}/attach")
        self.count = 0
        (monitor.bundle / "go").touch()

    def run(self) -> None:
        buffer = bytearray(8193)
        while (n := self.socket.recv_into(buffer)) > 0:
            self.count += n - 1


def wait_for_drain(monitor: Monitor, marker: Path) -> None:
    """Wait until the container has written all and its monitor has slept since."""
    while not marker.exists():
        time.sleep(0.01)
    last = -1.0
    while (now := monitor.cpu_seconds()) != last:
        last = now
        time.sleep(0.05)


def throughput(conmon: str, runtime: str, base: Path, data: Path, *, log: str, attach: bool = False) -> float:
    """Return MB per CPU second of the monitor."""
    marker = base / "done"
    marker.unlink(missing_ok=True)
    monitor = Monitor(conmon, runtime, base, f"cat {data}; touch {marker}; sleep 1000", log=log, attach=attach)
    before = monitor.cpu_seconds() if attach else 0
    reader = Reader(monitor) if attach else None
    if reader:
        reader.start()
    wait_for_drain(monitor, marker)
    used = monitor.cpu_seconds() - before
    monitor.stop()
    if reader:
        reader.join()
        if reader.count != data.stat().st_size:
            raise RuntimeError(f"{conmon}: {reader.count} of {data.stat().st_size} bytes came through")
    for file in monitor.bundle.iterdir():
        file.unlink()
    return data.stat().st_size / 1e6 / used


def runtime_alone(runtime: str, base: Path) -> float:
    """Return the seconds that the runtime takes by itself."""
    env = {"ODD_COMMAND": "exit"}
    began = time.perf_counter()
    pid = os.posix_spawn(runtime, [runtime, "create", "--pid-file", f"{base}/alone", ID], env)
    os.waitpid(pid, 0)
    return time.perf_counter() - began


def start_time(conmon: str, runtime: str, base: Path) -> float:
    """Return the milliseconds from exec to the pid reported, without the runtime's."""
    monitor = Monitor(conmon, runtime, base, "exec sleep 1000", log="k8s-file:{bundle}/log")
    monitor.stop()
    return 1000 * (monitor.seconds_to_pid - runtime_alone(runtime, base))


def memory_at_rest(conmon: str, runtime: str, base: Path, used: bool) -> tuple[int, int]:
    """Return private dirty and resident kB of a monitor whose container is quiet (after a lot of output: `used`)."""
    command = "seq 1 3000000; exec sleep 1000" if used else "echo hello; exec sleep 1000"
    monitor = Monitor(conmon, runtime, base, command, log="k8s-file:{bundle}/log")
    time.sleep(3.0 if used else 1.2)
    result = monitor.memory()
    monitor.stop()
    return result


def make_data(path: Path, line: int, megabytes: int) -> Path:
    """A file of lines of `line` bytes."""
    text = (b"x" * (line - 1) + b"\n") * (1_000_000 // line)
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(text)
    return path


def show(name: str, unit: str, sides: dict[str, list[float]]) -> None:
    """Print one line of the table: median (min to max) of each side, and the ratio of the medians."""
    cells = [f"{statistics.median(v):,.1f} ({min(v):,.1f} to {max(v):,.1f})" for v in sides.values()]
    medians = [statistics.median(v) for v in sides.values()]
    ratio = f"{medians[0] / medians[1]:.2f}" if len(medians) > 1 else ""
    print(f"| {name}, {unit} | " + " | ".join(cells) + f" | {ratio} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conmon", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=256)
    options = parser.parse_args()
    conmons = options.conmon if len(options.conmon) > 1 else [*options.conmon, "/usr/bin/conmon"]
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        runtime = str(base / "runtime")
        subprocess.run(["cc", "-O2", "-static", "-o", runtime, str(RUNTIME_SOURCE)], check=True)
        os.sync()
        print("| what | " + " | ".join(conmons) + " | ratio |\n|---|" + "---|" * (len(conmons) + 1))
        starts: dict[str, list[float]] = {c: [] for c in conmons}
        for _ in range(8 * options.rounds):
            for conmon in conmons:
                starts[conmon].append(start_time(conmon, runtime, base))
        show("start", "ms", starts)
        for used in (False, True):
            rests = {c: memory_at_rest(c, runtime, base, used) for c in conmons}
            for i, name in enumerate(("private dirty", "resident")):
                title = f"{name}{' after 20 MB of output' if used else ''}"
                show(title, "kB", {c: [float(rests[c][i])] for c in conmons})
        for line, log, attach in (
            (100, "k8s-file:{bundle}/log", False),
            (20, "k8s-file:{bundle}/log", False),
            (1000, "k8s-file:{bundle}/log", False),
            (100, "k8s-file:{bundle}/log", True),
            (100, "none", True),
            (100, "none", False),
        ):
            data = make_data(base / "data", line, options.megabytes)
            rates: dict[str, list[float]] = {c: [] for c in conmons}
            for _ in range(options.rounds):
                for conmon in conmons:
                    rates[conmon].append(throughput(conmon, runtime, base, data, log=log, attach=attach))
            name = log.split(":")[0] + (" and an attached reader" if attach else "")
            show(f"{name}, lines of {line} bytes", "MB per CPU second", rates)


if __name__ == "__main__":
    main()
