"""The images of pods, all of them before anything is made."""

from __future__ import annotations

from podpy.errors import PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.image.progress import Progress
    from podpy.kube.translate.containers import Member
    from podpy.kube.translate.volumes import Volume
    from podpy.libpod.containers.starting.create import PullOptions
    from podpy.libpod.runtime import Runtime

    Reporter = Callable[[], Progress] | None

_POLICIES = {"Always": "always", "IfNotPresent": "missing", "Never": "never", "": "missing"}


class Images:
    """Pulls each image once, by the policy of whoever names it first."""

    def __init__(self, runtime: Runtime, pull: PullOptions | None, progress: Reporter) -> None:
        self._runtime = runtime
        self._pull = pull
        self._progress = progress
        self._users: dict[str, str] = {}  # what was pulled → the image's USER

    def bring(self, members: Iterable[Member], volumes: Iterable[Volume]) -> None:
        """Pull the images of containers and volumes. Raises UsageError for one that would run as root and mustn't.

        Raises as Images.pull of libpod.
        """
        for member in members:
            image = member.spec.image
            self._bring(image, member.pull_policy)
            if member.spec.not_root and _is_root(member.spec.user or self._users[image]):
                raise member.where.wrong("image", "container has runAsNonRoot and image will run as root")
        for volume in volumes:
            if volume.kind == "image":
                self._bring(volume.source, _POLICIES[volume.pull_policy])

    def _bring(self, image: str, policy: str) -> None:
        if image in self._users:
            return
        from podpy.libpod.containers.starting.create import PullOptions

        options = (self._pull or PullOptions()).replace(policy=policy)
        try:
            record = self._runtime.images.pull(image, options, progress=self._progress() if self._progress else None)[0]
        except UsageError:
            raise
        except PodpyError as error:
            error.message = f"{image}: {error.message}" if image not in error.message else error.message
            raise
        inspected = self._runtime.images.inspect(record.id)
        self._users[image] = inspected["Config"].get("User", "") or ""


def _is_root(user: str) -> bool:
    """Return whether a user is root for certain: a name is looked up at the start."""
    name = user.partition(":")[0]
    return name in ("", "root") or (name.isascii() and name.isdigit() and int(name) == 0)
