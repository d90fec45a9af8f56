"""policy.json (containers-policy.json(5)): which images may come in at all.

podpy knows `insecureAcceptAnything` and `reject`. A requirement that it cannot check (signatures) refuses it: what
an administrator demands is never skipped in silence. No file at all accepts everything.
"""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import ConfigError, ImageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SYSTEM_FILE = "/etc/containers/policy.json"


def check(name: str, *, transport: str, home: str, path: str = "") -> None:
    """Raise ImageError unless policy.json lets `name` (domain/path:tag) in by `transport` (docker, docker-archive …).

    `name` is empty for an archive. `path` is a policy file that stands for itself. Raises ConfigError for a file that
    can't be understood.
    """
    found = path or _find_file(home)
    if not found:
        return
    document = _read(found)
    what = name or f"a {transport}"
    for requirement in _requirements(document, transport, name, found):
        kind = requirement.get("type") if isinstance(requirement, dict) else None
        if kind == "insecureAcceptAnything":
            continue
        if kind == "reject":
            raise ImageError(f"{what} is rejected by the policy in {found}")
        raise ImageError(
            f"{what}: {found} demands a check ({kind}) that podpy can't do yet",
            hint="Pull it with skopeo copy into an oci-archive and podpy load that",
        )


def _find_file(home: str) -> str:
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    for candidate in (os.path.join(config, "containers", "policy.json"), SYSTEM_FILE):
        if os.path.exists(candidate):
            return candidate
    return ""


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            document = fastjson.loads(file.read())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{path}: not JSON", hint="See containers-policy.json(5)") from None
    if not isinstance(document, dict) or not isinstance(document.get("default"), list):
        raise ConfigError(f'{path}: it has no list "default"', hint="See containers-policy.json(5)")
    return document


def _requirements(document: dict[str, Any], transport: str, name: str, path: str) -> list[Any]:
    transports = document.get("transports", {})
    scopes = transports.get(transport, {}) if isinstance(transports, dict) else {}
    if not isinstance(scopes, dict):
        raise ConfigError(f'{path}: the transport "{transport}" is not an object')
    best: Any = scopes.get("", document["default"])
    length = 0
    host = name.partition("/")[0]
    for scope, requirements in scopes.items():
        wild = scope.startswith("*.") and host.endswith(scope[1:])
        exact = scope and name.startswith(scope) and name[len(scope) : len(scope) + 1] in ("", "/", ":", "@")
        if (wild or exact) and len(scope) > length:
            best, length = requirements, len(scope)
    if not isinstance(best, list) or not best:
        raise ConfigError(f'{path}: the requirements for "{name}" are not a list')
    return best
