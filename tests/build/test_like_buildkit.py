"""Builds beside Docker's BuildKit (28.5), whose answers to cases.txt are recorded in buildkit.json."""

from __future__ import annotations

import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.build import shapes
from tests.build.building import Builder
from tests.build.record_buildkit import ANSWERS
from tests.support.engine import Result

RECORDED: dict[str, Any] = json.loads(ANSWERS.read_text())
SECRET = {"A_SECRET": "hidden"}


def told(result: Result) -> str:
    """Return the line of an error, without what says where."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.describe()
    return re.sub(r'^building at STEP "(.*?)": |^[^ ]*Dockerfile:\d+:\d+: ', "", lines[0].removeprefix("Error: "))


class Places:
    """The context of the cases, and the base's tree."""

    def __init__(self, build: Builder, base: Path) -> None:
        self._build = build
        shapes.make_context(build.context)
        for path in [build.context, *build.context.rglob("*")]:
            os.chown(path, build.podpy.user.uid, build.podpy.user.gid, follow_symlinks=False)
        (build.context / "setuid").chmod(0o4755)  # a change of the owner takes the bit
        self._base = _saved(base).tree

    def answer(self, case: shapes.Case) -> dict[str, Any]:
        """Return what podpy makes of a case, told as record_buildkit.py tells it."""
        podpy, context = self._build.podpy, self._build.context
        file, archive = podpy.home / "Dockerfile", podpy.home / "made.tar"
        file.write_text(case.text)
        archive.unlink(missing_ok=True)
        ignored = context / ".dockerignore"
        ignored.unlink(missing_ok=True)
        if case.ignored:
            ignored.write_text(case.ignored)
            os.utime(ignored, (shapes.OLD, shapes.OLD))
        os.utime(context, (shapes.OLD, shapes.OLD))
        words = ["-q", "-o", f"type=docker,dest={archive}", "-f", os.fspath(file), *case.options, os.fspath(context)]
        done = podpy("build", *words, env=SECRET)
        assert "Traceback" not in done.stderr, done.describe()
        if done.returncode:
            return {"error": told(done)}
        return _saved(archive).answer({} if case.is_from_nothing else self._base)


def _saved(path: Path) -> shapes.Saved:
    with tarfile.open(path) as archive:
        return shapes.Saved(archive)


@pytest.fixture
def places(build: Builder, busybox_archive: Path) -> Places:
    return Places(build, busybox_archive)


WORDS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER "
    "VOLUME WORKDIR".split()
)


def steps_of(history: list[list[Any]]) -> list[tuple[str, bool]]:
    """Return each line's instruction, and whether it made a layer: the forms are Docker's and Podman's own."""
    words = [line.removeprefix("/bin/sh -c #(nop) ").split()[0] for line, _ in history]
    return [(word if word in WORDS else "RUN", has_layer) for word, (_, has_layer) in zip(words, history, strict=True)]


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> set[str]:
    """Return what differs: "error" (only one fails), "history", a setting, a path of the tree."""
    if "error" in ours or "error" in theirs:
        return set() if ("error" in ours) == ("error" in theirs) else {"error"}
    found = {"history"} if steps_of(ours["history"]) != steps_of(theirs["history"]) else set()
    ours["settings"].setdefault("WorkingDir", "/")
    theirs["settings"].setdefault("WorkingDir", "/")  # the same, unless it is a stage's first
    for kind in ("settings", "tree"):
        one, other = ours[kind], theirs[kind]
        found |= {name for name in {*one, *other} if one.get(name) != other.get(name)}
    return found | ({"author"} if ours["author"] != theirs["author"] else set())


LOSES = "BuildKit loses a file without a word"
WRONG = "a mistake of the file's writer that BuildKit passes over"
SAME_TIME = "a directory that is in the image keeps its time"
REFERENCE = "the Dockerfile reference says that these files stay out"
NOT_READ = "only what COPY names is looked at: the exceptions leave a dangling link out"
WHOLE = "a directory with something left out keeps its own time, too"
MORE = "more than Docker 28.5 does"
ONBUILD = "ONBUILD stands in the history, as Podman has it"
DIFFERENT = {
    "add an archive with mode": ("t t/in t/in/one t/in/two", "--chmod holds for what is unpacked, too"),
    "add an archive with owner": ("t/in", "--chown holds for directories that the archive doesn't name, too"),
    "chown existing directories": ("tmp", SAME_TIME),
    "chown too large": ("error", WRONG),
    "chown unknown": ("error", WRONG),
    "chown unknown group": ("error", WRONG),
    "copy a directory over one with another mode": ("p", SAME_TIME),
    "copy a directory with a subdirectory over another mode": ("p", SAME_TIME),
    "copy a double star": ("t t/c", MORE),
    "copy a file into a link to a directory": ("real", SAME_TIME),
    "copy a sticky directory into an existing one": ("tmp", SAME_TIME),
    "copy a tree onto one with a link to a file in it": ("x", SAME_TIME),
    "copy a wildcard that fits nothing": ("error", WRONG),
    "copy a wildcard to a name without a slash": ("t t/a.txt t/b.txt", LOSES),
    "copy everything": ("all all/d", WHOLE),
    "copy exclude a directory": ("error", NOT_READ),
    "copy exclude in depth": ("error", NOT_READ),
    "copy exclude of a named file": ("t/f", REFERENCE),
    "copy exclude with a wildcard in the source": ("t/b.txt", REFERENCE),
    "copy parents": ("error", MORE),
    "copy several files onto a file": ("error", LOSES),
    "copy several files without a slash": ("both both/f both/g", LOSES),
    "expose mapped": ("error", WRONG),
    "ignore": ("t", WHOLE),
    "ignore a directory but its content": ("t", WHOLE),
    "ignore and copy what is ignored by wildcard": ("error", WRONG),
    "ignore and mounts": ("t", "a mount of the context shows its ignored files (docs/build.md)"),
    "ignore exceptions": ("t t/d t/texts", WHOLE),
    "onbuild": ("history", ONBUILD),
    "onbuild of a stage": ("history", ONBUILD),
    "onbuild of a stage, twice on": ("history", ONBUILD),
    "stage target by number": ("error", "as Podman does it"),
    "mount ssh that is missing": ("t", "a variable for a socket that isn't there helps nobody"),
    "run without a command": ("error", WRONG),
    "workdir with a slash at the end": ("WorkingDir", "the path without it, as Podman does it"),
    "workdir that is there": ("history", "no empty layer"),
}
"""Case: what differs from BuildKit's, and why."""
GROUPS = 8  # each has a store of its own


@pytest.mark.parametrize("group", range(GROUPS))
def test_what_is_built_is_what_buildkit_builds(places: Places, group: int) -> None:
    cases = shapes.cases()
    assert cases.keys() == RECORDED.keys()
    wrong = {}
    for name in [*cases][group::GROUPS]:
        found = differences(places.answer(cases[name]), RECORDED[name])
        expected, _reason = DIFFERENT.get(name, ("", ""))
        if found != {*expected.split()}:
            wrong[name] = found
    assert not wrong
