"""The flags of instructions: `COPY --from=build --link`."""

from __future__ import annotations

from podpy.build.reading.forms import FormError
from podpy.suggest import near

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOOL, TEXT, TEXTS = "bool", "text", "texts"

_TRANSFER = {"chown": TEXT, "chmod": TEXT, "link": BOOL, "exclude": TEXTS}
KNOWN: dict[str, Mapping[str, str]] = {
    "FROM": {"platform": TEXT},
    "RUN": {"mount": TEXTS, "network": TEXT, "security": TEXT, "device": TEXTS},
    "COPY": {**_TRANSFER, "from": TEXT, "parents": BOOL},
    "ADD": {**_TRANSFER, "checksum": TEXT, "keep-git-dir": BOOL, "unpack": BOOL},
    "HEALTHCHECK": {
        "interval": TEXT, "timeout": TEXT, "start-period": TEXT, "start-interval": TEXT, "retries": TEXT,
    },
}  # fmt: skip
"""Instruction: its flags. Others have none."""


class Flags:
    """The flags of one instruction, checked."""

    def __init__(self, instruction: str, words: Sequence[str]) -> None:
        """Raises FormError for what this instruction doesn't have, a flag twice, or a wrong value."""
        self._known = KNOWN.get(instruction, {})
        self._bools: dict[str, bool] = {}
        self._texts: dict[str, list[str]] = {}
        for word in words:
            self._take(word)

    def text(self, name: str) -> str:
        """Return a flag's value, or ""."""
        return self._texts.get(name, [""])[0]

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of a flag that may be given several times."""
        return tuple(self._texts.get(name, ()))

    def boolean(self, name: str) -> bool | None:
        """Return a flag's value, or None if it isn't given."""
        return self._bools.get(name)

    def _take(self, word: str) -> None:
        flag, sign, value = word.partition("=")
        name = flag[2:]
        kind = self._known.get(name)
        if kind is None:
            raise FormError(
                f"unknown flag: {flag}", flag, near=[f"--{known}" for known in near(name[:40], self._known)]
            )
        if kind != TEXTS and (name in self._bools or name in self._texts):
            raise FormError(f"duplicate flag specified: {flag}", flag)
        if (kind == BOOL and sign and not value) or (kind != BOOL and not sign):
            raise FormError(f"missing a value on flag: {flag}", flag)
        if kind != BOOL:
            self._texts.setdefault(name, []).append(value)
        elif value.lower() in ("true", "false", ""):
            self._bools[name] = value.lower() != "false"
        else:
            raise FormError(f"expecting boolean value for flag {flag}, not: {value}", flag)
