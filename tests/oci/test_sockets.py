"""Which sockets a container may open: a small guest tries each family and prints errno; with crun and runc."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from podpy.spec import families
from tests.support.engine import Podpy

RUNTIMES = ("crun", "runc")
ORDINARY = ("1", "2", "10", "16:0", "16:15")  # unix, inet, inet6, netlink: route, kobject_uevent
NETLINK_AUDIT = "16:9"
VSOCK, XDP = "40", "44"  # this kernel has them, or says something else than EAFNOSUPPORT

Opened = dict[str, int]


@pytest.fixture(params=RUNTIMES)
def opened(request: pytest.FixtureRequest, podpy: Podpy, busybox: str, guest: Path) -> Callable[..., Opened]:
    """Return a function: options → errno by FAMILY[:PROTOCOL] in a container started with them."""

    def call(*options: str, wanted: tuple[str, ...], environment: dict[str, str] | None = None) -> Opened:
        words = ("run", "--rm", "--network=none", "-v", f"{guest}:/guest:ro", *options, busybox, "/guest/sockets")
        out = podpy.ok("--runtime", request.param, *words, *wanted, env=environment)
        return {family: int(number) for family, number in (line.split() for line in out.splitlines())}

    return call


def test_ordinary_sockets_open_and_every_denied_family_is_not_supported(opened: Callable[..., Opened]) -> None:
    denied = [str(number) for number in families.DENIED]
    found = opened(wanted=(*ORDINARY, *denied))
    assert {family: found[family] for family in ORDINARY} == dict.fromkeys(ORDINARY, 0)
    assert {family: found[family] for family in denied} == dict.fromkeys(denied, errno.EAFNOSUPPORT)


def test_netlink_is_open_but_for_audit_which_needs_its_capability(opened: Callable[..., Opened]) -> None:
    wanted = tuple(f"16:{protocol}" for protocol in range(32))
    without, held = opened(wanted=wanted), opened("--cap-add=AUDIT_WRITE", wanted=wanted)
    assert without.pop(NETLINK_AUDIT) == errno.EINVAL
    assert held.pop(NETLINK_AUDIT) != errno.EINVAL
    assert without == held and without["16:0"] == 0


def test_a_family_is_given_back_per_container_and_inspect_says_so(
    opened: Callable[..., Opened], podpy: Podpy, busybox: str
) -> None:
    option = "--security-opt=seccomp-allow=AF_VSOCK"
    unfiltered = opened("--security-opt=seccomp=unconfined", wanted=(VSOCK, XDP))
    found = opened(option, wanted=(VSOCK, XDP))
    assert unfiltered[VSOCK] == found[VSOCK] and found[XDP] == errno.EAFNOSUPPORT
    container = podpy.ok("create", option, busybox).strip()
    assert podpy.json("inspect", container)[0]["HostConfig"]["SecurityOpt"] == ["seccomp-allow=vsock"]


def test_a_family_is_given_back_by_containers_conf(
    opened: Callable[..., Opened], podpy: Podpy, busybox: str, tmp_path: Path
) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text('[containers]\nseccomp_allow = ["xdp"]\n')
    environment = {"CONTAINERS_CONF": str(conf)}
    unfiltered = opened("--security-opt=seccomp=unconfined", wanted=(VSOCK, XDP))
    found = opened(wanted=(VSOCK, XDP), environment=environment)
    assert found == {VSOCK: errno.EAFNOSUPPORT, XDP: unfiltered[XDP]}
    container = podpy.ok("create", busybox, env=environment).strip()
    shown = podpy.json("inspect", container, env=environment)[0]["HostConfig"]["SecurityOpt"]
    assert shown == ["seccomp-allow=xdp"]


def test_a_profile_of_ones_own_is_taken_as_it_is(opened: Callable[..., Opened], podpy: Podpy) -> None:
    profile = podpy.home / "own.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    unfiltered = opened("--security-opt=seccomp=unconfined", wanted=(VSOCK, XDP, NETLINK_AUDIT))
    assert opened(f"--security-opt=seccomp={profile}", wanted=(VSOCK, XDP, NETLINK_AUDIT)) == unfiltered


def test_a_default_profile_that_denies_by_list_gets_podpys_denials(opened: Callable[..., Opened], podpy: Podpy) -> None:
    profile, conf = podpy.home / "open.json", podpy.home / "containers.conf"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    conf.write_text(f'[containers]\nseccomp_profile = "{profile}"\n')
    found = opened(wanted=("1", VSOCK, NETLINK_AUDIT), environment={"CONTAINERS_CONF": str(conf)})
    assert found == {"1": 0, VSOCK: errno.EAFNOSUPPORT, NETLINK_AUDIT: errno.EINVAL}


def test_what_can_not_be_allowed_is_refused_in_one_line(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--security-opt=seccomp-allow=nosuch", busybox).fails(125, "unknown address family 'nosuch'")
    options = ("--security-opt=seccomp=unconfined", "--security-opt=seccomp-allow=vsock")
    podpy("run", *options, busybox).fails(125, "seccomp-allow has no effect with seccomp=unconfined")
