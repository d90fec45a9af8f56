"""Debian's nginx, redis-server, PostgreSQL and Python, for images with real services: packages, downloaded once.

python -m tests.support.services      downloads them if they aren't there yet (scripts/test calls it)
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import needs

WEB = ("nginx", "redis-server", "python3-minimal", "libpython3-stdlib")
DATABASE = ("postgresql",)
_PLACE = Path(sys.prefix) / "programs" / "services"
_WANTED = re.compile(r"lib|nginx|redis|postgresql-(client-)?\d|python3|tzdata|zlib")
_UNUSED = re.compile(r"libllvm|libz3|libperl|lib.*-perl$|libnginx|libc-l10n|libpam-|libsemanage|libbpf|libcap2-bin")
_LEFT_OUT = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/lintian", "./usr/lib/*/bitcode")
_USERS = "root:x:0:0:root:/root:/bin/sh\nservice:x:999:999::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"
_GROUPS = "root:x:0:\nservice:x:999:\nnogroup:x:65534:\n"


def is_there() -> bool:
    """Return whether the packages are downloaded."""
    return all((_PLACE / names[0]).is_dir() for names in (WEB, DATABASE))


def install() -> None:
    """Download them, if that isn't done yet. Raises subprocess.CalledProcessError if they can't be had."""
    _PLACE.mkdir(parents=True, exist_ok=True)
    with open(_PLACE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of the workers downloads them
        for names in (WEB, DATABASE):
            target = _PLACE / names[0]
            if not target.is_dir():
                unfinished = target.with_name(target.name + ".new")
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                _download(names, unfinished)
                unfinished.rename(target)


def root_filesystem(names: tuple[str, ...], base: Path) -> Path:
    """Return a tar for `podpy import` with what these services (WEB or DATABASE) need to run, busybox and a user
    `service`, made in the directory `base` when it is first asked for. Skips the calling test if the packages couldn't
    be had.
    """
    if not needs.is_strict():
        install()
    needs.require("service-packages")
    made = base / f"{names[0]}.tar"
    if not made.exists():
        with tempfile.TemporaryDirectory(dir=base) as root:
            _unpack(sorted((_PLACE / names[0]).glob("*.deb")), Path(root))
            subprocess.run(
                ["tar", "--owner=0", "--group=0", "--numeric-owner", "-cf", made, "-C", root, "."], check=True
            )
        made.chmod(0o644)
    return made


def _closure(names: tuple[str, ...]) -> list[str]:
    """Return what would be installed along with packages on a machine that has none, without what images don't use."""
    with tempfile.NamedTemporaryFile(suffix=".status") as nothing:
        Path(nothing.name).chmod(0o644)
        command = ["apt-get", "-qq", "-s", "-o", f"Dir::State::status={nothing.name}", "--no-install-recommends"]
        said = subprocess.run([*command, "install", *names], check=True, capture_output=True, text=True).stdout
    all_of_them = [line.split()[1] for line in said.splitlines() if line.startswith("Inst ")]
    return [name for name in all_of_them if _WANTED.match(name) and not _UNUSED.match(name)]


def _download(names: tuple[str, ...], target: Path) -> None:
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *_closure(names)]
    subprocess.run(command, check=True, cwd=target)


def _unpack(packages: list[Path], root: Path) -> None:
    root.chmod(0o755)
    for name in ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "usr/bin", "usr/sbin", "usr/lib"):
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to("usr/" + name)
    (root / "usr/lib64").mkdir()
    left_out = [f"--exclude={path}" for path in _LEFT_OUT]
    for package in packages:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as reading:
            unpack = ["tar", "-x", "--no-same-owner", "--keep-directory-symlink", *left_out, "-C", str(root)]
            subprocess.run(unpack, stdin=reading.stdout, check=True)
    shutil.copy("/bin/busybox", root / "usr/bin/busybox")
    for applet in ("sh", "cat", "id", "mkdir", "sleep", "hostname"):
        if not os.path.lexists(root / "usr/bin" / applet):
            (root / "usr/bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text(_USERS)
    (root / "etc/group").write_text(_GROUPS)


if __name__ == "__main__":
    install()
