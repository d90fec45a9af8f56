"""`podpy container exists|cleanup`, `podpy healthcheck run`."""

from __future__ import annotations

import os

from podpy import process
from podpy.cli.engine import open_runtime
from podpy.cli.selection import for_each, one

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container
else:
    import _signal as signal  # the C half: `signal` itself imports `enum`

_NO_SUCH = 1
_UNWELL = 1
_AGAIN = 75  # what podpy's monitor waits and calls again after (restart.h); EX_TEMPFAIL of sysexits.h


def _forget_what_is_gone(said: Options) -> None:
    """Ignore configuration files that the start named and that are gone now: the cleanup must not fail for them."""
    said.module = [path for path in said.module if os.path.exists(path) or not os.path.isabs(path)]
    for name in ("CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE"):
        if not os.path.exists(os.environ.get(name, "/")):
            del os.environ[name]


def exists(options: Options) -> int:
    """Return 0 if the container exists, 1 if not."""
    with open_runtime(options) as runtime:
        return 0 if runtime.containers.exists(options.container) else _NO_SUCH


def cleanup(options: Options) -> int:
    """Clean up after containers that have ended, and restart those whose policy says so. conmon's exit command."""

    process.begin_as_exit_command()
    if options.rm:
        # systemd sends SIGTERM to the rest of a unit's cgroup as soon as its ExecStop has returned. podpy's own conmon
        # has seen to that before.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _forget_what_is_gone(options.globals)
    with open_runtime(options) as runtime:
        # Another call may have cleaned up and removed the container already: that is no failure.
        options.ignore = True
        if options.exec:
            return for_each(runtime, options, lambda container: container.after_exec())
        waiting: list[Container] = []

        def finish(container: Container) -> None:
            if container.after_end(remove=options.rm, remove_image=options.rmi, only_ended=options.stopped_only):
                waiting.append(container)

        code = for_each(runtime, options, finish)
        return _AGAIN if waiting else code


def check_health(options: Options) -> int:
    """Run a container's health check now. Return 0 if it passes; else print its status and return 1."""
    from podpy.libpod.containers.health import HEALTHY

    with open_runtime(options) as runtime:
        doing = f"unable to look up {options.container} to perform a health check"
        shown = one(runtime, options, doing).check_health()
    if shown == HEALTHY:
        return 0
    print(shown)
    return 0 if options.ignore_result else _UNWELL
