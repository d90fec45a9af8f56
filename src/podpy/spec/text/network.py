"""`--add-host`, `--dns`, `--dns-search`: texts about a container's network that need no network (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


HOST_GATEWAY = "host-gateway"
_LONGEST_DOMAIN = 254


def check_host(text: str) -> str:
    """Return the value of one `--add-host`. Raises UsageError for control characters or an invalid address."""
    names, colon, address = text.partition(":")
    if not colon or not names:
        raise UsageError(f'bad format for add-host: "{text}"', hint="It is HOST[;HOST…]:ADDRESS")
    if not all(names.split(";")):
        raise UsageError(f'hostname in add-host "{text}" is empty')
    if not names.isprintable():
        raise UsageError(f'hostname in add-host "{text}" has a line end or another control character')
    if address != HOST_GATEWAY and not is_address(address):
        raise UsageError(
            f'invalid IP address in add-host: "{address}"', hint=f"It is HOST[;HOST…]:ADDRESS, or :{HOST_GATEWAY}"
        )
    return text


def check_name_servers(items: Sequence[str]) -> list[str]:
    """Return the values of `--dns`: addresses, or "none" alone. Raises UsageError for anything else."""
    for text in items:
        if text == "none" and len(items) > 1:
            raise UsageError("none is not allowed to be specified with other DNS ip addresses")
        if text != "none" and not is_address(text):
            hint = "--dns takes the address of a name server, or none"
            raise UsageError(f"{text} is not an ip address", hint=hint)
    return list(items)


def check_searches(items: Sequence[str]) -> list[str]:
    """Return the values of `--dns-search`: domains, or "." alone, which means no domain. Raises UsageError."""
    for text in items:
        if text == "." and len(items) > 1:
            raise UsageError("cannot pass additional search domains when also specifying '.'")
        if text != "." and not _is_domain(text):
            raise UsageError(f"{text} is not a valid domain")
    return list(items)


def _is_domain(text: str) -> bool:
    """Return whether a text is a name by RFC 1035, 2.3.4, has a letter, and ends with at most one dot."""
    labels = text.removesuffix(".").split(".")
    well_formed = all(
        label.isascii() and label.replace("-", "").isalnum() and label.strip("-") == label for label in labels
    )
    return well_formed and len(text) <= _LONGEST_DOMAIN and any(letter.isalpha() for letter in text)


def is_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address (in brackets, too)."""
    import _socket as socket

    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in bare else socket.AF_INET, bare.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True
