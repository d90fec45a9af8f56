"""One full name in a registry: policy, its mirrors and its own place one after the other, credentials, certificates.

`read` goes where registries.conf rewrites the name to, and to mirrors; `write` and `list_from` to what is named, as
Podman: containers-registries.conf(5), "Remapping and mirroring registries".
"""

from __future__ import annotations

import os

from podpy.errors import ConfigError, ImageError, TrustError
from podpy.image.names.reference import parse
from podpy.image.progress import SILENT, Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from podpy.config.auth import Credentials
    from podpy.config.paths import Paths
    from podpy.config.registries import Registries
    from podpy.image.names.reference import Reference
    from podpy.image.registry.access import Access
    from podpy.image.registry.http import Transport
    from podpy.image.registry.list import Listing
    from podpy.image.registry.read import Repository
    from podpy.image.registry.write import WritableRepository
    from podpy.image.trust import Gate

    T = TypeVar("T")


def read(
    paths: Paths,
    reference: Reference,
    registries: Registries,
    access: Access,
    use: Callable[[Repository], T],
    *,
    progress: Progress = SILENT,
) -> T:
    """Return what `use` makes of the first place (mirrors, then the registry) where it doesn't fail.

    `use` must call `repository.admit(manifest)` before it keeps anything of an image. Raises TrustError if policy.json
    rejects the image, and what the last place said if none has it.
    """
    from podpy.image.registry.read import Repository

    gate = _gate(paths, reference, access)
    gate.refuse_rejected()
    failures: list[tuple[str, ImageError]] = []
    for place, insecure in registries.endpoints(reference.name, by_digest=bool(reference.digest)):
        host, _, path = place.partition("/")
        try:
            with connect(paths, host, insecure, access, progress) as transport:
                repository = Repository(transport, path, _credentials(paths, place, reference, access))
                where = parse(place).replace(tag=reference.tag, digest=reference.digest)
                repository.judge = _judge(gate, repository, where, paths, access)
                return use(repository)
        except TrustError:
            raise  # another mirror's copy of the same name is no way round the policy
        except ImageError as error:
            failures.append((place, error))
    raise _summary(failures)


def _summary(failures: list[tuple[str, ImageError]]) -> ImageError:
    """Return the registry's own error, which is the last; what its mirrors said is added."""
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
    with connect(paths, reference.domain, insecure, access, progress) as transport:
        return use(WritableRepository(transport, reference.path, credentials(paths, reference.name, access)))


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
    with connect(paths, host or registry, registries.insecure(name), access, progress) as transport:
        return use(Listing(transport, path, credentials(paths, name, access)))


def _gate(paths: Paths, reference: Reference, access: Access) -> Gate:
    """Return what policy.json demands of this full name."""
    from podpy.image.trust import Gate, Source
    from podpy.image.trust.scopes import docker_scopes

    name = reference.without_tag_if_digest()
    source = Source(transport="docker", scopes=docker_scopes(name), name=f"docker://{name}", reference=name)
    return Gate(paths, source, policy_file=access.signature_policy)


def _judge(
    gate: Gate, repository: Repository, place: Reference, paths: Paths, access: Access
) -> Callable[[bytes], None]:
    """Return what decides about a manifest of the repository: with the signatures that it has at `place`."""

    def judge(manifest: bytes) -> None:
        from podpy.digests import sha256
        from podpy.image.trust.signatures import from_registry

        def lookaside(host: str) -> Transport:
            return connect(paths, host, False, access.replace(tls_verify=None))

        gate.admit(manifest, lambda: from_registry(paths, repository, place, sha256(manifest), lookaside))

    return judge


def _credentials(paths: Paths, place: str, reference: Reference, access: Access) -> Credentials | None:
    """Return what to log in with at `place`: `--creds` are the named registry's, no mirror elsewhere may learn them."""
    if place.partition("/")[0] != reference.domain:
        access = access.replace(credentials=None)
    return credentials(paths, place, access)


def connect(paths: Paths, host: str, insecure: bool, access: Access, progress: Progress = SILENT) -> Transport:
    """Return a connection to a registry's host; `insecure` is what registries.conf says, `access` may say otherwise."""
    from podpy.image.registry.http import Transport

    retries, delay = _patience(paths, access)
    return Transport(
        host,
        insecure=insecure if access.tls_verify is None else not access.tls_verify,
        certificates=_certificate_directories(paths, host, access.cert_dir),
        retries=retries,
        retry_delay=delay,
        progress=progress,
    )


def _patience(paths: Paths, access: Access) -> tuple[int, float]:
    """Return how often to try again and after how many seconds: as containers.conf says where `access` doesn't."""
    if access.retries is not None and access.retry_delay is not None:
        return access.retries, access.retry_delay
    from podpy.config import containers_conf
    from podpy.go.values import retry_delay

    conf = containers_conf.load(paths)
    try:
        delay = retry_delay(conf.retry_delay) if access.retry_delay is None else access.retry_delay
    except ValueError as error:
        raise ConfigError(f'retry_delay in containers.conf: invalid value "{conf.retry_delay}": {error}') from error
    return conf.retry if access.retries is None else access.retries, delay


def credentials(paths: Paths, place: str, access: Access) -> Credentials | None:
    """Return what to log in with at `place` (host/path), None if nothing is known. Raises ConfigError."""
    if access.credentials is not None:
        return access.credentials
    from podpy.config.auth import AuthFiles
    from podpy.image.names.registries import registries_of

    files = AuthFiles(
        home=paths.home,
        run_file=paths.auth_file,
        authfile=access.authfile,
        helpers=registries_of(paths).credential_helpers,
    )
    return files.find(place)


def _certificate_directories(paths: Paths, host: str, given: str = "") -> tuple[str, ...]:
    """Return where a registry's certificates may be (containers-certs.d(5)); `given` stands for itself."""
    if given:
        return (given,)
    directories = [os.path.join(directory, "certs.d", host) for directory in paths.config_dirs]
    return (*directories, os.path.join("/etc/docker/certs.d", host))
