"""Programs from PyPI that drive `podman`, each in a directory of its own beside the test tools; versions are pinned.

python -m tests.support.programs        installs those that aren't there yet (scripts/test calls it)
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import needs

PROGRAMS = {
    "docker-py": (
        "docker==7.2.0", "requests==2.34.2", "urllib3==2.8.0", "idna==3.20", "certifi==2026.10.19.post1",
        "charset-normalizer==3.5.3",
    ),
    "podman-compose": ("podman-compose==1.6.0", "python-dotenv==1.2.4"),
    "testinfra": ("pytest-testinfra==10.2.2",),
}  # fmt: skip
"""What is installed for each; what else they need (PyYAML, pytest) is among the test tools."""
PLACE_VARIABLE = "PODPY_TEST_PROGRAMS"


def are_there() -> bool:
    """Return whether all of them are installed."""
    return all(_target(name).exists() for name in PROGRAMS)


def directory(name: str) -> Path:
    """Return what is to be on PYTHONPATH for a program; skip the calling test if scripts/test couldn't install it.

    Without scripts/test it is installed if it isn't there. Raises subprocess.CalledProcessError if pip fails.
    """
    if needs.is_strict():
        needs.require("programs")
    return _installed(name)


def _target(name: str) -> Path:
    place = Path(os.environ.get(PLACE_VARIABLE) or Path(sys.prefix) / "programs")
    return place / PROGRAMS[name][0].replace("==", "-")


def _installed(name: str) -> Path:
    target = _target(name)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one of the workers installs it
        if not target.exists():
            _install(PROGRAMS[name], target)
    return target


def _install(requirements: tuple[str, ...], target: Path) -> None:
    unfinished = target.with_name(target.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--root-user-action=ignore", "--no-deps", "--target", str(unfinished)]
    subprocess.run([*pip, *requirements], check=True)
    subprocess.run(["chmod", "-R", "a+rX", unfinished], check=True)
    unfinished.rename(target)


if __name__ == "__main__":
    for program in PROGRAMS:
        _installed(program)
