"""One full name in a registry: policy, mirrors, credentials, certificates.

`PullSources` yields the mirrors and the location that registries.conf rewrites the name to. `write` and `list_from` use
the name itself, as Podman does: containers-registries.conf(5), "Remapping and mirroring registries".
"""

from __future__ import annotations

import os

from podpy.digests import sha256
from podpy.errors import ImageError, TrustError
from podpy.image.names.reference import parse
from podpy.image.progress import SILENT, Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from podpy.config.auth import Credentials
    from podpy.config.paths import Paths
    from podpy.config.registries import Registries
    from podpy.image.names.reference import Reference
    from podpy.image.registry.access import Access
    from podpy.image.registry.http import Connection
    from podpy.image.registry.list import Listing
    from podpy.image.registry.read import Repository
    from podpy.image.registry.write import WritableRepository
    from podpy.image.trust import PolicyContext
    from podpy.image.trust.signatures import Signature

    T = TypeVar("T")

_RETRIES = 3  # containers.conf(5)


class PullSources:
    """The sources from which one full name can be read: its mirrors, then its registry.

        sources = PullSources(paths, reference, registries, access)
        for source in sources:
            with source as repository:  # what fails in the block is noted, and the next source is tried
                return …
        raise sources.error()

    The block must call `repository.check_policy(manifest)` before it stores anything of an image.
    """

    def __init__(
        self,
        paths: Paths,
        reference: Reference,
        registries: Registries,
        access: Access,
        *,
        progress: Progress = SILENT,
    ) -> None:
        """Raises TrustError if policy.json rejects every image of this name, whatever its signatures."""
        self._paths = paths
        self._reference = reference
        self._registries = registries
        self._access = access
        self._progress = progress
        self._policy = _policy(paths, reference, access)
        self._policy.refuse_rejected()
        self.failures: list[tuple[str, ImageError]] = []

    def __iter__(self) -> Iterator[PullSource]:
        by_digest = bool(self._reference.digest)
        for name, insecure in self._registries.endpoints(self._reference.name, by_digest=by_digest):
            try:
                connection, repository = self._open(name, insecure)
            except ImageError as error:
                self.failures.append((name, error))
            else:
                yield PullSource(self, name, connection, repository)

    def _open(self, name: str, insecure: bool) -> tuple[Connection, Repository]:
        from podpy.image.registry.read import Repository

        host, _, path = name.partition("/")
        connection = connect(self._paths, host, insecure, self._access, self._progress)
        repository = Repository(connection, path, self._credentials(name))
        where = parse(name).replace(tag=self._reference.tag, digest=self._reference.digest)
        repository.check = PolicyCheck(self._policy, repository, where, self._paths, self._access)
        return connection, repository

    def _credentials(self, place: str) -> Credentials | None:
        """`--creds` are for the named registry: a mirror on another host must not get them."""
        access = self._access
        if place.partition("/")[0] != self._reference.domain:
            access = access.replace(credentials=None)
        return credentials(self._paths, place, access, self._registries)

    def error(self) -> ImageError:
        """Return the registry's own error, with the mirrors' errors added."""
        return _summary(self.failures)


class PullSource:
    """A context with one repository to read from. It records an ImageError of its block; a TrustError goes on, since
    another mirror's copy of the same name must not evade the policy.
    """

    def __init__(self, sources: PullSources, name: str, connection: Connection, repository: Repository) -> None:
        self._sources = sources
        self._name = name
        self._connection = connection
        self._repository = repository

    def __enter__(self) -> Repository:
        return self._repository

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> bool:
        self._connection.close()
        if not isinstance(error, ImageError) or isinstance(error, TrustError):
            return False
        self._sources.failures.append((self._name, error))
        return True


class PolicyCheck:
    """Checks a repository's manifests: the policy, with the signatures found there."""

    def __init__(
        self, policy: PolicyContext, repository: Repository, where: Reference, paths: Paths, access: Access
    ) -> None:
        self._policy = policy
        self._repository = repository
        self._where = where
        self._paths = paths
        self._access = access

    def check_policy(self, manifest: bytes) -> None:
        """Return if policy.json accepts the image with this manifest. Raises TrustError."""
        self._policy.check_policy(manifest, lambda: self._signatures(manifest))

    def _signatures(self, manifest: bytes) -> list[Signature]:
        from podpy.image.trust.signatures import from_registry

        def lookaside(host: str) -> Connection:
            return connect(self._paths, host, False, self._access.replace(tls_verify=None))

        return from_registry(self._paths, self._repository, self._where, sha256(manifest), lookaside)


