"""Images for several platforms: one build each, and a manifest list of the results.

The builds share the cache: what doesn't depend on the platform is done once. The list appears, or changes, when all
images are there.
"""

from __future__ import annotations

from podpy.build.build import Build, Built, full_name
from podpy.build.files import read_bytes, read_files
from podpy.build.options import SILENT, BuildOptions, Report
from podpy.build.sources import STDIN, is_remote
from podpy.build.variables import Arguments
from podpy.errors import NotAListError, UsageError
from podpy.image.documents.schema import Platform, parse_platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.context.fetch import Fetched
    from podpy.image.progress import Progress
    from podpy.libpod.engine import Engine

_SCRATCH = "scratch"
_UNKNOWN = "unknown"  # the platform of attestations, which are no images


class Platforms:
    """Builds for each of the options' platforms. `progress` makes what reports a pull."""

    def __init__(
        self,
        engine: Engine,
        options: BuildOptions,
        report: Report = SILENT,
        progress: Callable[[], Progress] | None = None,
    ) -> None:
        """Read the options. Raises UsageError, ImageError (a platform that isn't one)."""
        self._engine = engine
        self._options = options
        self._report = report
        self._progress = progress
        self._names = [full_name(name) for name in options.names]
        if options.outputs:
            raise UsageError("--output takes the image of one platform", hint="Build one platform after the other")
        if options.names and options.manifest:
            raise UsageError("--tag and --manifest name the same list: give one of them", hint="--manifest adds to one")
        self._platforms = [parse_platform(text) for text in options.platforms]

    def run(self) -> Built:
        """Build all, then make the list (`manifest`: or add to it). The result is the list's id and digest.

        Without a name for a list it is the last image's, as in Podman. Raises as Build.run.
        """
        fetched = self._fetched()
        if STDIN in self._options.files and not self._options.dockerfile:
            self._options = self._options.replace(dockerfile=read_bytes(STDIN))
        platforms = self._of_bases(fetched) if self._options.all_platforms else self._unique()
        found: dict[str, Platform] = {}
        for platform in platforms:
            built = self._build(platform, fetched)
            if built.image_id in found:
                told = f"the images for {found[built.image_id]} and {platform} are the same one"
                raise UsageError(told, hint="Its base isn't for both of them: podpy image inspect shows what it is for")
            found[built.image_id] = platform
        return self._listed([*found]) if self._names or self._options.manifest else built

    def _unique(self) -> list[Platform]:
        return [one for number, one in enumerate(self._platforms) if one not in self._platforms[:number]]

    def _fetched(self) -> Fetched | None:
        if not is_remote(self._options.context):
            return None
        from podpy.build.context.fetch import staged

        return staged(self._engine, self._options.context)

    def _build(self, platform: Platform, fetched: Fetched | None) -> Built:
        options = self._options
        pull = options.pull.replace(platform=str(platform), os="", arch="", variant="")
        one = options.replace(names=[], pull=pull, tells_digest=True)
        return Build(self._engine, one, self._report.of_platform(str(platform)), self._progress, fetched).run()

    def _listed(self, images: list[str]) -> Built:
        from podpy.libpod.images.lists import ManifestLists

        lists = ManifestLists(self._engine)
        if self._options.manifest:
            found = lists.create(self._options.manifest, images, amend=True)
        else:
            found = lists.replace(self._names, images)
            for name in self._names:
                self._report.tagged(name)
        return Built(image_id=found, names=self._names, digest=lists.get(found).digest)

    # --all-platforms

    def _of_bases(self, fetched: Fetched | None) -> list[Platform]:
        """Return the platforms that all images of FROM have. Raises UsageError: there are none."""
        options = self._options
        arguments = Arguments(options.arguments, options.pull.wanted())
        read = read_files(options, arguments, None, fetched)
        common: list[Platform] | None = None
        for stage in read.needed:
            is_image = stage.base is None and not stage.is_replaced and not stage.platform
            if is_image and stage.image != _SCRATCH:
                there = self._of_image(stage.image)
                common = there if common is None else [one for one in common if one in there]
        if not common:
            raise UsageError(
                "the Dockerfile's images have no platform in common", hint="Say which are meant: --platform"
            )
        return common

    def _of_image(self, name: str) -> list[Platform]:
        from podpy.image.documents.config import ImageConfig
        from podpy.libpod.images.lists import ManifestLists
        from podpy.libpod.images.manager import Images

        try:
            document = ManifestLists(self._engine).inspect(name, self._options.pull)
        except NotAListError:
            document = {}
        entries = document.get("manifests")
        if not isinstance(entries, list) or not entries:  # it is one image
            (record,) = Images(self._engine).pull(name, self._options.pull)
            config = ImageConfig.parse(record.config)
            return [Platform(os=config.os, architecture=config.architecture)]
        found = []
        for entry in entries:
            told = entry.get("platform") or {}
            one = Platform(os=told.get("os") or "", architecture=told.get("architecture") or "")
            variant = told.get("variant") or ""
            if one.os and one.os != _UNKNOWN:
                found.append(one.replace(variant=variant))
        return found
