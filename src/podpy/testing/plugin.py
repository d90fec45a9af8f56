"""The pytest plugin's entry point: fixtures. A run that uses none of them loads this module alone."""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.library.runtime import Runtime
    from podpy.testing.scope import MakeContainer, MakeImage, MakeNetwork, MakePod, RunningRegistry, Scope

_REGISTRY = "docker.io/library/registry:2"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the plugin's settings."""
    parser.addini("podpy_registry_image", "The image of the fixture `registry`.", default=_REGISTRY)


@pytest.fixture(scope="session")
def podpy_session(pytestconfig: pytest.Config) -> Iterator[Scope]:
    """What lives as long as the test session: for fixtures of your own with `scope="session"` or "module"."""
    from podpy.testing.report import Reporter
    from podpy.testing.scope import open_session

    with open_session(str(pytestconfig.getini("podpy_registry_image"))) as scope:
        reporter = Reporter(scope.session)
        pytestconfig.pluginmanager.register(reporter)
        try:
            yield scope
        finally:
            pytestconfig.pluginmanager.unregister(reporter)


@pytest.fixture
def podpy_scope(podpy_session: Scope) -> Iterator[Scope]:
    """What lives as long as one test: the other fixtures make their things in it."""
    with podpy_session.inner() as scope:
        yield scope


@pytest.fixture
def podpy_runtime(podpy_session: Scope) -> Runtime:
    """The engine: `podpy.Runtime`."""
    return podpy_session.runtime


@pytest.fixture
def container(podpy_scope: Scope) -> MakeContainer:
    """A function that starts a container and waits until it is ready; it is removed after the test."""
    return podpy_scope.container


@pytest.fixture
def image(podpy_scope: Scope) -> MakeImage:
    """A function that builds an image of a directory; its name is removed after the test."""
    return podpy_scope.image


@pytest.fixture
def pod(podpy_scope: Scope) -> MakePod:
    """A function that makes a pod; it is removed after the test, with its containers."""
    return podpy_scope.pod


@pytest.fixture
def network(podpy_scope: Scope) -> MakeNetwork:
    """A function that makes a network; it is removed after the test."""
    return podpy_scope.network


@pytest.fixture
def registry(podpy_scope: Scope) -> RunningRegistry:
    """An empty registry on this machine; its `address` is HOST:PORT."""
    return podpy_scope.registry()
