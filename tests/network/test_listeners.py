"""Host ports of user networks: bound before anything starts, in both families or in none."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from podpy.errors import InUseError, NetworkSetupError, NotSupportedError
from podpy.spec.container import PortMapping
from tests.network.forwarding import Forwarder, bind_and_close, soft_limit
from tests.network.lab import HOST, HOST_V6, Lab
from tests.support.engine import CHECKOUT
from tests.support.users import User

PORT, INSIDE = 8080, 80
WEB = PortMapping(container_port=INSIDE, host_port=PORT)
ANY = PortMapping(container_port=INSIDE)
pytestmark = pytest.mark.parametrize("program", ["plain"], indirect=True)


def bind(lab: Lab, *ports: PortMapping) -> list[PortMapping]:
    return lab.call("host", bind_and_close, list(ports))


def take(lab: Lab, address: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
    taken = lab.open_socket("host", v6=":" in address, kind=kind)
    if ":" in address:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    taken.bind((address, PORT))
    if kind == socket.SOCK_STREAM:
        taken.listen()
    return taken


@pytest.mark.parametrize(
    ("address", "other"), [("0.0.0.0", "::"), ("::", "0.0.0.0"), (HOST, "::"), (HOST_V6, "0.0.0.0")]
)
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_port_that_is_taken_in_one_family_is_taken(
    lab: Lab, program: Path, address: str, other: str, protocol: str
) -> None:
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with take(lab, address, kind):
        wide = "[::]" if ":" in address else "0.0.0.0"
        with pytest.raises(InUseError) as caught:
            bind(lab, WEB.replace(protocol=protocol))
        said = f"rootlessport listen {protocol} {wide}:{PORT}: bind: address already in use"
        assert caught.value.message == said
        assert f"ss -lnp 'sport = :{PORT}'" in caught.value.hint
        take(lab, other, kind).close()


def test_who_has_it_is_told(forward: Forwarder, lab: Lab) -> None:
    forward.start(WEB)
    with pytest.raises(InUseError) as caught:
        bind(lab, WEB)
    assert f"pid {forward.pid} (podpy-forward)" in caught.value.hint


def test_none_is_bound_when_the_last_one_is_taken(lab: Lab, program: Path) -> None:
    with take(lab, "0.0.0.0"), pytest.raises(InUseError):
        bind(lab, PortMapping(container_port=1, host_port=PORT - 20, count=21))
    bind(lab, PortMapping(container_port=1, host_port=PORT - 20, count=21))


def test_an_address_of_the_host_does_not_take_anothers_port(lab: Lab, program: Path) -> None:
    with take(lab, HOST):
        bind(lab, WEB.replace(host_ip="127.0.0.1"), WEB.replace(host_ip="::"))


def test_an_address_that_the_host_does_not_have(lab: Lab, program: Path) -> None:
    with pytest.raises(NetworkSetupError, match=r"listen tcp 192.0.2.77:8080: bind: cannot assign requested address"):
        bind(lab, WEB.replace(host_ip="192.0.2.77"))


def test_a_port_is_asked_for_once(lab: Lab, program: Path) -> None:
    with pytest.raises(InUseError, match="8080/tcp is published twice"):
        bind(lab, WEB, WEB.replace(container_port=81))
    with pytest.raises(NotSupportedError, match="sctp"):
        bind(lab, WEB.replace(protocol="sctp"))


def test_an_ephemeral_port_is_the_same_in_both_families_and_over_restarts(forward: Forwarder) -> None:
    (first,) = forward.start(ANY)
    assert first.host_port > 1023
    server = forward.serve(INSIDE, "::")
    for address in (HOST, HOST_V6):
        with forward.connect(address, first.host_port):
            server.accept()
    forward.unlink()
    assert forward.start(ANY, before=[first]) == [first]
    forward.unlink()
    taken = forward.lab.bound("host", "::", first.host_port)
    taken.listen()
    (second,) = forward.start(ANY, before=[first])
    assert second.host_port not in (0, first.host_port)


def test_an_ephemeral_port_leaves_the_fixed_ones_alone(lab: Lab, program: Path) -> None:
    first, second, third = bind(lab, ANY, WEB, ANY.replace(protocol="udp"))
    assert (second, first.protocol, third.protocol) == (WEB, "tcp", "udp")
    assert PORT not in (first.host_port, third.host_port)


def test_a_host_without_ipv6_publishes_on_ipv4(forward: Forwarder, lab: Lab) -> None:
    lab.run("host", "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
    forward.start(WEB)
    server = forward.serve(INSIDE)
    with forward.connect(HOST, PORT):
        server.accept()


def test_a_wide_range_does_not_change_podpys_own_limits(forward: Forwarder, lab: Lab) -> None:
    before = lab.call("host", soft_limit, 1024)
    forward.start(PortMapping(container_port=9000, host_port=9000, count=1500))
    assert forward.status()["listeners"] == 3000
    assert lab.call("host", soft_limit, before) == 1024
    server = forward.serve(10499, "::")
    for address in (HOST, HOST_V6):
        with forward.connect(address, 10499):
            server.accept()


def test_a_low_port_says_which_setting(user: User, program: Path) -> None:
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text().strip()
    if int(start) <= 81:
        return
    code = (
        "from podpy.network.bridge import listeners\n"
        "from podpy.spec.container import PortMapping\n"
        "from podpy.errors import NetworkSetupError\n"
        "try: listeners.bind([PortMapping(container_port=80, host_port=81)])\n"
        "except NetworkSetupError as error: print(error.message, error.hint, sep='\\n')"
    )
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": f"{CHECKOUT}/src"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, **user.as_popen_arguments())  # type: ignore[call-overload]
    assert done.stdout.splitlines() == [
        "rootlessport cannot expose privileged port 81, you can add 'net.ipv4.ip_unprivileged_port_start=81' to "
        f"/etc/sysctl.conf (currently {start}), or choose a larger port number (>= {start}): "
        "listen tcp 0.0.0.0:81: bind: permission denied",
        "sudo sysctl net.ipv4.ip_unprivileged_port_start=81",
    ], done.stderr
