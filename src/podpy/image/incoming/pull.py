"""`podpy pull`: from a name to an image in the store."""

from __future__ import annotations

from podpy.digests import sha256
from podpy.errors import ConfigError, ImageError, NoSuchImageError, PodpyError, UsageError
from podpy.image.failures import ErrorPrefix, combined
from podpy.image.names.lookup import find_named
from podpy.image.names.reference import DOCKER_DOMAIN, LOCALHOST, REGISTRY, STORE, Reference, parse
from podpy.image.names.registries import registries_of
from podpy.image.names.short import for_pull
from podpy.image.names.transports import is_transport, parse_transport, refuse_unknown
from podpy.image.progress import SILENT, Progress
from podpy.image.registry import remote
from podpy.image.registry.access import PULL_POLICIES, PullOptions
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import TypeVar

    from podpy.config.paths import Paths
    from podpy.config.registries import Registries
    from podpy.image.documents.schema import Descriptor, Manifest
    from podpy.image.incoming.assemble import ImageParts
    from podpy.image.registry.access import Access
    from podpy.image.registry.read import Repository
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

    T = TypeVar("T")


def pull(
    store: Store, paths: Paths, name: str, options: PullOptions | None = None, *, progress: Progress = SILENT
) -> ImageRecord:
    """Return the image `name`, from the store or from its registry as `options.policy` says.

    Raises NoSuchImageError (policy never), ImageError (a name that isn't one or is ambiguous), RegistryError,
    AuthenticationError, DigestMismatchError, StorageError, ConfigError. What came of it stays for the next try.
    """
    with store.coming_by("pull", name):
        return _by_policy(store, paths, name, options or PullOptions(), progress)


def _by_policy(store: Store, paths: Paths, name: str, options: PullOptions, progress: Progress) -> ImageRecord:
    if options.policy not in PULL_POLICIES:
        raise UsageError(f'unsupported pull policy "{options.policy}"', hint=f"It is one of {', '.join(PULL_POLICIES)}")
    if is_transport(name):
        return pull_from_transport(store, name, options, progress=progress)[0]
    plain = name.removeprefix(REGISTRY)
    known = _find_here(store, paths, plain, options)
    here, missing = known.image, known.missing
    if options.policy == "never":
        if missing is not None:
            raise missing
        if here is None:
            raise NoSuchImageError(f"{name}: image not known", hint="The policy is never: podpy load or pull it first")
        return here
    if options.policy == "missing" and here is not None:
        return here
    if missing is not None and options.policy != "always" and parse(plain).domain in ("", LOCALHOST):
        raise missing  # no registry has a name like that: its answer is no help
    if known.other is not None and options.policy != "always":
        plain = known.name or plain  # as Podman: what a short name means here is what is pulled
        if parse(plain).domain == LOCALHOST:
            return known.other
    refuse_unknown(name)
    try:
        if name.startswith(STORE):
            from podpy.image.archive import podman_store

            text = name.removeprefix(STORE)
            return podman_store.pull(store, text, policy_file=options.signature_policy, progress=progress)
        return _pull(store, paths, plain, options, here, progress)
    except (ImageError, ConfigError) as error:
        if known.other is not None and options.policy != "always":
            return known.other
        if missing is None or options.policy == "always":
            raise
        raise combined([error, missing]) from None
    finally:
        progress.close()


def pull_from_transport(
    store: Store, text: str, options: PullOptions | None = None, *, progress: Progress = SILENT
) -> list[ImageRecord]:
    """Return the images that a transport reference means: `oci:DIR:NAME` one, a docker-archive perhaps several.

    See image/names/transports.py. Raises ImageError, DigestMismatchError, StorageError.
    """
    from podpy.image.archive.read import fetch

    policy_file = (options or PullOptions()).signature_policy
    with store.coming_by("pull", text):
        return fetch(store, parse_transport(text), policy_file=policy_file, progress=progress)


def warn_of_platform(record: ImageRecord, options: PullOptions) -> None:
    """Warn if an image that was pulled is for another platform than was asked for, or than this machine's.

    A single manifest, or an archive, leaves no choice: the image is taken, as in Podman.
    """
    from podpy.image.documents.config import ImageConfig, warn_of_other_machine

    warn_of_other_machine(ImageConfig.parse(record.config), options.wanted())


