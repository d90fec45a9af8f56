"""The options with which many commands say how registries are spoken to (`image.remote.Access`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parse import Options

_AS_THEY_ARE = ("tls_verify", "authfile", "cert_dir", "signature_policy")


def access_fields(options: Options) -> dict[str, Any]:
    """Return the fields of an Access, by name, that a command's options give; which ones it has, it declares.

    Raises UsageError.
    """
    from podpy.config.auth import parse_pair

    fields = {name: getattr(options, name) for name in _AS_THEY_ARE if hasattr(options, name)}
    if hasattr(options, "creds"):
        fields["credentials"] = parse_pair(options.creds) if options.creds else None
    if hasattr(options, "retry"):
        from podpy.cli.values import retry_delay

        fields.update(retries=options.retry, retry_delay=retry_delay(options.retry_delay))
    return fields
