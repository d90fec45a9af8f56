"""Registries: search, logins, and the trust policy."""

from __future__ import annotations

from podpy.config.auth import AuthFiles, Credentials, parse_pair
from podpy.errors import AuthenticationError, UsageError
from podpy.image.names.registries import registries_of
from podpy.image.progress import SILENT
from podpy.libpod.images.transfer import patient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.config.paths import Paths
    from podpy.image.progress import Progress
    from podpy.image.registry.access import Access
    from podpy.image.registry.describe import RemoteImage
    from podpy.image.registry.search import Found, Tags
    from podpy.image.trust.describe import Entry
    from podpy.libpod.engine import Engine

__all__ = ("Credentials", "Logins", "Registries", "parse_pair")


class Registries:
    """Search, logins and trust."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def search(
        self,
        term: str,
        access: Access | None = None,
        *,
        filters: Sequence[str] = (),
        limit: int = 0,
        progress: Progress | None = None,
    ) -> list[Found]:
        """Return each registry's results for a term (`[REGISTRY/]TEXT`), at most `limit` (0: 25) from each.

        `filters` are podman-search(1)'s. Raises UsageError, ConfigError, and the registries' errors if none has found
        anything.
        """
        from podpy.image.registry.access import Access
        from podpy.image.registry.search import search
        from podpy.libpod.filters.search import SearchFilters

        wanted = SearchFilters(filters)
        how = patient(self._engine, access or Access())
        found = search(self._engine.paths, term, how, limit=_limit(limit), progress=progress or SILENT)
        return [one for one in found if wanted.match(one)]

    def tags(
        self, term: str, access: Access | None = None, *, limit: int = 0, progress: Progress | None = None
    ) -> list[Tags]:
        """Return the tags of a repository in each registry that has it; see `search`."""
        from podpy.image.registry.access import Access
        from podpy.image.registry.search import list_tags

        how = patient(self._engine, access or Access())
        return list_tags(self._engine.paths, term, how, limit=_limit(limit), progress=progress or SILENT)

    def describe(self, name: str, access: Access | None = None) -> RemoteImage:
        """Return the type, digest, size and platforms of what a registry has under a full name; nothing is fetched.

        Raises ImageError, NotThereError, RegistryError, AuthenticationError, TrustError.
        """
        from podpy.image.registry.access import Access
        from podpy.image.registry.describe import describe

        return describe(self._engine.paths, name, patient(self._engine, access or Access()))

    def logins(self, *, authfile: str = "", compat_authfile: str = "") -> Logins:
        """Return the logins in these files (podman-login(1)), by default in the usual ones."""
        return Logins(self._engine.paths, authfile, compat_authfile)

    def policy(self, *, given: str = "") -> tuple[str, bytes]:
        """Return the path and the bytes of the policy.json in use. Raises ConfigError."""
        from podpy.image.trust.describe import read_policy

        return read_policy(self._engine.paths, given)

    def trust(self, *, given: str = "", registries_d: str = "") -> tuple[list[Entry], list[str]]:
        """Return policy.json's requirements, one entry each, and the problems with its keys.

        `given`, `registries_d`: use this file and directory instead of the configured ones. Raises ConfigError.
        """
        from podpy.image.trust.describe import describe

        path, data = self.policy(given=given)
        return describe(self._engine.paths, data, path, registries_d=registries_d)

    def set_trust(self, scope: str, kind: str, keys: Sequence[str] = (), *, given: str = "") -> None:
        """Set policy.json's requirement for `scope` to `kind` (accept, reject, signedBy, sigstoreSigned).

        Raises UsageError, ConfigError.
        """
        from podpy.config.policy_edit import set_requirements

        set_requirements(self._engine.paths, scope, kind, [*keys], given=given)


class Logins:
    """The user's credentials for registries, in files or credential helpers."""

    def __init__(self, paths: Paths, authfile: str, compat_authfile: str) -> None:
        self._paths = paths
        self._registries = registries_of(paths)
        self._files = AuthFiles(
            home=paths.home,
            run_file=paths.auth_file,
            authfile="" if compat_authfile else authfile,
            compat_authfile=compat_authfile,
            helpers=self._registries.credential_helpers,
        )
        self._files.missing = ""  # a missing file is no error: a login creates it

    @property
    def path(self) -> str:
        """The path of the file that a login writes."""
        return self._files.write_path

    def key(self, text: str = "") -> str:
        """Return the key for an argument: a registry, or a namespace or repository in one (empty: the first registry).

        Raises UsageError, ImageError.
        """
        from podpy.image.names.reference import parse

        text = text or self._default()
        for scheme in ("https://", "http://"):
            if text.startswith(scheme):
                # As in Docker, an address means its host; only --tls-verify decides about HTTP or HTTPS.
                text = text.removeprefix(scheme).partition("/")[0]
        host, slash, _ = text.partition("/")
        reference = parse(text if slash else f"{host}/x")
        if slash and (reference.tag or reference.digest or reference.domain != host):
            raise UsageError(
                f"{text}: not a registry, nor a namespace or repository of one", hint="Give HOST or HOST/NAME"
            )
        return text

    def find(self, key: str) -> Credentials | None:
        """Return the stored credentials for a key. Raises ConfigError, AuthenticationError (from a helper)."""
        return self._files.find(key)

    def check(
        self, key: str, username: str, password: str, *, tls_verify: bool | None = None, cert_dir: str = ""
    ) -> None:
        """Try credentials at the registry. Raises AuthenticationError (it rejects them), RegistryError, ConfigError."""
        from podpy.image.registry.login import check_login

        credentials = Credentials(username, password)
        check_login(self._paths, key, credentials, tls_verify=tls_verify, cert_dir=cert_dir)

    def keep(self, key: str, username: str, password: str) -> None:
        """Store credentials. Raises UsageError (helpers know hosts only), ConfigError."""
        self._files.store(key, Credentials(username, password))

    def forget(self, key: str) -> bool:
        """Remove the credentials for a key; return False if they are only in another tool's file.

        Raises AuthenticationError if there are none.
        """
        if self._files.erase(key):
            return True
        if self._files.find(key) is None:
            raise AuthenticationError(f"not logged into {key}")
        return False

    def forget_all(self) -> None:
        """Remove all credentials from the file of `path` and its helpers."""
        self._files.erase_all()

    def _default(self) -> str:
        search = self._registries.search
        if not search:
            raise UsageError(
                "no registries found in registries.conf, a registry must be provided", hint="For example docker.io"
            )
        return search[0]


def _limit(limit: int) -> int:
    if limit < 0:
        raise UsageError(f"--limit {limit}: a number that is not negative is needed")
    return limit
