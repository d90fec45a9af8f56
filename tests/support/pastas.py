"""A pasta of after August 2024 for hosts whose own is older: Debian 13's, run with the C library that it was built for.

python -m tests.support.pastas      installs it if this host's pasta is old (scripts/test calls it)
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import needs, suites

SUITE = "trixie"
_OPTION = b"--map-guest-addr"
_LOADER = "ld-linux-x86-64.so.2"
_PLACE = Path(sys.prefix) / "programs" / f"pasta-{SUITE}"
_WRAPPER = """#!/bin/sh
exec {place}/lib/pasta.avx2 --argv0 pasta --library-path {place}/lib {place}/passt "$@"
"""
# It looks for a variant of itself beside /proc/self/exe, which is the loader, except if that has the variant's name.


def is_old() -> bool:
    """Return whether this host's pasta is of before August 2024."""
    said = subprocess.run([shutil.which("pasta") or "pasta", "--help"], capture_output=True)
    return _OPTION not in said.stdout + said.stderr


def is_there() -> bool:
    """Return whether there is a pasta of after August 2024: this host's own or the installed one."""
    return not is_old() or (_PLACE / "bin/pasta").exists()


def path(old: str) -> str:
    """Return a PATH on which such a pasta comes first; skip the calling test if there is none."""
    if not is_old():
        return old
    if not needs.is_strict():
        install()
    needs.require("new-pasta")
    return f"{_PLACE}/bin:{old}"


def install() -> None:
    """Install it, if it isn't there yet. Raises subprocess.CalledProcessError if Debian 13's packages can't be had."""
    if is_there():
        return
    _PLACE.parent.mkdir(parents=True, exist_ok=True)
    with open(_PLACE.with_suffix(".lock"), "w") as lock, tempfile.TemporaryDirectory() as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of the workers installs it
        if not _PLACE.exists():
            _unpack(download(Path(scratch), "passt", "libc6"), Path(scratch))


def download(scratch: Path, *names: str) -> list[Path]:
    """Return Debian 13's packages of these names, from the mirrors that this host uses for its own suite.

    Raises subprocess.CalledProcessError if they can't be had.
    """
    return suites.download(scratch, SUITE, *names)


def _unpack(packages: list[Path], scratch: Path) -> None:
    root, made = scratch / "root", scratch / "made"
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", package, root], check=True)
    for name in ("lib", "bin"):
        (made / name).mkdir(parents=True)
    for name, copy in {_LOADER: "pasta.avx2", "libc.so.6": "libc.so.6"}.items():
        found = next(each for each in root.rglob(name) if not each.is_symlink())
        shutil.copy(found, made / "lib" / copy)
        (made / "lib" / copy).chmod(0o755)
    shutil.copy(root / "usr/bin/passt", made / "passt")
    (made / "bin/pasta").write_text(_WRAPPER.format(place=_PLACE))
    (made / "bin/pasta").chmod(0o755)
    subprocess.run(["chmod", "-R", "a+rX", made], check=True)
    shutil.rmtree(f"{_PLACE}.new", ignore_errors=True)
    shutil.copytree(made, f"{_PLACE}.new")
    os.rename(f"{_PLACE}.new", _PLACE)


if __name__ == "__main__":
    install()
