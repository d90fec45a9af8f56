"""`podpy kube play --wait`: until the pods have ended, or SIGINT, SIGTERM or SIGHUP comes; then everything goes."""

from __future__ import annotations

import signal

from podpy.errors import NoSuchContainerError, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.kube.play.down import Down
    from podpy.kube.play.play import Report
    from podpy.kube.reading.objects import Object
    from podpy.libpod.runtime import Runtime


class _Asked(BaseException):
    """Somebody asks this call to end."""


def play_and_wait(
    runtime: Runtime,
    objects: Sequence[Object],
    play: Callable[[], Report],
    show: Callable[[Report], int],
    show_down: Callable[[Down], int],
) -> int:
    """Play, wait for the containers' ends, and remove everything; return the exit code of the removal.

    An interrupted play has undone what it made; then what was there before stays.
    """
    from podpy.kube.play.down import Down, down

    print("Use ctrl+c to clean up or wait for pods to exit", flush=True)
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup: it outlives its terminal
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, _ask)
    lines, report = 0, None
    try:
        report = play()
        show(report)
        for pod in report.pods:
            for container in pod.containers:
                _wait(runtime, container)
    except _Asked:
        lines = 1
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
    print("\n" * lines + "Cleaning up containers, pods, and volumes...", flush=True)
    return show_down(down(runtime, objects, force=True) if report else Down())


def _ask(_number: int, _frame: object) -> None:
    raise _Asked


def _wait(runtime: Runtime, container: str) -> None:
    try:
        runtime.container(container).wait()
    except NoSuchContainerError:
        pass
    except PodpyError:
        raise
