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
