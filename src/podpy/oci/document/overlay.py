"""podpy's additions to a default seccomp profile: allowed socket families, and comparisons as wide as the kernel's.

A distribution's profile lags years behind the kernel, so podpy puts a short list on top of it (`seccomp.OVERLAY` counts
its versions). The list never allows what the profile denies, except a family that the user names: newer profiles deny
AF_VSOCK themselves. If a profile checks more of `socket` than the family and NETLINK_AUDIT, its rules stay.

Two facts shape the rules. seccomp sees registers of 64 bits, but the kernel reads an `int` from their lower half
(seccomp(2)): a caller can evade a comparison of all 64 bits, so comparisons use a mask. And in libseccomp, a rule
without comparisons, or with fewer on the same path, replaces the call's other rules, so "all but these" must be
expressed without overlap. Each rule costs every start 0.1 to 0.2 ms of crun's time, so neighbouring families share a
rule, block by block.
"""

from __future__ import annotations

from podpy.spec import families

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Rule = dict[str, Any]

_INT = 0xFFFFFFFF
_EAFNOSUPPORT, _EINVAL = 97, 22
_AUDIT = 9  # NETLINK_AUDIT, linux/netlink.h
_AUDIT_CAPABILITY = "CAP_AUDIT_WRITE"
_ALLOW, _ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
_EQUAL, _MASKED = "SCMP_CMP_EQ", "SCMP_CMP_MASKED_EQ"
_FAMILY, _PROTOCOL = 0, 2
_HAVE_SOCKETCALL = frozenset(f"SCMP_ARCH_{name}" for name in "X86 S390 S390X PPC PPC64 PPC64LE MIPS MIPSEL".split())
# Arguments that the kernel takes as 32 bits: call → indexes (include/linux/syscalls.h; clone cuts its flags).
_INTS = {
    "socket": (0, 1, 2),
    "socketpair": (0, 1, 2),
    "personality": (0,),
    "clone": (0,),
    "setns": (0, 1),
    "ioctl": (0, 1),
    "fcntl": (0, 1),
    "fcntl64": (0, 1),
    "prctl": (0,),
    "keyctl": (0,),
    "seccomp": (0, 1),
    "setsockopt": (0, 1, 2),
}


def apply(profile: dict[str, Any], capabilities: Iterable[str], allow: Iterable[int]) -> list[Rule]:
    """Return the rules of a profile (OCI runtime spec, linux.seccomp) with podpy's own for sockets.

    `allow`: numbers of families that are allowed although podpy, or the profile by their number, denies them.
    """
    default = profile["defaultAction"]
    masked = [_masked(rule) for rule in profile["syscalls"]]
    about_sockets = [rule for rule in masked if "socket" in rule["names"]]
    if not _is_replaceable(about_sockets, default):
        return masked
    allowed = {number for number in families.ALLOWED if _lets_through(about_sockets, default, number)}
    with_audit = {number for number in families.ALLOWED if _lets_through(about_sockets, default, number, _AUDIT)}
    if (allowed ^ with_audit) - {families.NETLINK}:  # another family's protocol of that number
        return masked
    allowed |= families.DENIED.intersection(allow)
    audit = _AUDIT_CAPABILITY in capabilities and families.NETLINK in with_audit
    own = list(_socket_rules(allowed, audit=audit))
    whole = [rule for rule in masked if "socketcall" in rule["names"] and not rule.get("args")]
    if not whole and not _HAVE_SOCKETCALL.isdisjoint(profile["architectures"]):
        # There, libseccomp also turns each rule for socket() into one for socketcall(), without the arguments, which it
        # can't see: an error would hit every socket. Only the profile's own rules for socketcall() go before them.
        own = [rule for rule in own if rule["action"] == _ALLOW]
    if default == _ALLOW:  # libseccomp refuses a rule with the default's action
        own = [rule for rule in own if rule["action"] != _ALLOW]
    first = [{**rule, "names": ["socketcall"]} for rule in whole[:1]]
    others = [_without(rule, "socket", *(["socketcall"] if whole else [])) for rule in masked]
    return [*first, *own, *(rule for rule in others if rule["names"])]


