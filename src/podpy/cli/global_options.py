"""Rarely used global options: --module, and the options that podpy refuses or ignores."""

from __future__ import annotations

import os

from podpy.errors import ConfigError, NotSupportedError
from podpy.notice import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.cli.parser.options import Options

_WITHOUT_EFFECT = {
    "pull_option": "--pull-option has no effect: podpy has no partial pulls to tune",
    "max_workers": "--max-workers has no effect: podpy has no pool of workers",
}
_STORES = ("imagestore", "additionalimagestores")
_NO_MODULE = 1  # Podman's exit code


def check(said: Options) -> None:
    """Refuse options that podpy can't fulfil, and note those that merely have no effect. Raises NotSupportedError."""
    for item in said.storage_opt:
        key, _, _ = item.partition("=")
        if key.rpartition(".")[2] in _STORES:
            raise NotSupportedError(f"--storage-opt {item}: podpy has no additional image stores: use --root")
        note(f"--storage-opt {item} has no effect: podpy finds out by itself what the host's file system can do")
    for name, text in _WITHOUT_EFFECT.items():
        if getattr(said, name):
            note(text)


def modules(names: Sequence[str], config_dirs: Sequence[str]) -> tuple[str, ...]:
    """Return the files of `--module`: absolute, or looked for in containers.conf.modules of the configuration
    directories (containers.conf(5), MODULES). Raises ConfigError for one that isn't there.
    """
    return tuple(_module(name, config_dirs) for name in names)


def _module(name: str, config_dirs: Sequence[str]) -> str:
    for directory in config_dirs:
        path = os.path.join(directory, "containers.conf.modules", name)  # an absolute name stays as it is
        if os.path.exists(path):
            return path
    error = ConfigError(
        f'Failed to obtain podman configuration: could not resolve module "{name}": no such file or directory',
        hint=f"It is looked for in {', '.join(f'{d}/containers.conf.modules' for d in config_dirs)}",
    )
    error.exit_code = _NO_MODULE
    raise error
