"""Options of the drivers (`network create --opt`): which ones there are, and how their values are written.

Rule: podman-network-create(1), --opt. netavark, which reads Podman's files, takes only "true" and "false".
"""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.go.values import boolean
from podpy.network.definitions.cidr import parse_address
from podpy.network.definitions.network import BRIDGE, IPVLAN, MACVLAN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[str], str]

DOCKERS_MTU = "com.docker.network.driver.mtu"
DOCKERS_NAME = "com.docker.network.bridge.name"
_VLANS = 4094
_MTUS = (68, 65535)  # of an IPv4 device (RFC 791), and of a bridge and a veth of Linux
_INT32 = 1 << 31
_UINT32 = (1 << 32) - 1
_MODES = {
    BRIDGE: ("managed", "unmanaged"),
    MACVLAN: ("bridge", "private", "vepa", "passthru"),
    IPVLAN: ("l2", "l3", "l3s"),
}


def checked(driver: str, options: Mapping[str, str]) -> dict[str, str]:
    """Return the options of a network with this driver as its file has them. Raises UsageError."""
    found = {}
    for name, value in options.items():
        if name == "mode":
            found[name] = _mode(driver, value)
            continue
        check = _CHECKS.get(name)
        if check is None or name not in _OF[driver]:
            raise UsageError(
                f"unsupported {driver} network option {name}", hint=f"There are: {', '.join(sorted(_OF[driver]))}, mode"
            )
        found[name] = check(value)
    return found


def _mode(driver: str, value: str) -> str:
    if value not in _MODES[driver]:
        raise UsageError(f'unknown {driver} mode "{value}"', hint=f"One of {', '.join(_MODES[driver])}")
    return value


def _integer(value: str) -> int:
    digits = value[1:] if value[:1] in ("-", "+") else value
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise UsageError(f'strconv.Atoi: parsing "{value}": invalid syntax')
    return int(value)


def _mtu(value: str) -> str:
    number = _integer(value) if value else 0  # 0: podpy's choice
    if number < 0:
        raise UsageError(f"mtu {value} is less than zero")
    if number and not _MTUS[0] <= number <= _MTUS[1]:
        raise UsageError(f"mtu {value} must be between {_MTUS[0]} and {_MTUS[1]}")
    return value


def _vlan(value: str) -> str:
    if value and not 0 <= _integer(value) <= _VLANS:
        raise UsageError(f"vlan ID {value} must be between 0 and {_VLANS}")
    return value


def _metric(value: str) -> str:
    if not value.isascii() or not value.isdigit():
        raise UsageError(f'strconv.ParseUint: parsing "{value}": invalid syntax')
    if len(value) > 10 or int(value) > _UINT32:
        raise UsageError(f'strconv.ParseUint: parsing "{value}": value out of range')
    return value


def _isolate(value: str) -> str:
    if value == "strict":
        return value
    try:
        return "true" if value and boolean(value) else "false"
    except ValueError as error:
        raise UsageError(f"failed to parse isolate option: {error}", hint="true, false or strict") from None


def _truth(value: str) -> str:
    try:
        return "true" if boolean(value) else "false"
    except ValueError as error:
        raise UsageError(str(error)) from None


def _vrf(value: str) -> str:
    if not value:
        raise UsageError("invalid vrf name")
    return value


def _bclim(value: str) -> str:
    if not -_INT32 <= _integer(value) < _INT32:
        raise UsageError(f'failed to parse "bclim" option: strconv.ParseInt: parsing "{value}": value out of range')
    return value


def _address(version: int) -> Check:
    def check(value: str) -> str:
        try:
            found = parse_address(value)[0]
        except ValueError:
            found = 0
        if found != version:
            raise UsageError(f'failed to parse outbound_addr{version} option: "{value}" is no IPv{version} address')
        return value

    return check


_CHECKS: dict[str, Check] = {
    "bclim": _bclim,
    "isolate": _isolate,
    "metric": _metric,
    "mtu": _mtu,
    "no_default_route": _truth,
    "outbound_addr4": _address(4),
    "outbound_addr6": _address(6),
    "vlan": _vlan,
    "vrf": _vrf,
}
_EVERYBODYS = {"metric", "mtu", "no_default_route"}
_OF = {
    BRIDGE: _EVERYBODYS | {"isolate", "outbound_addr4", "outbound_addr6", "vlan", "vrf"},
    MACVLAN: _EVERYBODYS | {"bclim"},
    IPVLAN: _EVERYBODYS,
}
