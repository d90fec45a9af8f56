"""Builds beside Podman's (4.3): the same Dockerfiles give the same files, settings and lines."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.build.building import Builder
from tests.support import needs

FILES = {
    "f": "f", "g": "g", "d/x": "x", "d/e/y": "y", "d/link": "", "texts/n.txt": "n", "texts/deep/m.txt": "m",
}  # fmt: skip
CASES = {
    "settings": 'ENV A=b C="d e" P=$PATH:/x\nLABEL l="two words" m=1\nEXPOSE 80 443/udp\nSTOPSIGNAL SIGINT\nCMD ["a"]\n'
    "ENTRYPOINT exec top\nCMD echo $A\nUSER user\nWORKDIR /w\nWORKDIR x\nRUN true\nVOLUME /v\n",
    "files": "ARG V=1\nARG W=${V}2\nENV X=${W:-no} Y=${none:+yes} Z=a\\ b\n"
    "RUN mkdir /real /o; ln -s real /way; ln -s /etc/passwd /absolute; echo $V $W $X > /v\n"
    "COPY f /f\nCOPY f /etc\nCOPY f g /both/\nCOPY d /tree\nCOPY d/ /tree2/\nCOPY texts/*.txt /t/\n"
    "COPY --chown=user:user f /u\nCOPY --chown=3:4 d /n\nCOPY --chown=7 f /new/dir/f\nCOPY --chmod=640 f /m\n"
    "COPY f /way/\nCOPY f /way/g\nCOPY d /way\nCOPY ${V:+f} /x$W\nWORKDIR /a/b\nCOPY f .\n"
    "RUN echo x > here; rm -r /etc/group /home; mkdir /home; echo x > /home/x; chmod 4750 /home/x; chown 5:6 /home/x\n",
    "stages": "RUN mkdir /o; echo 1 > /o/1; chown 8:9 /o/1; ln -s 1 /o/l\nFROM localhost/busybox\n"
    "COPY --from=0 /o /p\nCOPY --from=0 /o/1 /o/l /q/\n",
}


class Podman:
    """Podman with a store of its own, as root: rootless it can't in a test."""

    def __init__(self, base: Path) -> None:
        self._own = ["podman", "--root", base / "root", "--runroot", base / "run", "--storage-driver", "vfs",
                     "--cgroup-manager", "cgroupfs"]  # fmt: skip

    def __call__(self, *words: str) -> str:
        done = subprocess.run([*self._own, *words], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def files(self, image: str) -> dict[str, tuple[Any, ...]]:
        """Return what is in an image, by path."""
        top = Path(self("image", "mount", image).strip())
        try:
            return {os.fspath(path.relative_to(top)): _facts(path) for path in top.rglob("*")}
        finally:
            self("image", "unmount", image)


def _facts(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    link = os.readlink(path) if path.is_symlink() else ""
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, size, link


@pytest.fixture(scope="module")
def podman(session_base: Path, busybox_archive: Path) -> Iterator[Podman]:
    """Podman with localhost/busybox."""
    needs.require("root")
    needs.require("mount")
    engine = Podman(session_base / "podman-builds")
    engine("load", "-q", "-i", os.fspath(busybox_archive))
    yield engine
    engine("rmi", "-af")


KINDS = {b"0": stat.S_IFREG, b"1": stat.S_IFREG, b"2": stat.S_IFLNK, b"5": stat.S_IFDIR}


def ours(build: Builder, image: str) -> dict[str, tuple[Any, ...]]:
    found = {}
    for name, entry in build.files(image).items():
        mode = 0o777 if entry.issym() else entry.mode
        found[name] = (
            KINDS[entry.type],
            mode,
            entry.uid,
            entry.gid,
            entry.size,
            entry.linkname if entry.issym() else "",
        )
    return found


PLACES = {
    "run",
    "run/.containerenv",
    "run/secrets",
    "etc/hosts",
    "etc/hostname",
    "etc/resolv.conf",
    "dev",
    "proc",
    "sys",
}
"""Where builders mount something: what Podman's leave there is no change of a command's."""
KEYS = ("User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "StopSignal")


@pytest.mark.parametrize("case", CASES)
def test_files_settings_and_lines_are_podman_s(build: Builder, podman: Podman, case: str) -> None:
    build.write(FILES)
    (build.context / "d/link").unlink()
    (build.context / "d/link").symlink_to("x")
    text = CASES[case]
    told = build(text, "-t", "x").ok()
    # Its driver vfs copies the whole image for each layer.
    layers = f"--layers={'true' if case == 'settings' else 'false'}"
    theirs = podman("build", "--isolation", "chroot", layers, "-t", "x", os.fspath(build.context))
    assert lines_of(told) == lines_of(theirs) or case != "settings"
    settings = json.loads(podman("image", "inspect", "--format", "{{json .Config}}", "x"))
    own = build.config("x")
    settings.setdefault("WorkingDir", "/")  # as Podman 5 does
    assert {key: own.get(key) for key in KEYS} == {key: settings.get(key) for key in KEYS}
    mine, other = ours(build, "x"), podman.files("x")
    assert {name: facts for name, facts in mine.items() if name not in PLACES} == {
        name: facts for name, facts in other.items() if name not in PLACES
    }


def lines_of(text: str) -> list[str]:
    """Return what a build prints, without ids."""
    return [re.sub(r"^(--> )?[0-9a-f]{11,64}$", r"\1ID", line) for line in text.splitlines()]