class _Here(Record):
    """What the store has under a name: `image`, or `other`, one for another platform than is asked for; `missing` says
    that it is the one of a manifest list and isn't there.
    """

    image: ImageRecord | None = None
    other: ImageRecord | None = None
    missing: NoSuchImageError | None = None
    name: str = ""  # the full one


def _find_here(store: Store, paths: Paths, text: str, options: PullOptions) -> _Here:
    try:
        found, name = find_named(store, paths, text)
    except NoSuchImageError:
        return _Here()
    if found.is_list:
        from podpy.errors import NoSuchInstanceError
        from podpy.image.names.instance import instance

        try:
            found = instance(store, found, options.wanted())
        except NoSuchInstanceError as missing:
            return _Here(missing=missing)
    if options.names_platform:
        from podpy.image.documents.config import ImageConfig

        config, wanted = ImageConfig.parse(found.config), options.wanted()
        if (config.os, config.architecture) != (wanted.os, wanted.architecture):
            return _Here(other=found, name=name)
    return _Here(image=found, name=name)


def _pull(
    store: Store, paths: Paths, name: str, options: PullOptions, here: ImageRecord | None, progress: Progress
) -> ImageRecord:
    if "hello" in name:
        from podpy.image.incoming import hello

        if hello.means_hello(name):
            return here or hello.load_hello(store)
    registries = registries_of(paths)
    if here is not None and not options.names_platform:
        name = find_named(store, paths, name)[1] or name  # as Podman: what a short name means here is what is pulled
    resolution = for_pull(name, registries)
    if resolution.why:
        progress.message(resolution.why)
    failures: list[PodpyError] = []
    for reference in resolution.names:
        progress.message(f"Trying to pull {reference}...")
        try:
            return _Pull(store, paths, reference, options, registries, progress).run(here)
        except (ImageError, ConfigError) as error:
            failures.append(error)
    if options.policy == "newer" and here is not None:
        return here  # podman-pull(1): a registry that can't be asked is no error if the image is here
    raise combined(failures)


class Offer(Record):
    """What a registry has under a name: the image's id, and the digest of its manifest or of the index above it."""

    id: str
    digest: str


def offer(store: Store, paths: Paths, name: str, options: PullOptions, *, known: Collection[str] = ()) -> Offer | None:
    """Return what the registry has under a name; no layer is fetched. None: it is one of the digests in `known`.

    Raises TrustError for what policy.json doesn't let in, RegistryError, AuthenticationError, ImageError, ConfigError.
    """
    registries = registries_of(paths)
    failures: list[PodpyError] = []
    for reference in for_pull(name.removeprefix(REGISTRY), registries).names:
        try:
            return _Pull(store, paths, reference, options, registries, SILENT).offer(known)
        except (ImageError, ConfigError) as error:
            failures.append(error)
    raise combined(failures)


def digest_there(paths: Paths, name: str, access: Access) -> str:
    """Return the digest that a full name has in its registry; "": it isn't there. Raises RegistryError, and others."""
    reference = parse(name)
    return remote.write(paths, reference, registries_of(paths), access, lambda found: found.digest(reference.tag))


