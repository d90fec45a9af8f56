"""Which test reaches which place of podpy's code, in whatever process: mutate.py runs only those tests.

In a copy of the checkout a probe is put into every place where a mistake could be made, and the suite runs once. A
probe writes the number of the running test into its slot of a shared mapping, which outlives namespaces, closed
descriptors and seccomp. Where two tests run at a time a place counts for both.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.faults.mistakes import CHECKOUT, Mistake, python_mistakes

UNPROBED = ("podpy/_start.py", "podpy/pack/", "podpy/cli/_table.py", "podpy/cli/_help.py")
"""They run before modules can be imported, or are generated."""

PROBE = """
import ctypes
import os

try:
    _file = os.open({path!r}, os.O_RDWR | os.O_CLOEXEC)
    _map = ctypes.CDLL(None).mmap  # Python's own keeps a descriptor, whose number may be the caller's
    _map.restype = ctypes.c_void_p
    _map.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    _slots = (ctypes.c_uint32 * {slots}).from_address(_map(None, {slots} * 4, 3, 1, _file, 0))
    os.close(_file)
except OSError:
    _slots = [0] * {slots}


def reached(number):
    _slots[number] = _slots[0]
"""

CONFTEST = """
import json
import os
import time

import pytest

from podpy._reached import _slots


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    first = _slots[0] = _slots[0] + 1
    failed, began = item.session.testsfailed, time.monotonic()
    result = yield
    told = {{
        "test": item.nodeid,
        "seconds": round(time.monotonic() - began, 2),
        "passed": item.session.testsfailed == failed,
        "reached": [number for number in range(1, {slots}) if _slots[number] >= first],
    }}
    with open({path!r}, "a") as out:
        out.write(json.dumps(told) + "\\n")
    return result
"""


@dataclass(frozen=True)
class Test:
    """One test: its pytest name, how long it took, and the names of the mistakes that it would meet."""

    name: str
    seconds: float
    reached: frozenset[str]


def probed(source: str, places: list[tuple[int, Mistake]]) -> str:
    """Return a module's source with a probe in each of the numbered places."""
    pieces = []
    for number, one in places:
        size = one.end - one.begin
        pieces += [(one.begin, 1, -size, f"(_reached({number}), "), (one.end, 0, size, ")[1]")]
    for offset, _, _, text in sorted(pieces, reverse=True):
        source = source[:offset] + text + source[offset:]
    body = ast.parse(source).body
    head = 0
    for node in body[:2]:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text or (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            head = node.end_lineno or 0
    lines = source.splitlines(keepends=True)
    return "".join([*lines[:head], "from podpy._reached import reached as _reached\n", *lines[head:]])


def make_map(copy: Path, into: Path, tests: list[str], workers: int) -> None:
    """Put the probes into a copy of the checkout, run the tests, and write the map. The copy is spoilt then."""
    names = [""]
    for path in sorted((CHECKOUT / "src/podpy").rglob("*.py")):
        inside = os.fspath(path.relative_to(CHECKOUT / "src"))
        found = [] if inside in UNPROBED else python_mistakes(path)
        if found:
            places = list(enumerate(found, len(names)))
            names += [one.name for one in found]
            (copy / "src" / inside).write_text(probed(path.read_text(), places))
    slots, told = copy / "slots", copy / "told"
    slots.write_bytes(bytes(4 * len(names)))
    slots.chmod(0o666)
    (copy / "src/podpy/_reached.py").write_text(PROBE.format(path=os.fspath(slots), slots=len(names)))
    (copy / "conftest.py").write_text(CONFTEST.format(path=os.fspath(told), slots=len(names)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    parallel = ["-n", str(workers), "--dist", "loadgroup"] if workers > 1 else []
    with open(f"{into}.log", "wb") as log:
        subprocess.run([*command, *parallel], cwd=copy, stdout=log, stderr=log)
    lines = [json.loads(line) for line in told.read_text().splitlines()]
    into.write_text(json.dumps({"names": names, "tests": lines}))


def read_map(path: Path) -> list[Test]:
    """Return the tests of a map that passed with the probes, the fastest first."""
    data = json.loads(path.read_text())
    names = data["names"]
    tests = [
        Test(one["test"], one["seconds"], frozenset(names[number] for number in one["reached"]))
        for one in data["tests"]
        if one["passed"]
    ]
    return sorted(tests, key=lambda test: test.seconds)
