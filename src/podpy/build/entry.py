"""The way into a build, for one platform or several."""

from __future__ import annotations

from podpy.build.options import SILENT, BuildOptions, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.build import Built
    from podpy.image.progress import Progress
    from podpy.libpod.engine import Engine


def built_for(
    engine: Engine,
    options: BuildOptions,
    report: Report = SILENT,
    progress: Callable[[], Progress] | None = None,
) -> Built:
    """Build for one platform, or for those that the options name, and fill the list that they name.

    Raises as podpy.build.build.Build.
    """
    if options.platforms or options.all_platforms:
        from podpy.build.platforms import Platforms

        return Platforms(engine, options, report, progress).run()
    from podpy.build.build import Build

    built = Build(engine, options, report, progress).run()
    if options.manifest:
        from podpy.libpod.images.lists import ManifestLists

        ManifestLists(engine).create(options.manifest, [built.image_id], amend=True)
    return built
