"""`podpy container prune`, `image prune`, `system prune`: remove what nothing uses, or say what would go."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import UsageError
from podpy.go.units import human_size
from podpy.libpod.system import prune

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.runtime import Runtime
    from podpy.libpod.system.prune import Pruned

_CONTAINERS = "WARNING! This will remove all non running containers."
_IMAGES = "WARNING! This command removes all {}."
_UNUSED = "images without at least one container associated with them"
_SYSTEM = """WARNING! This command removes:
\t- all stopped containers
\t- all networks not used by at least one container{volumes}{build}
\t- all {images}
\t- all {cache}
"""


def containers(options: Options) -> int:
    """Remove all containers that don't run, and print their ids."""
    if not _agreed(options, _CONTAINERS + "\n"):
        return 0
    with open_runtime(options) as runtime:
        found = prune.containers(runtime, _chosen_containers(runtime, options.filter), dry_run=options.dry_run)
    return _tell([("", found)], options)


def images(options: Options) -> int:
    """Remove images without a name (--all: those that no container uses), and print their ids."""
    if not _agreed(options, _IMAGES.format(_UNUSED if options.all else "dangling images") + "\n"):
        return 0
    with open_runtime(options) as runtime:
        found = runtime.images.prune(options.filter, every=options.all, dry_run=options.dry_run)
    return _tell([("", found)], options)


def system(options: Options) -> int:
    """Remove stopped containers, then volumes (--volumes), then images that nothing uses."""
    if options.external:
        return _external(options)
    if not _agreed(options, _warning(options)):
        return 0
    found: list[tuple[str, Pruned]] = []
    with open_runtime(options) as runtime:
        rows = _chosen_containers(runtime, options.filter)
        gone = prune.containers(runtime, rows, dry_run=options.dry_run)
        found.append(("Deleted Containers", gone))
        if options.volumes:
            used = prune.volumes_after(runtime, gone.removed)
            names = _chosen_volumes(runtime, options.filter, used)
            found.append(("Deleted Volumes", prune.volumes(runtime, names, dry_run=options.dry_run)))
        images = runtime.images.prune(options.filter, every=options.all, dry_run=options.dry_run, gone=gone.removed)
        found.append(("Deleted Images", images))
    return _tell(found, options, total=True)


def _external(options: Options) -> int:
    """Remove what belongs to no object any more: for podpy that is what killed calls have left."""
    if options.all or options.volumes or options.filter or options.build:
        raise UsageError("system prune --external cannot be combined with other options")
    with open_runtime(options) as runtime:
        found = runtime.images.clear_up(dry_run=options.dry_run)
    if options.dry_run:
        _tell([("", found)], options)
    return 0


def _chosen_containers(runtime: Runtime, filters: list[str]) -> list[ContainerRow]:
    rows = runtime.rows()
    if filters:
        from podpy.libpod.filters.containers import matching

        rows = matching(runtime, rows, filters)
    return rows


def _chosen_volumes(runtime: Runtime, filters: list[str], used: Collection[str]) -> list[str]:
    from podpy.libpod.filters.parse import match_labels, parse
    from podpy.libpod.filters.times import parse_time
    from podpy.storage.volumes import Volumes

    wanted = parse(filters, ("label", "label!", "until"))
    chosen = []
    for volume in Volumes(runtime.paths, runtime.database).all():
        if volume.name in used or not match_labels(wanted.get("label", []), volume.labels):
            continue
        if any(match_labels([text], volume.labels) for text in wanted.get("label!", [])):
            continue
        if all(volume.created < parse_time(text) for text in wanted.get("until", [])):
            chosen.append(volume.name)
    return chosen


def _warning(options: Options) -> str:
    return (
        _SYSTEM.format(
            volumes="\n\t- all volumes not used by at least one container" if options.volumes else "",
            build="\n\t- all build containers" if options.build else "",
            images=_UNUSED if options.all else "dangling images",
            cache="build cache" if options.all else "dangling build cache",
        )
        + "\n"
    )


def _agreed(options: Options, warning: str) -> bool:
    if options.force or options.dry_run:
        return True
    sys.stdout.write(f"{warning}Are you sure you want to continue? [y/N] ")
    sys.stdout.flush()
    answer = sys.stdin.readline()
    if not answer:
        # Podman fails, too: a script that forgot --force must not go on as if something had been removed.
        raise UsageError("there is no answer on standard input", hint="Add --force where nobody can be asked")
    return answer.strip().lower() in ("y", "yes")


def _tell(found: list[tuple[str, Pruned]], options: Options, *, total: bool = False) -> int:
    """Print what went under its headings, and what failed; return the exit code."""
    code = 0
    for heading, pruned in found:
        if heading and pruned.removed:
            print(heading.replace("Deleted", "Would delete") if options.dry_run else heading)
        for identity in pruned.removed:
            print(identity)
        for error in pruned.errors:
            complain(error)
            code = error.exit_code
    freed = human_size(sum(pruned.freed for _, pruned in found))
    if options.dry_run:
        print(f"Total reclaimable space: {freed}")
    elif total:
        print(f"Total reclaimed space: {freed}")
    return code
