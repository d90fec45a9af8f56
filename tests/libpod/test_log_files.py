"""Reading log files that are rotated meanwhile, far faster than a container could make conmon do it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from podpy.libpod.io import log_lines, logs

LINES = 10000
WRITER = """
import os, sys
path, lines = sys.argv[1], int(sys.argv[2])
file, rotated = open(path, "wb", buffering=0), 0
for number in range(1, lines + 1):
    file.write(b"2026-01-01T00:00:00.0Z stdout F %d\\n" % number)
    if number % 100 == 0:
        for old in range(rotated, 0, -1):
            os.rename(f"{path}.{old}", f"{path}.{old + 1}")
        os.rename(path, path + ".1")
        rotated += 1
        file = open(path, "wb", buffering=0)
"""


@pytest.mark.parametrize("attempt", range(5))
def test_nothing_is_missed_or_repeated(tmp_path: Path, attempt: int) -> None:
    path = tmp_path / "ctr.log"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path, str(LINES)])
    log = logs._LogFile(str(path), log_lines.parse_k8s_line)
    numbers = [int(line.text) for line in log.stored()]
    is_over = False
    while not is_over:
        is_over = writer.poll() is not None
        numbers += [int(line.text) for line in log._newer_entries()]
    breaks = [(before, after) for before, after in itertools.pairwise(numbers) if after != before + 1]
    assert (breaks, numbers[0], len(numbers)) == ([], 1, LINES)


@pytest.mark.parametrize("rotations", [1, 3])
def test_a_time_span_is_found_without_reading_the_rest(tmp_path: Path, rotations: int) -> None:
    """What lies far outside of it isn't even looked at: here it couldn't be read as a log."""
    path, second = tmp_path / "ctr.log", 1_000_000_000
    lines = [b"2026-01-01T%02d:%02d:%02dZ stdout F %d\n" % (n // 3600, n // 60 % 60, n % 60, n) for n in range(86400)]
    share = len(lines) // rotations
    for number in range(rotations):
        name = f"{path}.{rotations - 1 - number}" if number < rotations - 1 else path
        Path(name).write_bytes(b"".join(lines[number * share : (number + 1) * share]))
    midnight = 1_767_225_600 * second
    parsed = []

    def parse(raw: bytes) -> log_lines.LogLine | None:
        parsed.append(raw)
        return log_lines.parse_k8s_line(raw)

    for since, until in [(40_000, 40_010), (0, 5), (86_390, 0), (1, 0), (0, 86_399), (90_000, 0), (28_799, 28_801)]:
        parsed.clear()
        options = log_lines.LogOptions(since=midnight + since * second, until=midnight + until * second if until else 0)
        found = logs._LogFile(str(path), parse).stored(options.since, options.until)
        numbers = [int(line.text) for line in found if log_lines.in_range(line, options)]
        assert numbers == [*range(since, min((until or 86_399) + 1, 86_400))]
        assert len(parsed) < len(numbers) + 8_000


def test_a_clock_that_was_set_back_hides_nothing(tmp_path: Path) -> None:
    path, second = tmp_path / "ctr.log", 1_000_000_000
    hours = [*range(10, 20), *range(5, 15)]
    lines = [b"2026-01-01T%02d:00:00Z stdout F %d\n" % (hour, hour) for hour in hours for _ in range(4000)]
    path.write_bytes(b"".join(lines))
    midnight = 1_767_225_600 * second
    options = log_lines.LogOptions(since=midnight + 12 * 3600 * second, until=midnight + 13 * 3600 * second)
    found = logs._LogFile(str(path), log_lines.parse_k8s_line).stored(options.since, options.until)
    numbers = [int(line.text) for line in found if log_lines.in_range(line, options)]
    assert numbers == [12] * 4000 + [13] * 4000 + [12] * 4000 + [13] * 4000
