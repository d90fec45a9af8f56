"""What a stage begins with, and where its COPY --from and mounts take files from: images, stages, named contexts."""

from __future__ import annotations

import os

from podpy.build import document, keys, settings
from podpy.build.sources import ContextOrigin, ImageOrigin, StageOrigin, directory_of, is_remote
from podpy.errors import ImageError, NoSuchImageError, UsageError
from podpy.image.documents.schema import MANIFEST_LIMIT, Index, host_platform, parse, parse_platform
from podpy.image.names.lookup import find_named_image
from podpy.image.names.transports import OCI, is_transport
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.build.reading.stages import Stage
    from podpy.build.shared import Shared
    from podpy.build.sources import Origin
    from podpy.image.documents.schema import Platform
    from podpy.storage.images import ImageRecord

_SCRATCH = "scratch"
_IMAGE_CONTEXTS = ("docker-image", "container-image", "docker")
_LAYOUT = "oci-layout"
_BASE_DIGEST = "org.opencontainers.image.base.digest"
_BASE_NAME = "org.opencontainers.image.base.name"


class Base(Record):
    """What a stage begins with. `told`: what history calls it. `triggers`: its ONBUILD. `arguments`: a stage's ARGs.

    `platform`: of the image, if the stage begins with none.
    """

    key: str
    config: dict[str, Any]
    image_id: str = ""
    author: str = ""
    triggers: list[str] = []
    arguments: dict[str, str] = {}
    name: str = ""
    told: str = ""
    annotations: dict[str, str] = {}
    platform: Platform | None = None


