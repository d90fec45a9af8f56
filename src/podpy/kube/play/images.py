"""Builds or pulls the images of pods, all before anything is created."""

from __future__ import annotations

import os

from podpy.errors import NoSuchImageError, PodpyError
from podpy.kube.translate.volumes import IMAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.image.progress import Progress
    from podpy.kube.options import PlayOptions
    from podpy.kube.translate.containers import Member
    from podpy.kube.translate.volumes import Volume
    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord

    Reporter = Callable[[], Progress] | None
    Builder = Callable[[str, str], object] | None

_POLICIES = {"Always": "always", "IfNotPresent": "missing", "Never": "never", "": "missing"}


_BUILD_FILES = ("Containerfile", "Dockerfile")


class Images:
    """Pulls each image once, by the policy of the first container or volume that names it.

    A container's image with a directory of its name is built. `build` does it: it takes the name and the directory.
    """

    def __init__(self, runtime: Runtime, options: PlayOptions, progress: Reporter, build: Builder = None) -> None:
        self._runtime = runtime
        self._options = options
        self._progress = progress
        self._build = build
        self._found: dict[str, ImageRecord] = {}

    def bring(self, members: Iterable[Member], volumes: Iterable[Volume]) -> None:
        """Pull the images of containers and volumes. Raises UsageError for an image that would run as root against
        runAsNonRoot.

        Raises as Images.pull of libpod.
        """
        for member in members:
            record = self._built(member.spec.image) or self._image(member.spec.image, member.pull_policy)
            if member.spec.not_root and _is_root(member.spec.user or self._user(record)):
                raise member.where.wrong("image", "container has runAsNonRoot and image will run as root")
        for volume in volumes:
            if volume.kind == IMAGE:
                self._image(volume.source, _POLICIES[volume.pull_policy])

    def _user(self, record: ImageRecord) -> str:
        user: str = self._runtime.images.inspect(record.id)["Config"].get("User") or ""
        return user

    def _built(self, name: str) -> ImageRecord | None:
        """Build an image as `kube play --build` says; None: it isn't to be built."""
        if self._build is None or self._options.build is False or name in self._found:
            return None
        directory = self._directory(name)
        if not directory or (self._options.build is None and self._here(name, "missing") is not None):
            return None
        self._build(name, directory)
        self._found[name] = self._runtime.images.get(name)
        return self._found[name]

    def _directory(self, name: str) -> str:
        """Return the directory that is called like an image, without tag and digest, if it has a build file."""
        last = name.partition("@")[0].rpartition("/")[2].partition(":")[0]
        directory = os.path.join(self._runtime.caller.directory, self._options.context_dir, last)
        here = last and any(os.path.isfile(os.path.join(directory, file)) for file in _BUILD_FILES)
        return directory if here else ""

    def _image(self, name: str, policy: str) -> ImageRecord:
        if name not in self._found:
            self._found[name] = self._here(name, policy) or self._pulled(name, policy)
        return self._found[name]

    def _here(self, name: str, policy: str) -> ImageRecord | None:
        """Return the image if it is stored and the policy needs no registry, whose code then isn't loaded."""
        if policy != "missing":
            return None
        try:
            return self._runtime.images.get(name)
        except NoSuchImageError:
            return None

    def _pulled(self, name: str, policy: str) -> ImageRecord:
        from podpy.libpod.containers.starting.create import PullOptions

        options = (self._options.pull or PullOptions()).replace(policy=policy)
        progress = self._progress() if self._progress else None
        try:
            return self._runtime.images.pull(name, options, progress=progress)[0]
        except PodpyError as error:
            if name not in error.message:
                error.message = f"{name}: {error.message}"
            raise


def _is_root(user: str) -> bool:
    """Return whether a user is certainly root; other names are looked up at the start."""
    name = user.partition(":")[0]
    return name in ("", "root") or (name.isascii() and name.isdigit() and int(name) == 0)
