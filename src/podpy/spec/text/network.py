"""`--add-host`, `--dns`: texts about a container's network that need no network (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def check_host(text: str) -> str:
    """Return the value of one `--add-host`. Raises UsageError if it has no name or no address."""
    names, _, address = text.partition(":")
    if not names or not address:
        raise UsageError(f'bad format for add-host: "{text}"', hint="It is HOST[;HOST…]:ADDRESS")
    return text


def check_name_servers(items: Sequence[str]) -> list[str]:
    """Return the values of `--dns`. Raises UsageError for one that is neither an address nor "none"."""
    for text in items:
        if text != "none" and not is_address(text):
            hint = "--dns takes the address of a name server, or none"
            raise UsageError(f"{text} is not an ip address", hint=hint)
    return list(items)


def is_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address (in brackets, too)."""
    import _socket as socket

    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in bare else socket.AF_INET, bare.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True
