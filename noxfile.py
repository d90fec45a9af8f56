"""Sessions for working on podpy: `nox -l` lists them. scripts/test runs the same and sets up the machine, too."""

from __future__ import annotations

import tomllib
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "unit"]
nox.options.reuse_existing_virtualenvs = True

HOST_ROOMS = ["libpod", "rootless", "network", "storage", "image", "faults", "security"]
"""Rooms whose tests start containers, or mount."""

UNIT_ROOMS = ["project", "cli", "spec", "go", "oci", "monitor", "config", "bottom"]


def requirements() -> list[str]:
    """Return what pyproject.toml wants for running, building and testing."""
    data = tomllib.loads(Path("pyproject.toml").read_text())
    project = data["project"]
    return [*data["build-system"]["requires"], *project["dependencies"], *project["optional-dependencies"]["test"]]


def prepare(session: nox.Session) -> None:
    """Install the tools and build the checkout."""
    session.install(*requirements())
    session.run("python", "setup.py", "--quiet", "build_ext", "--inplace")


def run_tests(session: nox.Session, rooms: list[str]) -> None:
    """Run the tests of these rooms."""
    directories = [f"tests/{room}" for room in rooms]
    session.run("pytest", *directories, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and format."""
    session.install(*requirements())
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict."""
    session.install(*requirements())
    session.run("mypy", "--strict")


@nox.session
def unit(session: nox.Session) -> None:
    """Tests that start no container."""
    prepare(session)
    run_tests(session, UNIT_ROOMS)


@nox.session
def host(session: nox.Session) -> None:
    """Tests that start containers on this machine."""
    prepare(session)
    run_tests(session, HOST_ROOMS)


@nox.session
def conmon(session: nox.Session) -> None:
    """The monitor, driven with real OCI runtimes, with sanitizers too."""
    prepare(session)
    run_tests(session, ["conmon"])


@nox.session
def bench(session: nox.Session) -> None:
    """Containers beside Podman (an unprivileged user, an idle machine); bench/ has more, each says how to run it."""
    prepare(session)
    session.run("python", "bench/containers.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """What the documents name exists."""
    prepare(session)
    session.run("pytest", "tests/project/test_docs.py")
