"""The options about connections to registries, which many commands have → `Access`."""

from __future__ import annotations

import sys

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.config.auth import Credentials

_AS_THEY_ARE = ("tls_verify", "authfile", "cert_dir", "signature_policy")


def access_fields(options: Options) -> dict[str, Any]:
    """Return the fields of Access, by name, for those of these options that the command declares.

    Raises UsageError.
    """
    fields = {name: getattr(options, name) for name in _AS_THEY_ARE if hasattr(options, name)}
    if hasattr(options, "creds"):
        fields["credentials"] = _credentials(options.creds) if options.creds else None
    if hasattr(options, "retry"):
        from podpy.cli.parser.values import retry_delay

        fields["retries"] = options.retry if options.given("retry") else None
        fields["retry_delay"] = retry_delay(options.retry_delay) if options.given("retry_delay") else None
    return fields


def _credentials(text: str) -> Credentials:
    """Return the value of `--creds`; ask for the password if it is missing (podman-pull(1)). Raises UsageError."""
    from podpy.libpod.images.registries import parse_pair

    given = parse_pair(text)
    if given.username and given.password:
        return given
    password = typed_password() if given.username and sys.stdin.isatty() else ""
    if not password:
        what = "password" if given.username else "user's name"
        raise UsageError(f"--creds: the {what} is missing", hint="Give USER:PASSWORD, or run: podpy login")
    return type(given)(given.username, password)


def typed_password() -> str:
    """Return a line that is typed without being shown; an empty text for Ctrl-D."""
    from getpass import getpass

    try:
        return getpass("Password: ")
    except EOFError:
        print(file=sys.stderr)
        return ""
