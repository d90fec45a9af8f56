"""Fixtures for all tests. See CONTRIBUTING.md.

user              an unprivileged user (as root: `podpy-test`, made if it isn't there)
podpy             the built podpy, run as that user, with state of its own; checked for leftovers at the end
podpy_root        the same as root (skipped if the suite isn't run as root)
busybox           the name of an image that is loaded into `podpy`'s store
busybox_archive   a docker-archive of it; busybox_oci_archive: an oci-archive
registry, secure_registry       Debian's docker-registry on 127.0.0.1; with TLS and a password
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import images, needs, places
from tests.support.engine import Podpy, place_engine
from tests.support.registry import Registry
from tests.support.users import User, root_user, unprivileged_user


def pytest_configure() -> None:
    """Let Ctrl-C arrive: a shell that starts the suite in the background has it ignored, by whatever we start, too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In strict mode a skip is a failure unless its reason is a need that this machine really lacks."""
    report = yield
    is_expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not is_expected_failure and needs.is_strict():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not needs.is_allowed(reason):
            report.outcome = "failed"
            report.longrepr = f"skipped in strict mode, which only a need in tests/support/needs.py may: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Workers send their reports as UTF-8; a file name that isn't, in a failure, would end the whole session."""
    report = yield
    return _as_utf8(report)


def _as_utf8(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, dict):
        return {_as_utf8(key): _as_utf8(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(_as_utf8(item) for item in data)
    return data


_LONG = 4096  # bytes


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Say where two long pieces of data differ; pytest's own comparison of a megabyte takes longer than a test may."""
    if op != "==" or not isinstance(left, bytes) or not isinstance(right, bytes) or len(left) + len(right) < _LONG:
        return None
    shorter = min(len(left), len(right))
    place = next((number for number in range(shorter) if left[number] != right[number]), shorter)
    return [
        f"{len(left)} bytes == {len(right)} bytes",
        f"they differ from byte {place} on: {left[place : place + 32]!r} == {right[place : place + 32]!r}",
    ]


@pytest.fixture(scope="session")
def session_base() -> Iterator[Path]:
    """A directory on a real file system that every user can read; deleted at the end."""
    base = places.make_base()
    yield base
    places.remove(base)


@pytest.fixture(scope="session")
def launcher(session_base: Path) -> Path:
    """The `podpy` executable that is tested, where every user can run it."""
    return place_engine(session_base)


@pytest.fixture(scope="session")
def user() -> User:
    """An unprivileged user with subordinate ids."""
    return unprivileged_user()


@pytest.fixture(scope="session")
def engine_base(session_base: Path, user: User) -> Path:
    """Where each test's home directory is made."""
    base = session_base / "homes"
    base.mkdir(mode=0o755)
    return base


@pytest.fixture
def podpy(launcher: Path, user: User, engine_base: Path) -> Iterator[Podpy]:
    """podpy as the unprivileged user; the test fails if a process or mount of it is left."""
    engine = Podpy(launcher, user, engine_base)
    yield engine
    engine.close()


@pytest.fixture
def podpy_root(launcher: Path, engine_base: Path) -> Iterator[Podpy]:
    """podpy as root; the test fails if a process or mount of it is left."""
    needs.require("mount")
    engine = Podpy(launcher, root_user(), engine_base)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def busybox_image() -> images.Image:
    """The busybox image as an object."""
    return images.busybox_image()


@pytest.fixture(scope="session")
def busybox_archive(session_base: Path, busybox_image: images.Image) -> Path:
    """A docker-archive with localhost/busybox:latest."""
    return busybox_image.write_docker_archive(session_base / "busybox.docker.tar")


@pytest.fixture(scope="session")
def busybox_oci_archive(session_base: Path, busybox_image: images.Image) -> Path:
    """An oci-archive with localhost/busybox:latest."""
    return busybox_image.write_oci_archive(session_base / "busybox.oci.tar")


@pytest.fixture
def busybox(podpy: Podpy, busybox_archive: Path) -> str:
    """localhost/busybox:latest, loaded into `podpy`'s store."""
    podpy("load", "-i", str(busybox_archive)).ok()
    return images.BUSYBOX


@pytest.fixture
def registry(session_base: Path) -> Iterator[Registry]:
    """An empty registry on 127.0.0.1 that speaks HTTP."""
    with Registry.start(session_base) as running:
        yield running


@pytest.fixture
def secure_registry(session_base: Path) -> Iterator[Registry]:
    """An empty registry on 127.0.0.1 with TLS (`ca` is its certificate) that asks for `user` and `password`."""
    with Registry.start(session_base, tls=True, auth=True) as running:
        yield running
