"""A build by a library's process, which stays where it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import podpy as podpy_package
from tests.build.building import Builder

CALLER = """
import os, sys
from podpy import Runtime
from podpy.build.build import Build
from podpy.build.options import BuildOptions, Report

namespaces = [os.readlink(f"/proc/self/ns/{name}") for name in ("user", "mnt")]


class Heard(Report):
    def begins(self, step):
        print("step", step.number, step.text)

    def output(self, stream, data):
        print("output", stream, data)


with Runtime() as runtime:
    for _ in range(2):
        built = Build(runtime, BuildOptions(context=sys.argv[1], names=["made"]), Heard()).run()
        print(built.image_id == runtime.images.get("made").id, built.names)
    assert runtime.rows() == []
assert namespaces == [os.readlink(f"/proc/self/ns/{name}") for name in ("user", "mnt")]
"""


def test_a_library_builds_in_a_helper(build: Builder) -> None:
    build.write({"Dockerfile": "FROM localhost/busybox\nRUN echo out\n", "../caller.py": CALLER})
    package = build.podpy.launcher.parents[2]
    if not (package / "podpy/__init__.py").exists():  # an installed podpy is tested, by its launcher alone
        package = Path(podpy_package.__file__ or "").parents[1]
    command = [sys.executable, os.fspath(build.podpy.home / "caller.py"), os.fspath(build.context)]
    lines = build.podpy.run(command, env={"PYTHONPATH": os.fspath(package)}).ok().splitlines()
    assert lines[:3] == ["step 1 FROM localhost/busybox", "step 2 RUN echo out", "output 1 b'out\\n'"]
    assert lines[3:] == ["True ['localhost/made:latest']", lines[0], lines[1], "True ['localhost/made:latest']"]
