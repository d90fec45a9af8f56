"""Repositories of git: what `URL#REF:DIRECTORY` means, for contexts and for ADD.

One commit alone is fetched, by the system's git. A repository's hooks, submodules and other protocols stay unused, and
nothing in it leads out of the directory that it is checked out into.
"""

from __future__ import annotations

import os

from podpy import beneath, process
from podpy.errors import DigestMismatchError, NotFoundError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_PATIENCE = 1800  # seconds for one call of git
_FETCH = ["-q", "--depth=1", "--no-tags", "--no-recurse-submodules"]
_SAFELY = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "submodule.recurse=false"]
_PROTOCOLS = "http:https:ssh:git"
_HEX = frozenset("0123456789abcdef")
_IDS = (40, 64)  # digits of a commit's id: SHA-1, SHA-256
_SHORTEST_ID = 7
_UMASK = 0o022  # modes of files are the repository's, whoever fetches it
_PLACES = ("", "refs/", "refs/tags/", "refs/heads/")  # where git looks for a name, in this order (gitrevisions(7))
_PEELED = "^{}"


class Repository:
    """One repository. `environment`: the caller's, for git."""

    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        """Read `URL#REF:DIRECTORY`. Raises UsageError."""
        self._text = text
        address, _, fragment = text.partition("#")
        self._ref, _, self._directory = fragment.partition(":")
        if self._ref.startswith("-"):
            raise UsageError(f"{text}: {self._ref} is no name of a branch, tag or commit")
        self._address = f"https://{address}" if address.startswith("github.com/") else address
        self._environment = environment
        self._commit = ""

    def __str__(self) -> str:
        return self._text

    def commit(self, checksum: str = "") -> str:
        """Return the id of the commit that the address means now. `checksum`: what it begins with, or "".

        Raises UsageError, DigestMismatchError.
        """
        if not self._commit:
            self._commit = self._ref if _is_id(self._ref) else self._asked()
        if checksum and not (
            self._commit.startswith(checksum) and len(checksum) >= _SHORTEST_ID and _HEX.issuperset(checksum)
        ):
            raise DigestMismatchError(
                f'unexpected commit of "{self._text}": {self._commit}, want {checksum}',
                hint="--checksum takes a commit's id, or 7 and more of its first digits",
            )
        return self._commit

    def added(self, target: str, *, with_history: bool) -> str:
        """As `checked_out`, for ADD: `with_history` puts .git beside the files, else there is none."""
        from podpy.storage.layers.filesystem import remove_tree

        directory = self.checked_out(target)
        history = os.path.join(target, ".git")
        if not with_history:
            remove_tree(history)
        elif directory != target:
            os.rename(history, os.path.join(directory, ".git"))
        return directory

    def checked_out(self, target: str) -> str:
        """Check the commit out in the empty directory `target`, with .git; return the directory that is meant.

        Raises UsageError, also if it isn't the commit that `commit` has returned.
        """
        where = ["-C", target]
        before = os.umask(_UMASK)
        try:
            self._git([*where, "init", "-q", "--template="])
            self._git([*where, "fetch", *_FETCH, "--", self._address, self._ref or "HEAD"])
            found = self._git([*where, "rev-parse", "FETCH_HEAD^{commit}"]).strip()
            if self._commit not in ("", found):
                raise UsageError(f"{self._text}: it was changed while it was read", hint="Build again")
            self._git([*where, *_SAFELY, "checkout", "-q", "FETCH_HEAD"])
        finally:
            os.umask(before)
        return self._inside(target)

    def _inside(self, target: str) -> str:
        try:
            found = beneath.open_beneath(target, self._directory.strip("/") or ".", os.O_PATH | os.O_DIRECTORY)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"{self._text}: {self._directory}: {reason}") from None
        try:
            return os.readlink(beneath.magic_path(found))
        finally:
            os.close(found)

    def _asked(self) -> str:
        """Ask the server which commit a name means; a tag's own object isn't one."""
        wanted = self._ref or "HEAD"
        told = self._git(["ls-remote", "-q", "--", self._address, wanted, wanted + _PEELED])
        found = {name: commit for commit, _, name in (line.partition("\t") for line in told.splitlines())}
        for place in _PLACES:
            commit = found.get(f"{place}{wanted}{_PEELED}") or found.get(f"{place}{wanted}")
            if commit:
                return commit
        raise UsageError(f"{self._text}: there is no {wanted}", hint=self._hint())

    def _hint(self) -> str:
        return f"Try git ls-remote {self._address}"

    def _git(self, words: list[str]) -> str:
        """Run git and return what it prints. Raises UsageError."""
        protocols = "file" if self._text.startswith("file://") else _PROTOCOLS  # a redirect leads to no file here
        own = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": protocols, "LC_ALL": "C"}
        try:
            git = process.find("git")
        except NotFoundError:
            raise UsageError(f"{self._text}: git isn't installed", hint="Install git") from None
        done = process.run([git, *words], environment={**self._environment, **own}, timeout=_PATIENCE)
        if done.code != 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"git ended with {done.code}"]
            told = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
            raise UsageError(f"{self._text}: {told.removeprefix('fatal: ')}", hint=self._hint())
        return done.stdout.decode(errors="surrogateescape")


def _is_id(text: str) -> bool:
    return len(text) in _IDS and _HEX.issuperset(text)
