"""Scope: what makes containers, images, pods and networks for tests, and removes them at its end."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager

import pytest

from podpy.errors import NotFoundError, PodpyError
from podpy.library.runtime import Runtime
from podpy.spec.container import AS_CONFIGURED, ContainerSpec
from podpy.spec.pod import PodSpec
from podpy.spec.text.attachments import parse_networks
from podpy.spec.text.ports import parse_publish
from podpy.testing import leftovers, waits, watcher
from podpy.testing.waits import NotReadyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import NoReturn, Self, TypeAlias, TypeVar, Unpack

    from podpy.library.container import Container
    from podpy.library.options import Options
    from podpy.library.pods import Pod
    from podpy.network.definitions.network import Network

    T = TypeVar("T")
    MakeContainer: TypeAlias = Callable[..., Container]
    MakeImage: TypeAlias = Callable[..., str]
    MakePod: TypeAlias = Callable[..., Pod]
    MakeNetwork: TypeAlias = Callable[..., Network]

_TIMEOUT = 60.0  # seconds
_REGISTRY_PORT = 5000


class RunningRegistry:
    """A registry: `address` is HOST:PORT, `container` what it runs in."""

    def __init__(self, runtime: Runtime, container: Container, address: str) -> None:
        self._runtime = runtime
        self.container = container
        self.address = address

    def push(self, image: str, name: str) -> str:
        """Push an image of the store to the registry as `name` ("app:1"), and return its name there."""
        from podpy.image.options import PushOptions

        there = f"{self.address}/{name}"
        self._runtime.push(image, f"docker://{there}", PushOptions(tls_verify=False))
        return there


class Scope:
    """A context: what is made in it is removed at its end, the last one first."""

    def __init__(self, session: leftovers.Session, registry_image: str) -> None:
        self.session = session
        self.runtime = session.runtime
        self._registry_image = registry_image
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def inner(self) -> Scope:
        """Return a scope that ends before this one."""
        return Scope(self.session, self._registry_image)

    def container(
        self,
        image: str,
        command: str | Sequence[str] | None = None,
        *,
        publish: Sequence[int] = (),
        until_healthy: bool = False,
        until_port: int | None = None,
        until_log: str = "",
        wait_timeout: float = _TIMEOUT,
        **options: Unpack[Options],
    ) -> Container:
        """Start a container, and wait until it is ready: healthy, listening on a port, or with a line in its log that
        has the regular expression `until_log`.

        `publish`: ports of it that get a free port of 127.0.0.1 (`container.address(80)` says which). `wait_timeout`:
        seconds. `command` and other keywords: those of `runtime.containers.create`. If that fails, the test fails with
        podpy's text.
        """
        __tracebackhide__ = True
        options["labels"] = _with(options.get("labels", {}), self.session.labels)
        if publish:
            options["ports"] = [f"127.0.0.1::{port}" for port in publish]
        made = _or_fail(lambda: self.runtime.containers.create(image, command, **options))
        self._undo.callback(self._remove, made)
        self.session.containers.append(made)
        _or_fail(made.start)
        try:
            if until_log:
                waits.until_log(made, until_log, wait_timeout)
            if until_port is not None:
                waits.until_port(made, until_port, wait_timeout)
            if until_healthy:
                waits.until_healthy(made, wait_timeout)
        except NotReadyError as error:
            _fail(f"container {made.name} of {image} isn't ready: {error}")
        return made

    def _remove(self, container: Container) -> None:
        self.session.containers.remove(container)
        try:
            container.remove(force=True, volumes=True, timeout=0, depend=True)
        except NotFoundError:
            pass  # the test has removed it

    def image(
        self,
        directory: str | os.PathLike[str],
        *,
        dockerfile: str = "",
        buildargs: Mapping[str, str] | None = None,
        target: str = "",
    ) -> str:
        """Build an image of a directory with a Dockerfile, and return its name. The cache of builds is kept."""
        __tracebackhide__ = True
        name, path = self.session.image_name(), os.fspath(directory)
        file = os.path.join(path, dockerfile) if dockerfile else ""
        images = self.runtime.images
        _or_fail(lambda: images.build(path, tag=name, dockerfile=file, buildargs=buildargs, target=target))
        self._undo.callback(_unless_gone, lambda: images.remove(name))
        return name

    def pod(self, name: str = "", *, network: str = "", publish: Sequence[int] = ()) -> Pod:
        """Make a pod, with `network` and published ports as for a container; containers join it by `pod=pod.id`."""
        __tracebackhide__ = True
        spec = _or_fail(lambda: _pod_spec(name, network, publish, self.session.labels))
        made = _or_fail(lambda: self.runtime.pods.create(spec))
        self._undo.callback(_unless_gone, lambda: made.remove(force=True, timeout=0))
        return made

    def network(self, name: str = "") -> Network:
        """Make a network, and return it; containers join it by `network=network.name`."""
        __tracebackhide__ = True
        made = _or_fail(lambda: self.runtime.networks.create(name, labels=self.session.labels))
        self._undo.callback(_unless_gone, lambda: self.runtime.networks.remove(made.name, force=True, timeout=0))
        return made

    def registry(self) -> RunningRegistry:
        """Start an empty registry of the image that the setting podpy_registry_image names."""
        __tracebackhide__ = True
        made = self.container(self._registry_image, publish=[_REGISTRY_PORT], until_port=_REGISTRY_PORT)
        host, port = made.address(_REGISTRY_PORT)
        return RunningRegistry(self.runtime, made, f"{host}:{port}")


@contextmanager
def open_session(registry_image: str) -> Iterator[Scope]:
    """Return the scope of this test session, after removing what dead sessions have left; a watcher begins."""
    runtime = _or_fail(Runtime)
    session = leftovers.Session(runtime)
    _or_fail(lambda: leftovers.sweep(runtime))
    watching = watcher.start(session)
    try:
        with Scope(session, registry_image) as scope:
            yield scope
    finally:
        leftovers.remove_all_of(runtime, session.name)
        watcher.stop(watching)
        runtime.close()


def _pod_spec(name: str, network: str, publish: Sequence[int], labels: Mapping[str, str]) -> PodSpec:
    mode, networks = parse_networks([network]) if network else (AS_CONFIGURED, [])
    ports = [port for number in publish for port in parse_publish(f"127.0.0.1::{number}")]
    infra = ContainerSpec(network=mode, networks=networks, ports=ports)
    return PodSpec(name=name, labels={**labels}, container=infra)


def _with(labels: Mapping[str, str] | Sequence[str], more: Mapping[str, str]) -> Mapping[str, str] | Sequence[str]:
    if isinstance(labels, dict):
        return {**labels, **more}
    return [*labels, *(f"{name}={value}" for name, value in more.items())]


def _unless_gone(remove: Callable[[], object]) -> None:
    try:
        remove()
    except NotFoundError:
        pass  # the test has removed it


def _or_fail(work: Callable[[], T]) -> T:
    """Return what `work` does; a PodpyError fails the test with its text."""
    __tracebackhide__ = True
    try:
        return work()
    except PodpyError as error:
        _fail(f"Error: {error.message}" + (f"\nHint: {error.hint}" if error.hint else ""))


def _fail(text: str) -> NoReturn:
    __tracebackhide__ = True
    raise pytest.fail.Exception(text, pytrace=False) from None
