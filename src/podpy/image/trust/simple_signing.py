"""GPG signatures (signedBy), checked by the `gpg` program in a separate home directory.

Not `gpgv`: it accepts expired and revoked keys. Not a library: no OpenPGP library is as well maintained, and images
are signed with the distribution's gpg.

gpg's result is read from its status lines (doc/DETAILS in its source), which go to a separate descriptor: among the
messages for people, a forged user id or file name could look like one (CVE-2018-12020).
"""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import ImageError, NotFoundError, NotSupportedError

PAYLOAD_LIMIT = 4 << 20
_PREFIX = "[GNUPG:] "
_OPTIONS = (
    "--batch",
    "--no-tty",
    "--no-options",
    "--no-autostart",  # gpg-agent, dirmngr or keyboxd would outlive us
    "--no-auto-key-retrieve",
    "--trust-model=always",  # the policy names the trusted keys
)
_BAD = {
    "BADSIG": "it doesn't fit what is signed",
    "ERRSIG": "it was made by a key that the policy doesn't name, or in a way that gpg can't check",
    "EXPSIG": "it has expired",
    "EXPKEYSIG": "its key has expired",
    "REVKEYSIG": "its key was revoked",
}


class Keyring:
    """The policy's keys alone, imported into an empty directory."""

    def __init__(self, directory: str, keys: list[bytes]) -> None:
        """`keys` are keyrings, armored or binary. Raises ImageError if none holds a public key, NotSupportedError."""
        self._directory = directory
        try:
            self._gpg = process.find("gpg")
        except NotFoundError:
            raise NotSupportedError(
                "signedBy in policy.json needs the program gpg", hint="Install it: apt-get install gpg"
            ) from None
        self._trusted: set[str] = set()
        for key in keys:
            _, status = self._run(["--import", self._write("key", key)])
            self._trusted |= {fields[2] for fields in status if fields[0] == "IMPORT_OK" and len(fields) > 2}
        if not self._trusted:
            raise ImageError("No public keys imported", hint="Check the keys that policy.json names: gpg --show-keys")

    def verify(self, signature: bytes) -> bytes:
        """Return the signed payload, if it has exactly one signature, which is valid and by one of the keys.

        Raises ImageError.
        """
        finished, status = self._run(
            [f"--max-output={PAYLOAD_LIMIT}", "--output=-", "--verify", self._write("signature", signature)]
        )
        words = [fields[0] for fields in status]
        bad = next((word for word in words if word in _BAD), "")
        if bad:
            raise ImageError(f"Invalid GPG signature: {_BAD[bad]}")
        valid = [fields for fields in status if fields[0] == "VALIDSIG"]
        counts = [words.count(word) for word in ("PLAINTEXT", "NEWSIG", "GOODSIG", "VALIDSIG")]
        if finished.code != 0 or counts != [1, 1, 1, 1] or any(word.startswith("DECRYPTION") for word in words):
            raise ImageError("Invalid GPG signature: it isn't one message with one signature")
        # Fields of VALIDSIG: the key, date, time, expiry, version, reserved, algorithms (2), class, the primary key.
        if len(valid[0]) < 11 or valid[0][10] not in self._trusted:
            raise ImageError(f"signature by key {valid[0][1]} is not accepted")
        return finished.stdout

    def _write(self, name: str, data: bytes) -> str:
        path = os.path.join(self._directory, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def _run(self, arguments: list[str]) -> tuple[process.Finished, list[list[str]]]:
        """Run gpg; return its result, and the fields of each of its status lines."""
        path = os.path.join(self._directory, "status")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            finished = process.run(
                [self._gpg, f"--homedir={self._directory}", *_OPTIONS, f"--status-fd={descriptor}", *arguments],
                environment={"PATH": process.SEARCH_PATH, "LC_ALL": "C", "HOME": self._directory},
                keep=[descriptor],
            )
            os.lseek(descriptor, 0, os.SEEK_SET)
            with open(descriptor, "rb", closefd=False) as file:
                # gpg escapes line feeds in names, not the other characters that end a line for str.splitlines.
                lines = file.read().decode(errors="replace").split("\n")
        finally:
            os.close(descriptor)
        fields = [line.removeprefix(_PREFIX).split() for line in lines if line.startswith(_PREFIX)]
        return finished, [found for found in fields if found]