class _Pull:
    """One full name: its mirrors and its registry, one after the other."""

    def __init__(
        self,
        store: Store,
        paths: Paths,
        reference: Reference,
        options: PullOptions,
        registries: Registries,
        progress: Progress,
    ) -> None:
        self._store = store
        self._paths = paths
        self._reference = reference
        self._options = options
        self._registries = registries
        self._progress = progress

    def run(self, here: ImageRecord | None) -> ImageRecord:
        """Return the image. Raises the last place's error if no place has it."""
        return self._first(lambda repository: self._from(repository, here))

    def offer(self, known: Collection[str]) -> Offer | None:
        """Return what the first place that has the name has there; see `offer`."""
        return self._first(lambda repository: self._offer(repository, known))

    def _first(self, use: Callable[[Repository], T]) -> T:
        pull_sources = remote.PullSources(
            self._paths, self._reference, self._registries, self._options, progress=self._progress
        )
        for source in pull_sources:
            with source as repository:
                return use(repository)
        raise pull_sources.error()

    def _offer(self, repository: Repository, known: Collection[str]) -> Offer | None:
        wanted = self._reference.digest or self._reference.tag
        if repository.digest(wanted) in known:  # most days: one request, which registries don't count as a pull
            return None
        manifest, data, parents = self._manifest(repository, wanted)
        repository.check_policy(data)
        digest = sha256(parents[0] if parents else data)
        return None if digest in known else Offer(id=manifest.config.hex, digest=digest)

    def _from(self, repository: Repository, here: ImageRecord | None) -> ImageRecord:
        wanted = self._reference.digest or self._reference.tag
        if here is not None and self._options.policy == "newer" and repository.digest(wanted) in here.digests:
            return here
        manifest, data, parents = self._manifest(repository, wanted)
        repository.check_policy(data)
        name = str(self._reference.without_tag_if_digest())
        config = self._config_here(manifest) or repository.small_blob(manifest.config, _config_limit())
        parts = _parts(repository, manifest, data, config).replace(parents=parents)
        return self._assemble(parts, name)

    def _assemble(self, parts: ImageParts, name: str) -> ImageRecord:
        from podpy.image.incoming.assemble import assemble

        return assemble(self._store, parts, names=[name], progress=self._progress)

    def _manifest(self, repository: Repository, wanted: str) -> tuple[Manifest, bytes, list[bytes]]:
        """Return an image's manifest, its bytes, and its parent indexes, if any."""
        from podpy.image.documents.descend import descend

        def read(entry: Descriptor) -> tuple[bytes, str]:
            here = self._store.images_table.manifest(entry.digest)  # then only the index was asked for
            return (here, "") if here else repository.manifest(entry.digest)

        data, kind = repository.manifest(wanted)
        with ErrorPrefix(str(self._reference)):  # with --quiet nothing else would say whose document it is
            found = descend(data, kind, read, self._options.wanted())
        return found.manifest, found.data, found.parents

    def _config_here(self, manifest: Manifest) -> bytes | None:
        """Return the configuration if the store has the very same image: then only the manifest was asked for."""
        try:
            return self._store.find_image(manifest.config.hex).config
        except NoSuchImageError:
            return None


def _config_limit() -> int:
    from podpy.image.documents.schema import CONFIG_LIMIT

    return CONFIG_LIMIT


def _parts(repository: Repository, manifest: Manifest, data: bytes, config: bytes) -> ImageParts:
    from podpy.image.incoming.assemble import Blob, ImageParts

    def blob(layer: Descriptor) -> Blob:
        if layer.size < 0:
            raise ImageError(f"{repository.name}: layer {layer.digest} has no size")
        return Blob(digest=layer.digest, size=layer.size, read=lambda offset: _layer_bytes(repository, layer, offset))

    return ImageParts(manifest=data, config=config, layers=[blob(layer) for layer in manifest.layers])


def _layer_bytes(repository: Repository, layer: Descriptor, offset: int) -> Iterator[bytes]:
    if not layer.urls:
        return repository.blob(layer.digest, layer.size, offset)
    from podpy.image.registry.foreign import layer_bytes

    return layer_bytes(repository, layer, offset)


def all_tags(paths: Paths, name: str, options: PullOptions) -> list[str]:
    """Return the full name of each tag in the repository that `name` means (its own tag doesn't count).

    A short name means docker.io, whatever registries.conf says (podman-pull(1)). `containers-storage:` alone means all
    names in Podman's store. Raises ImageError, RegistryError.
    """
    if name.startswith(STORE):
        from podpy.image.archive.podman_store import all_names

        return all_names(paths, name.removeprefix(STORE))
    if is_transport(name):
        transport = name.partition(":")[0]
        raise UsageError(f'pulling all tags is not supported for the transport "{transport}"')
    reference = parse(name.removeprefix(REGISTRY))
    repository = (reference.in_domain(DOCKER_DOMAIN) if reference.is_short else reference).name
    registries = registries_of(paths)
    tags = remote.list_from(paths, repository, registries, options, lambda listing: list(listing.tags()))
    return [f"{repository}:{tag}" for tag in tags]
