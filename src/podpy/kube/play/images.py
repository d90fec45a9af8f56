"""Pulls the images of pods, all before anything is created."""

from __future__ import annotations

from podpy.errors import NoSuchImageError, PodpyError
from podpy.kube.translate.volumes import IMAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.image.progress import Progress
    from podpy.kube.translate.containers import Member
    from podpy.kube.translate.volumes import Volume
    from podpy.libpod.containers.starting.create import PullOptions
    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord

    Reporter = Callable[[], Progress] | None

_POLICIES = {"Always": "always", "IfNotPresent": "missing", "Never": "never", "": "missing"}


class Images:
    """Pulls each image once, by the policy of the first container or volume that names it."""

    def __init__(self, runtime: Runtime, pull: PullOptions | None, progress: Reporter) -> None:
        self._runtime = runtime
        self._pull = pull
        self._progress = progress
        self._found: dict[str, ImageRecord] = {}

    def bring(self, members: Iterable[Member], volumes: Iterable[Volume]) -> None:
        """Pull the images of containers and volumes. Raises UsageError for an image that would run as root against
        runAsNonRoot.

        Raises as Images.pull of libpod.
        """
        for member in members:
            record = self._image(member.spec.image, member.pull_policy)
            if member.spec.not_root and _is_root(member.spec.user or self._user(record)):
                raise member.where.wrong("image", "container has runAsNonRoot and image will run as root")
        for volume in volumes:
            if volume.kind == IMAGE:
                self._image(volume.source, _POLICIES[volume.pull_policy])

    def _user(self, record: ImageRecord) -> str:
        user: str = self._runtime.images.inspect(record.id)["Config"].get("User") or ""
        return user

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

        options = (self._pull or PullOptions()).replace(policy=policy)
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
