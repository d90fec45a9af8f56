"""Registries: searching them, logging in, and which signatures policy.json demands of their images."""

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
    from podpy.image.registry.search import Found, Tags
    from podpy.image.trust.describe import Entry
    from podpy.libpod.engine import Engine

__all__ = ("Logins", "Registries", "parse_pair")


class Registries:
    """What is asked of registries, and said about them."""

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
        """Return what each registry finds for a term (`[REGISTRY/]TEXT`), at most `limit` (0: 25) of each.

        `filters` are podman-search(1)'s. Raises UsageError, what the registries said if none has found anything,
        ConfigError.
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

    def logins(self, *, authfile: str = "", compat_authfile: str = "") -> Logins:
        """Return the credentials in these files (podman-login(1)), or in those that are looked up by default."""
        return Logins(self._engine.paths, authfile, compat_authfile)

    def policy(self, *, given: str = "") -> tuple[str, bytes]:
        """Return the path and the bytes of the policy.json that counts. Raises ConfigError."""
        from podpy.image.trust.describe import read_policy

        return read_policy(self._engine.paths, given)

    def trust(self, *, given: str = "", registries_d: str = "") -> tuple[list[Entry], list[str]]:
        """Return what policy.json demands, one entry for each requirement; and what is wrong with its keys.

        `given`, `registries_d`: a file and a directory that stand for themselves. Raises ConfigError.
        """
        from podpy.image.trust.describe import describe

        path, data = self.policy(given=given)
        return describe(self._engine.paths, data, path, registries_d=registries_d)

    def set_trust(self, scope: str, kind: str, keys: Sequence[str] = (), *, given: str = "") -> None:
        """Make policy.json demand `kind` (accept, reject, signedBy, sigstoreSigned) of what `scope` names.

        Raises UsageError, ConfigError.
        """
        from podpy.config.policy_edit import set_requirements

        set_requirements(self._engine.paths, scope, kind, [*keys], given=given)


class Logins:
    """Who the user is in which registry; in files, or kept by helper programs."""

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
        self._files.missing = ""  # a login makes it

    @property
    def path(self) -> str:
        """The file that a login writes."""
        return self._files.write_path

    def key(self, text: str = "") -> str:
        """Return the key that an argument means: a registry, or a namespace or repository of one (empty: the first).

        Raises UsageError, ImageError.
        """
        from podpy.image.names.reference import parse

        text = text or self._default()
        for scheme in ("https://", "http://"):
            if text.startswith(scheme):
                # An address, as Docker takes it, means its host; what is spoken there is said by --tls-verify alone.
                text = text.removeprefix(scheme).partition("/")[0]
        host, slash, _ = text.partition("/")
        reference = parse(text if slash else f"{host}/x")
        if slash and (reference.tag or reference.digest or reference.domain != host):
            raise UsageError(
                f"{text}: not a registry, nor a namespace or repository of one", hint="Give HOST or HOST/NAME"
            )
        return text

    def find(self, key: str) -> Credentials | None:
        """Return what is known for a key. Raises ConfigError, AuthenticationError (a helper)."""
        return self._files.find(key)

    def check(
        self, key: str, username: str, password: str, *, tls_verify: bool | None = None, cert_dir: str = ""
    ) -> None:
        """Ask the registry whether it takes these. Raises AuthenticationError if not, RegistryError, ConfigError."""
        from podpy.image.registry.login import check_login

        credentials = Credentials(username, password)
        check_login(self._paths, key, credentials, tls_verify=tls_verify, cert_dir=cert_dir)

    def keep(self, key: str, username: str, password: str) -> None:
        """Keep credentials. Raises UsageError (a helper knows hosts only), ConfigError."""
        self._files.store(key, Credentials(username, password))

    def forget(self, key: str) -> bool:
        """Remove what `keep` kept; return False if only another tool's file knows the registry.

        Raises AuthenticationError if nothing knows it.
        """
        if self._files.erase(key):
            return True
        if self._files.find(key) is None:
            raise AuthenticationError(f"not logged into {key}")
        return False

    def forget_all(self) -> None:
        """Remove all that `keep` kept."""
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
