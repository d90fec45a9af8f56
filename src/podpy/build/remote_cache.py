"""`--cache-from`, `--cache-to`: repositories of registries that keep each step's image, with the step's key as its tag.

So Podman's builder does it, with keys of its own: neither reads the other's. What comes from a registry must fit the
step: its settings, the layers below it, and no more than one layer of its own. Else it is no hit.
"""

from __future__ import annotations

from time import time_ns

from podpy.build import document, settings
from podpy.errors import ImageError, NotThereError, PodpyError, UsageError
from podpy.image.names.reference import DOCKER_DOMAIN, parse
from podpy.image.options import PushOptions
from podpy.storage.build_cache import BuildCache, CachedStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.build.options import BuildOptions, Report
    from podpy.build.stage import Step
    from podpy.image.registry.access import PullOptions
    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord

_TAG_LENGTH = 64  # of a key


def repositories(option: str, texts: Sequence[str]) -> list[str]:
    """Return the full names of repositories. Raises UsageError, in Podman's words."""
    found = []
    for text in texts:
        try:
            reference = parse(text)
        except ImageError as error:
            raise UsageError(
                f"unable to parse value provided `{text}` to {option}: {error.message}", hint=error.hint
            ) from None
        if reference.tag or reference.digest:
            raise UsageError(
                f"unable to parse value provided `{text}` to {option}: "
                f"repository must contain neither a tag nor digest: {text}",
                hint="The tags are the steps' keys",
            )
        found.append((reference.in_domain(DOCKER_DOMAIN) if reference.is_short else reference).name)
    return found


def is_young(created: int, longest: int) -> bool:
    """Return whether a step made at `created` (nanoseconds since 1970) may be used; `longest`: see BuildOptions."""
    return not longest or created >= time_ns() - longest


class RemoteCache:
    """The repositories of one build."""

    def __init__(self, engine: Engine, options: BuildOptions) -> None:
        """Raises UsageError."""
        self._engine = engine
        self._pull: PullOptions = options.pull.replace(policy="always", platform="", os="", arch="", variant="")
        self._sources = repositories("--cache-from", options.cache_from) if options.cache else []
        self._targets = repositories("--cache-to", options.cache_to)
        self._longest = options.cache_ttl
        self._fetched: set[str] = set()  # images that came from a registry, or are there already

    def fetch(self, step: Step, below: str, place: str, report: Report) -> CachedStep | None:
        """Return a step's row, with its image pulled from the first repository that has it; None: none has.

        `below`: the image of the step before it, or "". A repository that can't be asked is warned about, once.
        """
        for repository in [*self._sources]:
            name = f"{repository}:{step.key[:_TAG_LENGTH]}"
            try:
                record = self._pulled(name)
            except NotThereError:
                continue
            except PodpyError as error:
                self._leave(repository, error)
                continue
            row = CachedStep(key=step.key, image_id=record.id, place=place, inputs=step.inputs, created=time_ns())
            fits = is_young(record.created, self._longest) and self._fits(record, step, below)
            with self._engine.database.transaction():
                if fits:
                    BuildCache(self._engine.database).put(row)
            self._forget_name(name)
            if fits:
                self._fetched.add(record.id)
                report.fetched(name)
                return row
        return None

    def _pulled(self, name: str) -> ImageRecord:
        from podpy.libpod.images.manager import Images

        (record,) = Images(self._engine).pull(name, self._pull)
        return record

    def _leave(self, repository: str, error: PodpyError) -> None:
        from podpy.notice import warn

        self._sources.remove(repository)
        warn(f"--cache-from {repository}: {error.message}")

    def _fits(self, record: ImageRecord, step: Step, below: str) -> bool:
        """Return whether an image can be what the step makes of the one below it."""
        whole = document.of_base(record.config)
        under = self._engine.store.find_image(below).layers if below else []
        own = len(record.layers) - len(under)
        is_shaped = 0 <= own <= (1 if step.work is not None else 0) and record.layers[: len(under)] == under
        return is_shaped and whole.get("config") == settings.ordered(step.config)

    def _forget_name(self, name: str) -> None:
        self._engine.enter()
        self._engine.store.untag(name)

    def send(self, steps: Sequence[tuple[Step, str]], report: Report) -> None:
        """Push the images of steps that aren't in the repositories yet. Raises RegistryError, AuthenticationError."""
        for repository in self._targets:
            for step, image_id in steps:
                if image_id not in self._fetched:
                    self._send(f"{repository}:{step.key[:_TAG_LENGTH]}", image_id, report)

    def _send(self, name: str, image_id: str, report: Report) -> None:
        from podpy.image.incoming.pull import digest_there
        from podpy.libpod.images.manager import Images

        if digest_there(self._engine.paths, name, self._pull):
            return
        report.sent(name)
        access = {key: getattr(self._pull, key) for key in _ACCESS}
        Images(self._engine).push(image_id, name, PushOptions(**access))


_ACCESS = ("tls_verify", "authfile", "credentials", "cert_dir", "signature_policy", "retries", "retry_delay")
