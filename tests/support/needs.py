"""The rule about skips: a test may be skipped only for a need that is listed here and that this machine really lacks.

    needs.require("systemd")          in a test or fixture

In strict mode (PODPY_STRICT=1, which scripts/test sets) every other skip is a failure: a suite that skips half of its
tests looks just as green as one that runs them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

STRICT_VARIABLE = "PODPY_STRICT"
PREFIX = "needs "


def _root() -> bool:
    return os.geteuid() == 0


def _systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def users_generator() -> Path | None:
    """Return the generator of podpy that users' systemd calls (systemd.generator(7)), None if there isn't one."""
    for folder in ("/etc", "/usr/local/lib", "/usr/lib"):
        for path in sorted(Path(folder, "systemd/user-generators").glob("pod*-user-generator")):
            if path.resolve().name == "podpy-system-generator":
                return path
    return None


def _hybrid_cgroups() -> bool:
    return Path("/sys/fs/cgroup/unified/cgroup.controllers").exists()


def _cgroup_delegation() -> bool:
    """A cgroup2 tree with controllers, in which the user may make groups."""
    top = Path("/sys/fs/cgroup")
    controllers = top / "cgroup.controllers"
    return controllers.exists() and "memory" in controllers.read_text() and os.access(top, os.W_OK)


def _cgroup_controllers() -> bool:
    """The real root of a cgroup2 hierarchy (which has no cgroup.type) with a controller; and the right to mount it."""
    roots = [Path(top) for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")]
    files = [root / "cgroup.controllers" for root in roots if not (root / "cgroup.type").exists()]
    return _mount() and any(file.exists() and file.read_text().split() for file in files)


def _kernel_overlay() -> bool:
    return "\toverlay\n" in Path("/proc/filesystems").read_text() or Path("/sys/module/overlay").exists()


def _mount() -> bool:
    """Root that may mount (root in a container may not)."""
    return _root() and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


def _ipv6() -> bool:
    path = Path("/proc/sys/net/ipv6/conf/lo/disable_ipv6")
    return path.exists() and path.read_text().strip() == "0"


def _quickstart() -> bool:
    """scripts/test has set this machine up from this checkout, and nobody has done it from another one meanwhile."""
    installed = Path("/opt/podpy") if _root() else Path.home() / ".local/share/podpy-venv"
    stamp = installed / "podpy-quickstart.stamp"
    return stamp.exists() and stamp.read_text().strip() == os.environ.get("PODPY_SET_UP")


def _programs() -> bool:
    from tests.support import programs

    return programs.are_there()


def _new_pasta() -> bool:
    from tests.support import pastas

    return pastas.is_there()


def _docker_client() -> bool:
    from tests.support import docker

    return docker.is_there()


def _docker_compose() -> bool:
    from tests.support import compose

    return compose.is_there()


def _login_session() -> bool:
    return "/session-" in Path("/proc/self/cgroup").read_text()


def _newer_docker_clients() -> bool:
    from tests.support import docker

    return docker.are_newer_there()


def _service_packages() -> bool:
    from tests.support import services

    return services.is_there()


NEEDS: dict[str, tuple[str, Callable[[], bool]]] = {
    "root": ("the suite runs as an ordinary user", _root),
    "mount": ("no right to mount: not root, or root in a container", _mount),
    "quickstart": ("this machine isn't set up from this checkout by scripts/test", _quickstart),
    "systemd": ("systemd isn't this machine's init", _systemd),
    "login-session": ("the suite doesn't run in a login session of systemd", _login_session),
    "users-generator": ("podpy-system-generator isn't one of users' systemd here", lambda: bool(users_generator())),
    "no-systemd": ("systemd is this machine's init", lambda: not _systemd()),
    "hybrid-cgroups": ("this machine has one cgroup version only", _hybrid_cgroups),
    "cgroup-delegation": ("no writable cgroup2 tree with controllers", _cgroup_delegation),
    "cgroup-controllers": ("no cgroup2 root with a controller can be mounted", _cgroup_controllers),
    "kernel-overlay": ("this kernel has no overlay file system", _kernel_overlay),
    "ipv6": ("this machine has no IPv6", _ipv6),
    "new-pasta": ("pasta is of before August 2024, and scripts/test couldn't install a newer one", _new_pasta),
    "service-packages": ("scripts/test couldn't download the packages of tests/support/services.py", _service_packages),
    "kubectl": ("no kubectl here: Debian has it in kubernetes-client", lambda: shutil.which("kubectl") is not None),
    "docker-client": ("scripts/test couldn't download Docker's command line", _docker_client),
    "docker-compose": ("scripts/test couldn't download Debian 13's docker-compose", _docker_compose),
    "newer-docker-clients": ("scripts/test couldn't download newer Docker clients", _newer_docker_clients),
    "programs": ("scripts/test couldn't install the programs of tests/support/programs.py", _programs),
}


def require(need: str) -> None:
    """Skip the calling test if this machine lacks `need`, a key of NEEDS (raises KeyError for another one)."""
    why, is_there = NEEDS[need]
    if not is_there():
        pytest.skip(f"{PREFIX}{need}: {why}")


def is_allowed(reason: str) -> bool:
    """Return whether a skip's reason is a listed need that is really not there."""
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith(PREFIX):
        return False
    need = reason.removeprefix(PREFIX).split(":")[0]
    return need in NEEDS and not NEEDS[need][1]()


def is_strict() -> bool:
    """Return whether an unlisted skip is a failure in this run."""
    return os.environ.get(STRICT_VARIABLE, "") not in ("", "0")