def _socket_rules(allowed: set[int], *, audit: bool) -> Iterator[Rule]:
    whole = allowed if audit else allowed - {families.NETLINK}
    for mask, value in _blocks(whole):
        yield _rule({_FAMILY: (mask, value)})
    if whole != allowed:
        # "Not AUDIT" in five bits (there are 32 protocols): one rule for each bit in which a protocol can differ.
        for bit in (1 << place for place in range(5)):
            yield _rule({_FAMILY: (_INT, families.NETLINK), _PROTOCOL: (bit, ~_AUDIT & bit)})
        yield _rule({_FAMILY: (_INT, families.NETLINK), _PROTOCOL: (_INT, _AUDIT)}, errno=_EINVAL)
    for mask, value in _blocks(set(range(families.LIMIT)) - allowed):
        yield _rule({_FAMILY: (mask, value)}, errno=_EAFNOSUPPORT)


def _rule(compared: dict[int, tuple[int, int]], *, errno: int = 0) -> Rule:
    """Return a rule for calls of socket() whose masked arguments (by index) have these values."""
    args = [
        {"index": index, "value": mask, "valueTwo": value, "op": _MASKED} for index, (mask, value) in compared.items()
    ]
    if not errno:
        return {"names": ["socket"], "action": _ALLOW, "args": args}
    return {"names": ["socket"], "action": _ERRNO, "errnoRet": errno, "args": args}


def _blocks(numbers: set[int]) -> Iterator[tuple[int, int]]:
    """Yield (mask, value) of the largest aligned blocks that together hold exactly these numbers, each once."""
    first = 0
    while first < families.LIMIT:
        size = 1
        if first in numbers:
            while first % (2 * size) == 0 and numbers.issuperset(range(first, first + 2 * size)):
                size *= 2
            yield _INT & ~(size - 1), first
        first += size


def _masked(rule: Rule) -> Rule:
    """Return the rule with comparisons of the lower 32 bits only, for arguments of which the kernel reads no more."""
    args = rule.get("args")
    if not args:
        return rule
    narrow = set.intersection(*(set(_INTS.get(name, ())) for name in rule["names"]))
    return {**rule, "args": [_masked_argument(arg) if arg["index"] in narrow else arg for arg in args]}


def _masked_argument(arg: dict[str, Any]) -> dict[str, Any]:
    if arg["op"] == _EQUAL:
        return {"index": arg["index"], "value": _INT, "valueTwo": arg["value"] & _INT, "op": _MASKED}
    if arg["op"] == _MASKED:
        return {**arg, "value": arg["value"] & _INT, "valueTwo": arg.get("valueTwo", 0) & _INT}
    return arg


def _is_replaceable(rules: list[Rule], default: str) -> bool:
    """Return whether the profile allows sockets at all, and checks only their family and NETLINK_AUDIT."""
    compared = [arg for rule in rules for arg in rule.get("args") or ()]
    return (
        any(action == _ALLOW for action in [default, *(rule["action"] for rule in rules)])
        and all(rule["action"] in (_ALLOW, _ERRNO) for rule in rules)
        and all(arg["index"] in (_FAMILY, _PROTOCOL) for arg in compared)
        and all(_AUDIT in _values(arg) for arg in compared if arg["index"] == _PROTOCOL)
    )


def _values(arg: dict[str, Any]) -> tuple[int, ...]:
    return (arg.get("valueTwo", 0),) if arg["op"] == _MASKED and arg["value"] == _INT else (arg["value"],)


def _lets_through(rules: list[Rule], default: str, number: int, protocol: int = 0) -> bool:
    """Return whether the profile itself allows socket(number, any type, protocol)."""
    fitting = {
        rule["action"]
        for rule in rules
        if all(_fits(arg, protocol if arg["index"] == _PROTOCOL else number) for arg in rule.get("args") or ())
    }
    return (fitting or {default}) == {_ALLOW}


def _fits(arg: dict[str, Any], number: int) -> bool:
    value = arg["value"]
    if arg["op"] == _MASKED:
        return bool(number & value == arg.get("valueTwo", 0))
    return bool(
        {
            _EQUAL: number == value,
            "SCMP_CMP_NE": number != value,
            "SCMP_CMP_LT": number < value,
            "SCMP_CMP_LE": number <= value,
            "SCMP_CMP_GE": number >= value,
            "SCMP_CMP_GT": number > value,
        }[arg["op"]]
    )


def _without(rule: Rule, *names: str) -> Rule:
    return {**rule, "names": [name for name in rule["names"] if name not in names]}
