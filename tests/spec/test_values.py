"""Sizes, pairs, signals, ulimits, devices, restart policies: what each small parser understands and refuses."""

from __future__ import annotations

import pytest

from podpy.errors import NotSupportedError, UsageError
from podpy.signals import name_of
from podpy.spec.container import Device, Ulimit
from podpy.spec.text.expose import parse_expose
from podpy.spec.text.life import restart_policy
from podpy.spec.text.limits import parse_ulimit
from podpy.spec.text.security import is_cdi_name, parse_device, parse_device_rule
from podpy.spec.text.values import parse_pairs, parse_signal, parse_size
from podpy.spec.text.words import expand


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("64k", 65536), ("64K", 65536), ("1m", 1 << 20), ("1.5g", 3 << 29), ("2GiB", 2 << 30), ("10b", 10)],
)
def test_a_size_is_a_number_with_a_binary_unit(text: str, size: int) -> None:
    assert parse_size("--memory", text) == size


@pytest.mark.parametrize("text", ["", "k", "12q", "-1", "1kk", "nan", "inf", "1e3x"])
def test_an_invalid_size_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(UsageError, match=f"invalid value for memory: invalid size: '{text}'"):
        parse_size("--memory", text)


@pytest.mark.parametrize(
    ("text", "number"), [("TERM", 15), ("SIGTERM", 15), ("sigkill", 9), ("9", 9), ("RTMIN+3", 37), ("SIGRTMAX-1", 63)]
)
def test_a_signal_has_a_name_or_a_number(text: str, number: int) -> None:
    assert parse_signal(text) == number


@pytest.mark.parametrize("text", ["", "NOPE", "0", "65", "-1", "RTMIN+31", "SIG"])
def test_an_invalid_signal_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid signal"):
        parse_signal(text)


def test_a_signals_number_has_its_name_back() -> None:
    assert [name_of(number) for number in (1, 9, 15, 31, 34, 35)] == [
        "SIGHUP", "SIGKILL", "SIGTERM", "SIGSYS", "SIGRTMIN", "SIGRTMIN+1",
    ]  # fmt: skip


def test_a_pair_without_a_value_is_refused() -> None:
    assert parse_pairs("--annotation", ["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    with pytest.raises(UsageError, match="annotations must be formatted KEY=VALUE"):
        parse_pairs("--annotation", ["a"])


def test_a_ulimit_has_one_or_two_values() -> None:
    assert parse_ulimit("nofile=100:200") == Ulimit(name="nofile", soft=100, hard=200)
    assert parse_ulimit("core=-1") == Ulimit(name="core", soft=-1, hard=-1)
    assert parse_ulimit("host").name == "host"


@pytest.mark.parametrize(
    "text",
    [
        "nofile",
        "nofile=",
        "nofile=x",
        "nofile=200:100",
        "nothing=1",
        "nofile=-1:5",
        "nofile=1:2:3",
        f"nofile={'9' * 5000}",
    ],
)
def test_an_impossible_ulimit_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="ulimit"):
        parse_ulimit(text)


def test_a_device_may_have_another_name_and_permissions() -> None:
    assert parse_device("/dev/fuse") == Device(host="/dev/fuse", container="/dev/fuse", permissions="rwm")
    assert parse_device("/dev/fuse:r") == Device(host="/dev/fuse", container="/dev/fuse", permissions="r")
    assert parse_device("/dev/fuse:/dev/f:rw") == Device(host="/dev/fuse", container="/dev/f", permissions="rw")


@pytest.mark.parametrize("text", ["/dev/fuse:x", ":/dev/x", "/dev/a:/dev/b:rw:m", "/dev/fuse:/dev/f:"])
def test_an_impossible_device_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid device"):
        parse_device(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("nvidia.com/gpu=all", True), ("a/b=c:1", True), ("/dev/x=y", False), ("a/b/c=d", False), ("a/b=", False)],
)
def test_a_cdi_device_has_a_vendor_a_class_and_a_name(text: str, is_one: bool) -> None:
    assert is_cdi_name(text) is is_one


def test_restart_policies() -> None:
    assert restart_policy("on-failure:5") == ("on-failure", 5)
    assert restart_policy("always") == ("always", 0)
    assert restart_policy("never") == ("no", 0)


@pytest.mark.parametrize("text", ["sometimes", "always:3", "on-failure:x", "on-failure:²", f"on-failure:{'9' * 5000}"])
def test_an_impossible_restart_policy_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="restart policy"):
        restart_policy(text)


def test_a_range_of_exposed_ports_is_every_port() -> None:
    assert parse_expose("80-82/udp") == ["80/udp", "81/udp", "82/udp"]
    assert parse_expose("80") == ["80/tcp"]


@pytest.mark.parametrize("text", ["", "0", "65536", "82-80", "80/icmp", "x"])
def test_an_impossible_exposed_port_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--expose"):
        parse_expose(text)


def test_an_invalid_ulimit_is_refused_in_podmans_words() -> None:
    with pytest.raises(UsageError) as caught:
        parse_ulimit("core=-1:1000")
    assert caught.value.message == (
        'ulimit option "core=-1:1000" requires name=SOFT:HARD, failed to be parsed: ulimit soft limit must be less than'
        " or equal to hard limit: soft: -1 (unlimited), hard: 1000"
    )
    with pytest.raises(UsageError, match="failed to be parsed: invalid ulimit type: cores"):
        parse_ulimit("cores=1")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"\x\y", "xy"),
        (r'"\x\"\$A\\"', r'\x"$A' + "\\"),
        ("a\\", "a\\"),
        ("'$A\\x' \"'$A'\"", "$A\\x '1'"),
        ("'open $A", "open $A"),
        ("$ $A$A ${A}a $_9! ${NO:-$A} ${A:+<$A>} ${NO:+x} ${A", "$ 11 1a ! 1 <1>  ${A"),
    ],
)
def test_a_value_to_merge_is_read_as_a_dockerfiles(text: str, value: str) -> None:
    assert expand(text, {"A": "1"}) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("c ²:1 r", 'parsing "²"'),
        ("c 1:-1 r", 'parsing "-1"'),
        ("c x:1 r", 'parsing "x"'),
        (f"c {'9' * 5000}:1 r", "parsing "),
        ("x 1:3 rwm", "invalid device type in device-access-add: x"),
        ("c 1:3 q", "invalid device access in device-access-add: q"),
        ("c 1:3", "requires type, major:Minor, and access rules"),
        ("bogus", "requires type, major:Minor, and access rules"),
    ],
)
def test_a_device_cgroup_rule_is_read_before_it_is_refused(text: str, told: str) -> None:
    assert parse_device_rule("c 10:* r", rootless=False)["major"] == 10
    for rootless in (False, True):
        with pytest.raises(UsageError, match=told):
            parse_device_rule(text, rootless=rootless)
    with pytest.raises(NotSupportedError, match="not supported in rootless mode"):
        parse_device_rule("c 10:* r", rootless=True)