class Bases:
    """Finds them for one build."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._found: dict[int, tuple[ImageRecord, str]] = {}

    def find(self, stages: Sequence[Stage]) -> set[int]:
        """Find the images that stages begin with, and pull those that are missing, before any stage is built.

        Return the indexes of the stages whose image has ONBUILD. Raises as `of`.
        """
        for stage in stages:
            if (stage.base is None or stage.is_replaced) and stage.image != _SCRATCH:
                self._found[stage.index] = self._image(self._image_of(stage), platform=str(_platform_of(stage) or ""))
        found = self._found.items()
        return {
            index for index, (image, _) in found if (document.of_base(image.config).get("config") or {}).get("OnBuild")
        }

    def of(self, stage: Stage) -> Base:
        """Return what a stage begins with, pulled by the policy.

        Raises NoSuchImageError, ImageError, BuildFileError.
        """
        stamp = self._shared.clock.stamp
        if stage.base is not None and not stage.is_replaced:
            result = self._shared.results[stage.base]
            config = dict(result.config)
            return Base(
                key=keys.first(result.key, stamp),
                triggers=config.pop("OnBuild", None) or [],
                config=config,
                image_id=result.image_id,
                author=result.author,
                arguments=result.arguments,
                name=stage.image,
                told=result.image_id,
            )
        if stage.image == _SCRATCH:
            return self._scratch(stage, stamp)
        found = self._found.get(stage.index)
        record, name = found or self._image(self._image_of(stage), platform=str(_platform_of(stage) or ""))
        whole = document.of_base(record.config)
        config = dict(whole.get("config") or {})
        triggers = config.pop("OnBuild", None) or []
        annotations = {_BASE_DIGEST: record.digest, _BASE_NAME: name}
        return Base(
            key=keys.first(record.id, stamp),
            config=settings.with_defaults(config),
            image_id=record.id,
            author=whole.get("author") or "",
            triggers=triggers,
            name=name or stage.image,
            told=name or stage.image,
            annotations={key: text for key, text in annotations.items() if text},
        )

    def _scratch(self, stage: Stage, stamp: str) -> Base:
        platform = _platform_of(stage) or self._shared.arguments.platform
        base = "" if platform == host_platform() else f"{_SCRATCH} {platform}"
        return Base(key=keys.first(base, stamp), config=settings.with_defaults({}), name=_SCRATCH, platform=platform)

    def _image_of(self, stage: Stage) -> str:
        """Return the image that a stage begins with: a named context of its name, or of the image's, stands for it."""
        for name in (stage.name, stage.image):
            where = self._shared.options.contexts.get(name) if name else None
            if where is not None:
                image = self._image_text(where)
                if not image:
                    raise stage.start.wrong(f"the context {name} is no image", hint="docker-image://NAME is one")
                return image
        return stage.image

    def _image(self, text: str, *, platform: str = "") -> tuple[ImageRecord, str]:
        """Return an image by name, pulled by the policy, and its full name. Raises NoSuchImageError, ImageError."""
        wanted = self._shared.options.pull
        if platform:
            wanted = wanted.replace(platform=platform)
        if wanted.policy in ("missing", "never") and not (wanted.names_platform or is_transport(text)):
            try:
                return find_named_image(self._shared.engine.store, self._shared.engine.paths, text)
            except NoSuchImageError:
                if wanted.policy == "never":
                    raise
        from podpy.libpod.images.manager import Images

        progress = self._shared.progress() if self._shared.progress is not None else None
        (record,) = Images(self._shared.engine).pull(text, wanted, progress=progress)
        return record, record.names[0] if record.names else ""

    def origin(self, text: str, before: int) -> Origin:
        """Return what COPY's --from, or a mount's from, means in the stage of index `before`: "" is the context."""
        if not text:
            return self._shared.read.context
        if text in self._shared.options.contexts:
            return self._named_context(self._shared.options.contexts[text])
        index = self._shared.read.stage_of(text, before)
        if index is not None:
            if index not in self._shared.results:
                raise UsageError(f'cannot copy from stage "{text}", it needs to be defined before current stage')
            return StageOrigin(self._shared.engine, self._shared.results[index])
        record, _ = self._image(text)
        return ImageOrigin(self._shared.engine, f"image {record.id}", lambda: record)

    def _image_text(self, where: str) -> str:
        """Return the image that a named context is; "" if it is none. Raises UsageError, ImageError."""
        kind, colon, name = where.partition("://")
        if colon and kind == _LAYOUT:
            return layout_image(name, self._shared.engine.caller.directory)
        return name if colon and kind in _IMAGE_CONTEXTS else ""

    def _named_context(self, where: str) -> Origin:
        if name := self._image_text(where):
            record, _ = self._image(name)
            return ImageOrigin(self._shared.engine, f"image {record.id}", lambda: record)
        if not is_remote(where):
            return ContextOrigin(directory_of(where), None, self._shared.digests)
        from podpy.build.context.fetch import staged

        return ContextOrigin(staged(self._shared.engine, where).directory, None)


def layout_image(text: str, directory: str) -> str:
    """Return the transport reference that `oci-layout://DIR[:NAME][@DIGEST]` means, from `directory`.

    Raises UsageError.
    """
    place, _, digest = text.partition("@")
    path, _, name = place.partition(":")
    path = os.path.join(directory, path)
    if not digest:
        return f"{OCI}:{path}:{name}" if name else f"{OCI}:{path}"
    try:
        with open(os.path.join(path, "index.json"), "rb") as file:
            index = parse(file.read(MANIFEST_LIMIT + 1))
    except OSError as error:
        raise UsageError(f"{_LAYOUT}://{text}: {(error.strerror or str(error)).lower()}") from None
    there = index.manifests if isinstance(index, Index) else []
    found = [number for number, one in enumerate(there) if one.digest == digest]
    if not found:
        raise UsageError(f"{_LAYOUT}://{text}: its index has no such digest", hint=f"See {path}/index.json")
    return f"{OCI}:{path}:@{found[0]}"


def _platform_of(stage: Stage) -> Platform | None:
    """Return what FROM's --platform says. Raises BuildFileError."""
    try:
        return parse_platform(stage.platform) if stage.platform else None
    except ImageError as error:
        raise stage.start.wrong(
            error.message, stage.start.platform, hint="linux/amd64 and linux/arm64 are some"
        ) from None
