"""Images: `runtime.images`, with `build` and `search`."""

from __future__ import annotations

from podpy.libpod.images import manager
from podpy.library.shown import Listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podpy.build.options import BuildOptions, Report
    from podpy.storage.images import ImageRecord

_HEADINGS = ("Name", "Id", "Size")
_MEBIBYTE = 1 << 20


class Images(manager.Images):
    """The images of one store."""

    def list(
        self, filters: Sequence[str] = (), *, whole: bool = True, digests: bool = True, steps: bool = False
    ) -> Listed[ImageRecord]:
        """Return the images that match every filter (podman-images(1)), newest first; see libpod's `Images.list`."""
        found = super().list(filters, whole=whole, digests=digests, steps=steps)
        return Listed(found, _HEADINGS, _cells)

    def build(
        self,
        path: str | BuildOptions,
        *,
        tag: str = "",
        dockerfile: str = "",
        buildargs: Mapping[str, str] | None = None,
        target: str = "",
        labels: Mapping[str, str] | None = None,
        nocache: bool = False,
        report: Report | None = None,
    ) -> ImageRecord:
        """Build an image of a directory (`path`), or as BuildOptions say, and return it.

        `dockerfile`: its path; empty: Containerfile or Dockerfile of the directory. `report` is told of each step and
        its output. Raises BuildFileError (a mistake in the file), StepFailedError (with a RUN's exit code),
        UsageError, and as a pull does.
        """
        from podpy.build.entry import built_for
        from podpy.build.options import BuildOptions

        if not isinstance(path, BuildOptions):
            path = BuildOptions(
                context=path,
                names=[tag] if tag else [],
                files=[dockerfile] if dockerfile else [],
                arguments={**(buildargs or {})},
                target=target,
                labels={**(labels or {})},
                cache=not nocache,
            )
        built = built_for(self._engine, path, report) if report else built_for(self._engine, path)
        return self.get(built.image_id)


def _cells(image: ImageRecord) -> tuple[str, str, str]:
    return ", ".join(image.names) or "<none>", image.id[:12], f"{image.size / _MEBIBYTE:.1f} MiB"
