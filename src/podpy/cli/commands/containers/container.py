"""`podpy container exists|cleanup`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import for_each
from podpy.errors import NoSuchContainerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container
else:
    import _signal as signal  # the C half: `signal` itself imports `enum`

_NO_SUCH = 1


def exists(options: Options) -> int:
    """Return 0 if the container exists, 1 if not."""
    with open_runtime(options) as runtime:
        try:
            runtime.container(options.container)
        except NoSuchContainerError:
            return _NO_SUCH
    return 0


def cleanup(options: Options) -> int:
    """Take down what ended containers have left; conmon's exit command. Restarts those whose policy says so."""

    def act(container: Container) -> None:
        from podpy.libpod.containers.ending.restart import after_end

        runtime.privileged(lambda: after_end(container, remove=options.rm))

    if options.rm:
        # systemd ends what is left in a unit's cgroup as soon as its ExecStop has returned.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open_runtime(options) as runtime:
        # Whoever is gone already was cleaned up by a faster call: for a script that is no failure.
        options.ignore = True
        return for_each(runtime, options, act)
