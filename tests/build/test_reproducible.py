"""The same source gives the same image: whoever builds it, when, where, and from whichever copy of the files."""

from __future__ import annotations

import io
import json
import os
import shlex
import tarfile
from pathlib import Path

import pytest

from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE

EPOCH = 1_234_567_890
FILES = {"a": 0o644, "b/c": 0o600, "b/run.sh": 0o755, "b/deep/er/d": 0o640, "z": 0o4755, "é": 0o644}
DOCKERFILE = """FROM scratch
ARG V=1
COPY . /all/
COPY --chown=3:4 --chmod=750 b /owned
ADD archive.tar /unpacked/
RUN --mount=from=tools,target=/t ["/t/bin/busybox", "sh", "-c", "PATH=/t/bin; mkdir -p /x/y; echo $V > /x/y/z; \
ln -s z /x/y/l; chmod 4755 /x/y/z; ln /x/y/z /hard; rm -r /all/b; mkdir /all/b; umask > /x/umask; cp -p /all/a /x/a"]
WORKDIR /w/deep
COPY <<EOF doc
$V
EOF
LABEL b=1 a=2
CMD ["sh"]
"""
# Recorded on Debian 12 (Python 3.11, crun 1.8). Another machine must get the same.
IMAGES = {"amd64": "sha256:72ab8321a42bd24063b831645675bfa909a6f67b53d9cb1ba4fb279f9b0ab755"}


def make_context(podpy: Podpy, name: str, *, backwards: bool, time: int) -> Path:
    """Make the context; where it lies, its files' times and their order on disk tell nothing."""
    top = podpy.home / name
    top.mkdir()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("in/é")
        entry.mtime, entry.uid = EPOCH - 5, 7
        tar.addfile(entry)
    for file, mode in sorted(FILES.items(), reverse=backwards):
        path = top / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file)
        path.chmod(mode)
    (top / "archive.tar").write_bytes(archive.getvalue())
    (top / "link").symlink_to("b/c")
    os.link(top / "a", top / "same")
    (top / "Dockerfile").write_text(DOCKERFILE)
    for number, path in enumerate([top, *top.rglob("*")]):
        if path.name not in ("link", *(Path(file).name for file in FILES), "same"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.chown(path, podpy.user.uid, podpy.user.gid, follow_symlinks=False)
        os.utime(path, (time + number, time + number), follow_symlinks=False)
    (top / "z").chmod(FILES["z"])  # a change of the owner takes the bit
    os.utime(top / "z", (time, time))
    return top


def built(podpy: Podpy, context: Path, *, umask: str, env: dict[str, str]) -> tuple[str, str]:
    """Build, and return the image's id and its manifest's digest."""
    told = podpy.home / "told"
    command = podpy.command(
        "build", "-q", "--no-cache", "--build-context", "tools=docker-image://localhost/busybox",
        "--source-date-epoch", str(EPOCH), "--rewrite-timestamp", "--metadata-file", os.fspath(told),
        os.fspath(context),
    )  # fmt: skip
    podpy.run(["sh", "-c", f"umask {umask}; exec {shlex.join(command)}"], env=env).ok()
    found = json.loads(told.read_text())
    told.unlink()
    return found["containerimage.config.digest"], found["containerimage.digest"]


def check(podpy: Podpy) -> None:
    """Build twice, and compare with what other machines made of it."""
    first = built(podpy, make_context(podpy, "one", backwards=False, time=EPOCH + 1000), umask="022", env={})
    other = {"TZ": "Asia/Tokyo", "LANG": "C", "PYTHONHASHSEED": "7", "TMPDIR": os.fspath(podpy.home)}
    context = make_context(podpy, "two", backwards=True, time=EPOCH + 400_000_000)
    assert built(podpy, context, umask="077", env=other) == first
    if ARCHITECTURE in IMAGES:
        assert first[0] == IMAGES[ARCHITECTURE]


@pytest.mark.usefixtures("busybox")
def test_two_builds_give_the_image_that_other_machines_give(podpy: Podpy) -> None:
    check(podpy)


def test_root_s_build_gives_the_same_image(podpy_root: Podpy, busybox_archive: Path) -> None:
    podpy_root("load", "-i", str(busybox_archive)).ok()
    check(podpy_root)
