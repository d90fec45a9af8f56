"""`podpy container prune`, `image prune`, `system prune`: remove what is unused, or (--dry-run) list it."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.question import agreed, is_asked
from podpy.cli.show.notice import complain, print_line
from podpy.errors import UsageError
from podpy.go.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
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
    """Remove all containers that aren't running, and print their ids."""
    with open_runtime(options) as runtime:
        if is_asked(options):
            runtime.containers.prune(options.filter, dry_run=True)
        if not agreed(options, _CONTAINERS + "\n"):
            return 0
        found = runtime.containers.prune(options.filter, dry_run=options.dry_run)
    return _tell([("", found)], options)


def images(options: Options) -> int:
    """Remove images without a name (--all: those that no container uses), and print their ids."""
    with open_runtime(options) as runtime:
        if is_asked(options):
            runtime.images.prune(options.filter, every=options.all, build_cache=options.build_cache, dry_run=True)
        if not agreed(options, _IMAGES.format(_UNUSED if options.all else "dangling images") + "\n"):
            return 0
        found = runtime.images.prune(
            options.filter, every=options.all, build_cache=options.build_cache, dry_run=options.dry_run
        )
        more = runtime.images.prune(options.filter, every=True, dry_run=True) if _may_take_more(options) else found
    return _tell([("", found)], options, images=found, more=more)


def build_cache(options: Options) -> int:
    """Remove the images that are only steps of builds, and the directories of RUN --mount=type=cache."""
    with open_runtime(options) as runtime:
        if not agreed(options, "WARNING! This command removes the cache of builds.\n"):
            return 0
        found = runtime.images.prune_build_cache(dry_run=options.dry_run)
    return _tell([("", found)], options, total=True)


def system(options: Options) -> int:
    """Remove stopped containers, then volumes (--volumes), images and networks that nothing uses."""
    if options.external:
        return _external(options)
    with open_runtime(options) as runtime:
        how = {"volumes": options.volumes, "dry_run": options.dry_run}
        if is_asked(options):
            runtime.prune(options.filter, every=options.all, volumes=options.volumes, dry_run=True)
        if not agreed(options, _warning(options)):
            return 0
        found = runtime.prune(options.filter, every=options.all, **how)
        more = runtime.prune(options.filter, every=True, **how) if _may_take_more(options) else found
    told = [(f"Deleted {kind.title()}", pruned) for kind, pruned in found.items()]
    return _tell(told, options, total=True, images=found["images"], more=more["images"])


def _may_take_more(options: Options) -> bool:
    return bool(options.dry_run and not options.all)


def _external(options: Options) -> int:
    """Remove files that belong to no object any more: killed calls leave them."""
    if options.all or options.volumes or options.filter or options.build:
        raise UsageError("system prune --external cannot be combined with other options")
    with open_runtime(options) as runtime:
        found = runtime.images.clear_up(dry_run=options.dry_run)
    if options.dry_run:
        _tell([("", found)], options)
    return 0


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


def _tell(
    found: list[tuple[str, Pruned]],
    options: Options,
    *,
    total: bool = False,
    images: Pruned | None = None,
    more: Pruned | None = None,
) -> int:
    """Print what was removed, under one heading per kind, and what failed; return the exit code.

    `images` are the images in it, `more` those that --all would remove; a dry run mentions the rest.
    """
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
        named = len(more.removed) - len(images.removed) if more and images else 0
        if more and images and named > 0:
            size = human_size(more.freed - images.freed)
            print_line(f"Hint: --all takes {named} more that no container uses ({size})")
    elif total:
        print(f"Total reclaimed space: {freed}")
    return code
