"""`--network NAME[:option,…]`, `--ip`, `--ip6`, `--mac-address`, `--network-alias` → Attachment.

    NAME[:ip=ADDRESS,ip6=ADDRESS,mac=ADDRESS,alias=NAME,interface_name=NAME,host_interface_name=NAME]

`ip` and `alias` may be repeated, and so may the whole option, with another name. Rule: podman-run(1), --network.
"""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.spec.container import Attachment
from podpy.spec.text.network import is_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BRIDGE = "bridge"
ORDINARY = ("", "default", "private", "none", "host", "pasta", "slirp4netns", "container", "ns", "pod")
"""The modes of `--network`: a text before the colon that isn't a network's name."""
_HEX = frozenset("0123456789abcdef")
_MAC_DIGITS = 12
_LONGEST_NAME = 253  # characters (RFC 1035, 2.3.4, without length octets)


def parse_networks(values: Sequence[str]) -> tuple[str, list[Attachment]]:
    """Return the mode and the networks of all `--network` options, at least one. Raises UsageError.

    A network that is named twice counts once: at its first position, with its last options.
    """
    mode, _, options = values[0].partition(":")
    found: dict[str, Attachment] = {}
    if mode == BRIDGE:
        if options:
            found[""] = _attachment("", options)
    elif mode not in ORDINARY:
        found[mode] = _attachment(mode, options)
    if len(values) > 1 and mode in ORDINARY:
        shown = mode if mode not in ("", "default") else "private"
        raise UsageError(
            f"cannot set multiple networks without bridge network mode, selected mode {shown}: invalid argument"
        )
    for value in values[1:]:
        name, _, options = value.partition(":")
        if not name:
            raise UsageError("network name cannot be empty: invalid argument")
        if name == BRIDGE or name in ORDINARY:
            raise UsageError(
                f"can only set extra network names, selected mode {name} conflicts with bridge: invalid argument"
            )
        found[name] = _attachment(name, options)
    return (values[0], []) if mode in ORDINARY else (BRIDGE, list(found.values()))


def with_own(
    mode: str, networks: list[Attachment], *, ip: str = "", ip6: str = "", mac: str = "", aliases: Sequence[str] = ()
) -> list[Attachment]:
    """Return the networks with the values of `--ip`, `--ip6`, `--mac-address` and `--network-alias`.

    `mode`: `--network`'s, "" if it wasn't given, which is the default network. Raises UsageError.
    """
    given = {"ip": ip, "ip6": ip6, "mac-address": mac, "network-alias": list(aliases)}
    networks = networks or [Attachment(network="")]
    for option, value in given.items():
        if value and mode not in ("", BRIDGE, "default", "private"):
            raise UsageError(f"--{option} can only be set when the network mode is bridge: invalid argument")
        if value and option != "network-alias" and len(networks) > 1:
            raise UsageError(f"--{option} can only be set for a single network: invalid argument")
    for address in (ip, ip6):
        if address and not is_address(address):
            raise UsageError(f'"{address}" is not an ip address')
    first = networks[0]
    first = first.replace(ips=[*first.ips, *(each for each in (ip, ip6) if each)])
    if mac:
        first = first.replace(mac=parse_mac(mac))
    more = [check_alias(alias) for alias in aliases]
    return [each.replace(aliases=[*each.aliases, *more]) for each in (first, *networks[1:])]


def parse_mac(text: str) -> str:
    """Return a hardware address as "aa:bb:cc:dd:ee:ff" from a form that Go's net.ParseMAC takes.

    Raises UsageError, also for an address that no device can have (IEEE 802: a group address, or zero).
    """
    lower = text.lower()
    digits = lower.replace(":", "").replace("-", "").replace(".", "")
    pairs = [digits[place : place + 2] for place in range(0, len(digits), 2)]
    forms = [separator.join(pairs) for separator in ":-"] + [f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"]
    if len(digits) != _MAC_DIGITS or not _HEX.issuperset(digits) or lower not in forms:
        raise UsageError(f"address {text}: invalid MAC address")
    if int(pairs[0], 16) & 1 or not int(digits, 16):
        raise UsageError(
            f"address {text}: invalid MAC address: no device can have it",
            hint="The first byte must be even, as in 02:00:00:00:00:01",
        )
    return ":".join(pairs)


def check_alias(alias: str) -> str:
    """Return a container's alias on a network. Raises UsageError for one that no resolver could look up."""
    if not 0 < len(alias) <= _LONGEST_NAME or "," in alias or not alias.isprintable() or " " in alias:
        raise UsageError(f"network alias {alias!r}: no host name: invalid argument")
    return alias


def _attachment(name: str, options: str) -> Attachment:
    """Return the network with the options behind the colon. Raises UsageError."""
    words = [word.partition("=") for word in options.split(",")] if options else []
    texts = {"interface_name": "", "host_interface_name": "", "mac": ""}
    ips, aliases, others = [], [], {}
    for key, _, value in words:
        if key in ("ip", "ip6"):
            if not is_address(value) or "[" in value:
                raise _wrong(name, f'invalid ip address "{value}"')
            ips.append(value)
        elif key == "alias" or key in texts:
            if not value and key != "mac":
                raise _wrong(name, f"{key} cannot be empty")
            if key == "alias":
                aliases.append(check_alias(value))
            else:
                texts[key] = value
        elif key:
            others[key] = value
    try:
        mac = parse_mac(texts["mac"]) if texts["mac"] else ""
    except UsageError as error:
        raise _wrong(name, error.message) from None
    return Attachment(
        network=name,
        ips=ips,
        mac=mac,
        aliases=aliases,
        interface=texts["interface_name"],
        host_interface=texts["host_interface_name"],
        options=others,
    )


def _wrong(name: str, reason: str) -> UsageError:
    return UsageError(
        f"invalid option for network {name or BRIDGE}: {reason}",
        hint="NAME:ip=ADDRESS,ip6=ADDRESS,mac=ADDRESS,alias=NAME,interface_name=NAME,host_interface_name=NAME",
    )
