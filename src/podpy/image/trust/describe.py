"""policy.json for people: `podpy image trust show`."""

from __future__ import annotations

import os

from podpy import process
from podpy.config import policy, registries_d
from podpy.errors import ConfigError, NotFoundError
from podpy.image.trust.identity import check_identities
from podpy.record import Record
from podpy.storage.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.config.policy import Requirement
    from podpy.config.registries_d import RegistriesD

_TYPES = {policy.ACCEPT: "accept", policy.REJECT: "reject", policy.SIGNED_BY: "signed"}


class Entry(Record):
    """One requirement, with Podman's words: `transport` is "all" for the default and "repository" for docker."""

    transport: str
    scope: str
    type: str  # accept, reject, signed, sigstoreSigned
    is_default: bool = False
    key_ids: str = ""  # mail addresses in the GPG keys, separated by commas; N/A for sigstore
    store: str = ""  # where signatures are stored


def read_policy(paths: Paths, given: str = "") -> tuple[str, bytes]:
    """Return the path and the bytes of the policy.json in use. Raises ConfigError."""
    path = policy.find_file(paths.home, given)
    if not path:
        raise ConfigError(
            "no policy.json: every image may come in", hint="Make one: podpy image trust set -t accept default"
        )
    return path, policy.read(path)


def describe(paths: Paths, data: bytes, path: str, *, registries_d: str = "") -> tuple[list[Entry], list[str]]:
    """Return a policy's requirements (default first, then by transport and scope), and the problems with its keys.

    `registries_d`: read this directory instead of the configured ones. Raises ConfigError.
    """
    found = policy.parse(data, path)
    check_identities(found)
    describer = _Describer(paths, _registries_d(paths, registries_d))
    try:
        entries = describer.entries("all", "default", found.default, is_default=True)
        for transport, scopes in sorted(found.transports.items()):
            shown = "repository" if transport == "docker" else transport
            for scope, requirements in sorted(scopes.items()):
                entries += describer.entries(shown, scope, requirements)
    finally:
        describer.close()
    return entries, describer.problems


def _registries_d(paths: Paths, directory: str) -> RegistriesD:
    return registries_d.load_directory(directory) if directory else registries_d.load(paths.home, paths.uid)


class _Describer:
    def __init__(self, paths: Paths, configuration: RegistriesD) -> None:
        self._staging = Staging(paths.graphroot)  # gpg's home directory, so the user's own keys aren't read
        self._configuration = configuration
        self.problems: list[str] = []

    def close(self) -> None:
        """Remove gpg's files."""
        self._staging.close()

    def entries(
        self, transport: str, scope: str, requirements: list[Requirement], *, is_default: bool = False
    ) -> list[Entry]:
        store = self._configuration.lookaside([] if is_default else _parents(scope))
        return [
            Entry(
                transport=transport,
                scope=scope,
                type=_TYPES.get(requirement.type, requirement.type),
                is_default=is_default,
                key_ids=self._key_ids(requirement),
                store=store,
            )
            for requirement in requirements
        ]

    def _key_ids(self, requirement: Requirement) -> str:
        if requirement.type == policy.SIGSTORE_SIGNED:
            return "N/A"
        if requirement.type != policy.SIGNED_BY:
            return ""
        found = []
        for path in requirement.key_paths:
            found += self._ids_in(path, path)
        for data in requirement.key_data:
            found += self._ids_of(data, requirement.where)
        return ", ".join(found)

    def _ids_of(self, data: bytes, where: str) -> list[str]:
        path = self._staging.new_path("key")
        with open(path, "wb") as file:
            file.write(data)
        return self._ids_in(path, where)

    def _ids_in(self, path: str, where: str) -> list[str]:
        """Return the mail addresses in a file of GPG keys."""
        home = f"--homedir={self._staging.path()}"
        try:
            finished = process.run(
                [
                    process.find("gpg"),
                    home,
                    "--batch",
                    "--no-options",
                    "--no-autostart",
                    "--with-colons",
                    "--show-keys",
                    path,
                ]
            )
        except NotFoundError as error:
            self.problems.append(f"the keys can't be read: {error.message}")
            return []
        if finished.code != 0 or not os.path.exists(path):
            self.problems.append(f"{where}: no GPG keys there: {finished.error_text()}")
        lines = finished.stdout.decode(errors="replace").splitlines()
        users = [line.split(":")[9] for line in lines if line.startswith(("uid:", "pub:")) and line.count(":") >= 9]
        return [_mail(user) for user in users if user]


def _mail(user: str) -> str:
    """Return the address in `Name <address>`, or the whole text; gpg writes a colon as \\x3a."""
    inner = user.partition("<")[2].partition(">")[0] or user
    return inner.replace("\\x3a", ":")


def _parents(scope: str) -> list[str]:
    found = []
    while scope:
        found.append(scope)
        scope = scope.rpartition("/")[0]
    return found
