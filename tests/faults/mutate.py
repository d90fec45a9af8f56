#!/usr/bin/env python3
"""Make small realistic mistakes in podpy's code, one at a time, and tell which ones no test notices.

    tests/faults/mutate.py --map FILE [TEST ...]
    tests/faults/mutate.py --map FILE --since REVISION [--count N] [--seed N] [--only PREFIX] [--workers N]

The first form runs the suite once (or these tests) and writes which test reaches which place (tests/faults/reached.py).
The second makes mistakes in lines of src that changed since REVISION: a comparison turned round, `and` for `or`, a lost
`not`, True for False, a number off by one, a call left out. The tests that reach the place run, the fastest first, and
no more than take a few minutes; the first that fails has noticed the mistake, and so has one that takes too long.
For a mistake in a C file the tests are those of C_TESTS. Survivors are printed as diffs.
Works in copies of the checkout. Not part of the suite: the map takes as long as the suite, a hundred mistakes an hour.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[2]))

from tests.faults.mistakes import CHECKOUT, Mistake, c_mistakes, changed_lines, python_mistakes
from tests.faults.reached import UNPROBED, Test, make_map, read_map

LIMIT = 900  # seconds for the tests of one mistake, which on an idle machine take PATIENCE at most
PATIENCE = 60
TESTS = "tests/bottom tests/cli tests/config tests/faults tests/go tests/image tests/libpod tests/monitor tests/network"
TESTS += " tests/oci tests/rootless tests/security tests/spec tests/storage tests/project/test_beneath.py"
C_TESTS = {
    "src/conmon_c/conmon": "tests/conmon tests/monitor tests/libpod/test_sdnotify.py",
    "src/conmon_c/native": "tests/storage tests/image/test_odd_layers.py",
    "src/conmon_c/holder": "tests/rootless",
    "src/conmon_c/launcher": "tests/project/test_launcher.py tests/cli/test_main.py",
    "src/conmon_c/hello": "tests/project/test_hello.py",
    "src/podpy": "tests/project/test_package.py tests/project/test_launcher.py tests/cli/test_main.py",  # UNPROBED
}


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """Give a copy of the built checkout that every user can read, with its modules compiled."""
    copy = Path(tempfile.mkdtemp(prefix="podpy-mutate-", dir="/var/tmp"))
    try:
        shutil.copytree(CHECKOUT, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", "build"))
        copy.chmod(0o755)
        compile_modules(copy / "src/podpy")
        yield copy
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", copy])


def possible(since: str, only: str) -> list[Mistake]:
    """Return every mistake that can be made in changed lines of the files below src whose names begin with one of
    `only`, which commas separate.
    """
    found = []
    beginnings = tuple(begin + name for name in only.split(",") for begin in ("", "podpy/"))
    kinds = {".py": python_mistakes, ".c": c_mistakes, ".h": c_mistakes}
    for path, lines in sorted(changed_lines(since).items()):
        inside = os.fspath(path).removeprefix(f"{CHECKOUT}/src/")
        if inside.startswith(beginnings) and path.suffix in kinds and "/cli/_" not in inside:
            found += [one for one in kinds[path.suffix](path) if one.line in lines]
    return found


def tests_for(mistake: Mistake, known: list[Test]) -> tuple[list[str], int]:
    """Return the tests to run for a mistake, and how many others reach it, too."""
    inside = os.fspath(mistake.path.relative_to(CHECKOUT))
    if mistake.path.suffix != ".py" or inside.removeprefix("src/") in UNPROBED:
        return next(tests.split() for place, tests in C_TESTS.items() if inside.startswith(place)), 0
    room = f"tests/{inside.split('/')[2]}/"
    reaching = [test for test in known if mistake.name in test.reached]
    reaching.sort(key=lambda test: not test.name.startswith(room))  # those of the room first, the fastest first
    chosen, seconds = [], 0.0
    for test in reaching:
        seconds += test.seconds
        if seconds > PATIENCE and chosen:
            break
        chosen.append(test.name)
    return chosen, len(reaching) - len(chosen)


def who_notices(copy: Path, mistake: Mistake, tests: list[str], workers: int) -> str:
    """Make the mistake in the copy, run the tests, and take it back. Return the test that failed, or ""."""
    target = copy / mistake.path.relative_to(CHECKOUT)
    source = target.read_text()
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=200", *tests]
    parallel = ["-n", str(workers), "--dist", "loadgroup"] if workers > 1 else []
    # As it stands in the copy: no engine is copied and packed for each mistake.
    environment = {**os.environ, "PODPY_TEST_COMMAND": os.fspath(copy / "src/podpy/_bin/podpy")}
    target.write_text(mistake.apply(source))
    try:
        if not is_built(copy, target):
            return "the compiler"
        done = subprocess.run(
            [*command, *parallel], cwd=copy, env=environment, capture_output=True, text=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return "the clock"
    finally:
        target.write_text(source)
        is_built(copy, target)
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(FAILED|ERROR) .*", done.stdout, re.M)
    return failed[0] if failed else done.stdout[-500:] + done.stderr[-500:]


def is_built(copy: Path, changed: Path) -> bool:
    """Compile a module, or build the C parts of the copy."""
    if changed.suffix == ".py":
        return compile_modules(changed)
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    return subprocess.run(command, cwd=copy, capture_output=True).returncode == 0


def compile_modules(path: Path) -> bool:
    """Write the byte code of a file, or of all in a directory: podpy's user can't."""
    return subprocess.run([sys.executable, "-m", "compileall", "-q", "-f", path]).returncode == 0


def describe(mistake: Mistake) -> str:
    """Return the mistake as a diff."""
    source = mistake.path.read_text()
    name = os.fspath(mistake.path.relative_to(CHECKOUT))
    lines = difflib.unified_diff(source.splitlines(), mistake.apply(source).splitlines(), name, name, n=1, lineterm="")
    return "\n".join(lines)


def make_mistakes(chosen: list[Mistake], known: list[Test], workers: int) -> None:
    """Make each mistake, say who notices it, and count."""
    noticed = 0
    with copied() as copy:
        for number, mistake in enumerate(chosen, 1):
            tests, others = tests_for(mistake, known)
            who = who_notices(copy, mistake, tests, workers) if tests else ""
            noticed += bool(who)
            place = f"{mistake.path.relative_to(CHECKOUT)}:{mistake.line}"
            if who:
                print(f"{number}: {place} noticed by {who}", flush=True)
            else:
                print(f"{number}: {place} SURVIVED {len(tests)} tests, {others} more reach it", flush=True)
                print(describe(mistake), flush=True)
    print(f"noticed: {noticed} of {len(chosen)}")


def main() -> None:
    """Make the map, or mistakes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--map", required=True, type=Path, help="which test reaches what, in this very checkout")
    parser.add_argument("--since", help="make mistakes in lines that changed since this revision")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", help="files below src/podpy or src whose names begin so, or so: cli/,oci/"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("tests", nargs="*", default=TESTS.split())
    options = parser.parse_args()
    if options.since is None:
        with copied() as copy:
            make_map(copy, options.map.resolve(), options.tests, options.workers)
        return
    found = possible(options.since, options.only)
    chosen = random.Random(options.seed).sample(found, min(options.count, len(found)))
    print(f"{len(found)} mistakes are possible; making {len(chosen)}", flush=True)
    make_mistakes(chosen, read_map(options.map), options.workers)


if __name__ == "__main__":
    main()