def _summary(failures: list[tuple[str, ImageError]]) -> ImageError:
    """Return the registry's own error, with the mirrors' errors added."""
    _, primary = failures[-1]
    said = [(place, error.message.removeprefix(f"{place}: ")) for place, error in failures[:-1]]
    mirrors = "".join(f" [{place}: {text}]" for place, text in said)
    if not mirrors:
        return primary
    return type(primary)(f"{primary.message} (mirrors also failed:{mirrors})", hint=primary.hint)


def write(
    paths: Paths,
    reference: Reference,
    registries: Registries,
    access: Access,
    use: Callable[[WritableRepository], T],
    *,
    progress: Progress = SILENT,
) -> T:
    """Return what `use` makes of the repository of `reference`.

    Raises ConfigError if registries.conf blocks it, and what `use` raises.
    """
    from podpy.image.registry.write import WritableRepository

    insecure = registries.insecure(reference.name)
    with connect(paths, reference.domain, insecure, access, progress) as connection:
        return use(
            WritableRepository(connection, reference.path, credentials(paths, reference.name, access, registries))
        )


def list_from(
    paths: Paths,
    name: str,
    registries: Registries,
    access: Access,
    use: Callable[[Listing], T],
    *,
    host: str = "",
    progress: Progress = SILENT,
) -> T:
    """Return what `use` makes of the lists of `name` (a repository's full name, or a registry's alone).

    `host` answers for the registry, if it doesn't itself. Raises ConfigError if registries.conf blocks it, and what
    `use` raises.
    """
    from podpy.image.registry.list import Listing

    registry, _, path = name.partition("/")
    with connect(paths, host or registry, registries.insecure(name), access, progress) as connection:
        return use(Listing(connection, path, credentials(paths, name, access, registries)))


def _policy(paths: Paths, reference: Reference, access: Access) -> PolicyContext:
    """Return the policy for this full name."""
    from podpy.image.trust import Origin, PolicyContext
    from podpy.image.trust.scopes import docker_scopes

    name = reference.without_tag_if_digest()
    source = Origin(transport="docker", scopes=docker_scopes(name), name=f"docker://{name}", reference=name)
    return PolicyContext(paths, source, policy_file=access.signature_policy)


def connect(paths: Paths, host: str, insecure: bool, access: Access, progress: Progress = SILENT) -> Connection:
    """Return a connection to a registry's host; `insecure` is what registries.conf says, `access` may say otherwise."""
    from podpy.image.registry.http import Connection

    return Connection(
        host,
        insecure=insecure if access.tls_verify is None else not access.tls_verify,
        certificates=_certificate_directories(paths, host, access.cert_dir),
        retries=_RETRIES if access.retries is None else access.retries,
        retry_delay=access.retry_delay or 0.0,
        progress=progress,
    )


def credentials(paths: Paths, place: str, access: Access, registries: Registries) -> Credentials | None:
    """Return the credentials for `place` (host/path), or None. Raises ConfigError."""
    if access.credentials is not None:
        return access.credentials
    from podpy.config.auth import AuthFiles

    files = AuthFiles(
        home=paths.home,
        run_file=paths.auth_file,
        authfile=access.authfile,
        helpers=registries.credential_helpers,
    )
    return files.find(place)


def _certificate_directories(paths: Paths, host: str, given: str = "") -> tuple[str, ...]:
    """Return where a registry's certificates may be (containers-certs.d(5)); `given` stands for itself."""
    if given:
        return (given,)
    from podpy.config.load_order import directories

    own, uid = (paths.config_dirs[0], paths.uid or None) if paths.rootless else ("", 0)
    found = [os.path.join(directory, host) for directory in reversed(directories("certs", uid, own))]
    return (*found, os.path.join("/etc/docker/certs.d", host))
