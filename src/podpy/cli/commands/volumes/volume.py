"""`podpy volume`: create, exists, export, import, inspect, mount, rename, rm, unmount; the lists: volume_list."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, InUseError, NoSuchVolumeError, PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options

_STDIN, _STDOUT = 0, 1
_NO_SUCH = 1
_IN_USE = 2


def create(options: Options) -> int:
    """`podpy volume create`: prints the name."""
    from podpy.spec.text.values import parse_pairs

    with open_runtime(options) as runtime:
        volume = runtime.volumes.create(
            options.name,
            labels=parse_pairs("--label", options.label, need_value=False),
            options=parse_pairs("--opt", options.opt, need_value=False),
            driver=options.driver,
            uid=options.uid if options.given("uid") else None,
            gid=options.gid if options.given("gid") else None,
            ignore=options.ignore,
        )
    print(volume.name)
    return 0


def exists(options: Options) -> int:
    """`podpy volume exists`: 0 or 1."""
    with open_runtime(options) as runtime:
        return 0 if runtime.volumes.exists(options.volume) else _NO_SUCH


def export(options: Options) -> int:
    """`podpy volume export`: writes a tar to standard output, or to a file."""
    if options.given("output") and not options.output:
        raise UsageError("must provide valid path for file to write to")
    if not options.output:
        from podpy.cli.streams import require_output

        require_output()
        if os.isatty(_STDOUT):
            raise UsageError("cannot write to terminal, use command-line redirection or the --output flag")
    with open_runtime(options) as runtime:
        runtime.volumes.export(options.volume, options.output or _STDOUT)
    return 0


def import_(options: Options) -> int:
    """`podpy volume import`: prints nothing."""
    if options.source == "-" and os.isatty(_STDIN):
        raise UsageError("cannot read from terminal, use command-line redirection")
    with open_runtime(options) as runtime:
        runtime.volumes.import_(options.volume, _STDIN if options.source == "-" else options.source)
    return 0


def inspect(options: Options) -> int:
    """`podpy volume inspect`: prints the volumes that it finds, then an error for each name that it doesn't find."""
    from podpy.cli.show import report
    from podpy.go.view import volume_view

    if options.all == bool(options.volumes):
        raise UsageError("provide one or more volume names or use --all")
    found: list[Any] = []
    missing: list[NoSuchVolumeError] = []
    with open_runtime(options) as runtime:
        for name in [volume.name for volume in runtime.volumes.list()] if options.all else options.volumes:
            try:
                found.append(volume_view(runtime.volumes.inspect(name)))
            except NoSuchVolumeError as error:
                missing.append(error)
    sys.stdout.write(report.inspected(options.format, found))
    for absent in missing:
        complain(absent)
    return EXIT_FAILURE if missing else 0


def rm(options: Options) -> int:
    """`podpy volume rm`: prints the names of removed volumes. podman-volume-rm(1): 1 no such volume, 2 in use."""
    timeout = options.time if options.given("time") else None
    if timeout is not None and not options.force:
        raise UsageError("--force option must be specified to use the --time option")
    if options.all == bool(options.volumes):
        raise UsageError("choose either one or more volumes or all")
    code = 0
    with open_runtime(options) as runtime:
        outcomes = runtime.volumes.remove_several(
            options.volumes, every=options.all, force=options.force, timeout=timeout
        )
        for name, error in outcomes:
            if error is None:
                print(name, flush=True)
            elif not (options.force and isinstance(error, NoSuchVolumeError)):
                complain(error)
                code = max(code, _code_of(error), key=_weight)
    return code


def _code_of(error: PodpyError) -> int:
    if isinstance(error, NoSuchVolumeError):
        return _NO_SUCH
    return _IN_USE if isinstance(error, InUseError) else EXIT_FAILURE


def _weight(code: int) -> int:
    """Return a sort key for exit codes: the greatest wins, but any other failure wins over 125."""
    return 1 if code == EXIT_FAILURE else 2 * code


def rename(options: Options) -> int:
    """`podpy volume rename`: prints nothing."""
    with open_runtime(options) as runtime:
        runtime.volumes.rename(options.volume, options.name)
    return 0


def mount(options: Options) -> int:
    """`podpy volume mount`: prints the path."""
    _refuse_outside(options, "mount")
    with open_runtime(options) as runtime:
        print(runtime.volumes.mount(options.volume))
    return 0


def unmount(options: Options) -> int:
    """`podpy volume unmount`: prints the name."""
    with open_runtime(options) as runtime:
        print(runtime.volumes.unmount(options.volume))
    return 0


def _refuse_outside(options: Options, command: str) -> None:
    """Raise UsageError outside `podpy unshare`, as Podman does: nobody could see the mount."""
    from podpy.cli.engine import directories

    if directories(options).rootless and os.geteuid():
        raise UsageError(
            f'cannot run command "podpy volume {command}" in rootless mode, must execute `podpy unshare` first',
            hint="podpy unshare, then podpy volume mount NAME: only what runs in there sees it",
        )
