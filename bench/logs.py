#!/usr/bin/env python3
"""`podpy logs` of a log of 1 GB: its end, and a span of its time, beside an empty log.

    bench/logs.py --podpy PODPY --image IMAGE [--rounds N]

Run it as an unprivileged user with IMAGE loaded (it needs `true`). Makes two containers, fills the log of one, and
removes both. Prints CPU milliseconds (user and system, medians).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import time

FIRST = 1_767_225_600  # 2026-01-01, in seconds since 1970
PER_SECOND = 50
SIZE = 1 << 30


def fill(path: str) -> int:
    """Write a k8s-file log of 1 GB; return the time of its last line, in seconds since 1970."""
    number, size = 0, 0
    with open(path, "wb") as file:
        while size < SIZE:
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(FIRST + number // PER_SECOND)).encode()
            data = b"".join(
                at
                + b".%09d+00:00 stdout F line %d of a long log, as programs write them\n" % (20_000_000 * n, number + n)
                for n in range(PER_SECOND)
            )
            size += file.write(data)
            number += PER_SECOND
    return FIRST + number // PER_SECOND - 1


def cpu(command: list[str]) -> float:
    """Run a command and return the CPU time that it took, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--image", required=True)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    names = ("bench-empty", "bench-long")
    for name in names:
        subprocess.run([options.podpy, "run", f"--name={name}", "--network=none", options.image, "true"], check=True)
    try:
        told = subprocess.run([options.podpy, "inspect", names[1]], check=True, stdout=subprocess.PIPE).stdout
        end = fill(json.loads(told)[0]["HostConfig"]["LogConfig"]["Path"])
        cases = {
            "an empty log": [names[0]],
            "--tail 10": ["--tail=10", names[1]],
            "--since, the last second": [f"--since={end}", names[1]],
            "--since --until, one second near the beginning": [
                f"--since={FIRST + 60}",
                f"--until={FIRST + 61}",
                names[1],
            ],
        }
        times: dict[str, list[float]] = {case: [] for case in cases}
        for _ in range(options.rounds):
            for case, arguments in cases.items():
                times[case].append(cpu([options.podpy, "logs", *arguments]))
        print("| `podpy logs` | CPU ms |\n|---|---|")
        for case, found in times.items():
            print(f"| {case} | {statistics.median(found):.1f} |")
    finally:
        subprocess.run([options.podpy, "rm", "-f", *names], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
