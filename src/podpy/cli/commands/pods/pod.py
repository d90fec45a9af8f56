"""`podpy pod` exists, inspect, start, stop, restart, kill, pause, unpause, rm, prune; the list: pod_list."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, NoSuchPodError, PodPartsError, PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.libpod.pods.pod import Pod
    from podpy.libpod.runtime import Runtime

    Outcomes = Iterable[tuple[str, str, PodpyError | None]]

_NO_SUCH = 1
_PRUNE = "WARNING! This will remove all stopped/exited pods..\n"


def exists(options: Options) -> int:
    """`podpy pod exists`: 0 or 1."""
    with open_runtime(options) as runtime:
        return 0 if runtime.pods.exists(options.pod) else _NO_SUCH


def inspect(options: Options) -> int:
    """`podpy pod inspect`: prints the pods that it finds, then an error for each name that it doesn't find."""
    from podpy.cli.show import report
    from podpy.go.view import pod_view

    found: list[Any] = []
    missing: list[NoSuchPodError] = []
    with open_runtime(options) as runtime:
        for name in [runtime.pods.latest().id] if options.latest else options.pods:
            try:
                found.append(pod_view(runtime.pods.get(name).inspect()))
            except NoSuchPodError:
                missing.append(NoSuchPodError(f"no such pod {name}", hint="See: podpy pod ps"))
    template = options.format.replace("{{.Id}}", "{{.ID}}").replace("{{ .Id }}", "{{ .ID }}")
    sys.stdout.write(report.inspected(template, found))
    for absent in missing:
        complain(absent)
    return EXIT_FAILURE if missing else 0


def start(options: Options) -> int:
    """`podpy pod start`: prints each pod as it was named."""
    return _each(options, lambda pod: pod.start(), whole=False)


def stop(options: Options) -> int:
    """`podpy pod stop`: prints each pod as it was named."""
    timeout = options.time if options.given("time") else None
    with open_runtime(options) as runtime:
        return _tell(runtime.pods.stop_several(_chosen(runtime, options), timeout), options, whole=False)


def restart(options: Options) -> int:
    """`podpy pod restart`: prints the ids."""
    return _each(options, lambda pod: pod.restart())


def kill(options: Options) -> int:
    """`podpy pod kill`: prints the ids."""
    from podpy.spec.text.values import parse_signal

    number = parse_signal(options.signal)
    return _each(options, lambda pod: pod.kill(number), states=("Running", "Degraded", "Paused"))


def pause(options: Options) -> int:
    """`podpy pod pause`: prints the ids."""
    return _each(options, lambda pod: pod.pause(), states=("Running", "Degraded"))


def unpause(options: Options) -> int:
    """`podpy pod unpause`: prints the ids."""
    return _each(options, lambda pod: pod.unpause(), states=("Paused", "Stopped", "Degraded"))


def rm(options: Options) -> int:
    """`podpy pod rm`: prints the ids. Its code is 1 if a pod doesn't exist."""
    timeout = options.time if options.given("time") else None
    with open_runtime(options) as runtime:
        outcomes = runtime.pods.remove_several(_chosen(runtime, options), force=options.force, timeout=timeout)
        return _tell(outcomes, options, missing=0 if options.force else _NO_SUCH)


def prune(options: Options) -> int:
    """`podpy pod prune`: prints the ids of the pods that it removed."""
    from podpy.cli.question import agreed

    if not options.force and not agreed(options, _PRUNE):
        return 0
    with open_runtime(options) as runtime:
        pruned = runtime.pods.prune()
    for identifier in pruned.removed:
        print(identifier)
    for error in pruned.errors:
        _complain(error)
    return pruned.errors[0].exit_code if pruned.errors else 0


def _each(
    options: Options,
    work: Callable[[Pod], object],
    *,
    states: tuple[str, ...] = (),
    whole: bool = True,
) -> int:
    """Do `work` to each chosen pod, and print its id, or (not `whole`) the name that chose it."""
    with open_runtime(options) as runtime:
        return _tell(runtime.pods.each(_chosen(runtime, options, states), work), options, whole=whole)


def _chosen(runtime: Runtime, options: Options, states: tuple[str, ...] = ()) -> Iterator[tuple[str, Pod | PodpyError]]:
    return runtime.pods.select(
        [*options.pods, *_from_files(options)], every=options.all, latest=options.latest, states=states
    )


def _tell(outcomes: Outcomes, options: Options, *, whole: bool = True, missing: int = EXIT_FAILURE) -> int:
    code = 0
    for shown, identifier, error in outcomes:
        if error is None:
            print(identifier if whole else shown, flush=True)
        elif isinstance(error, NoSuchPodError):
            if getattr(options, "ignore", False):
                continue
            if missing:
                complain(error)
            code = code or missing
        else:
            _complain(error)
            code = code or error.exit_code
    return code


def _complain(error: PodpyError) -> None:
    """Print an error; one about a pod's containers with theirs, and its hint below them all."""
    hint, parts = error.hint, error.parts if isinstance(error, PodPartsError) else []
    if parts:
        error.hint, parts[-1].hint = "", parts[-1].hint or hint
    for each in (error, *parts):
        complain(each)


def _from_files(options: Options) -> Iterator[str]:
    for path in getattr(options, "pod_id_file", []):
        try:
            with open(path, encoding="ascii") as file:
                yield file.readline().strip()
        except FileNotFoundError:
            if not getattr(options, "ignore", False):
                raise UsageError(f"reading pod ID file: open {path}: no such file or directory") from None
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"reading pod ID file: {path}: {error}") from None
