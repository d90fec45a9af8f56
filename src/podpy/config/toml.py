"""One reader of TOML files, for containers.conf, registries.conf and storage.conf."""

from __future__ import annotations

from podpy.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read(path: str, manual: str) -> dict[str, Any]:
    """Return what a file says; `manual` is the page that a hint names, as in `containers.conf(5)`.

    Raises ConfigError if it can't be read or isn't TOML 1.0.
    """
    # tomli is tomllib, compiled: import and parsing together cost two thirds.
    import tomli

    try:
        with open(path, "rb") as file:
            return tomli.load(file)
    except OSError as error:
        raise ConfigError(f"can't read {path}: {error.strerror}") from error
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} isn't valid TOML: {error}", hint=f"See {manual}") from error
