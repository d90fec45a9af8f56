"""Published ports of user networks: podpy-forward between real network namespaces, as it is shipped and sanitized."""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
from pathlib import Path

import pytest

from podpy.errors import NetworkSetupError
from podpy.network.bridge import forwarder
from podpy.network.bridge.forwarder import Conversation, Target
from podpy.spec.container import PortMapping
from tests.network import lab as places
from tests.network.forwarding import (
    TARGET,
    TCP,
    UDP,
    Forwarder,
    ask,
    bind_and_close,
    limit_descriptors,
    link,
    publish,
    read_all,
    wrapped,
)
from tests.network.lab import (
    HOST,
    HOST_OTHER,
    HOST_V6,
    REMOTE,
    REMOTE_OTHER,
    REMOTE_V6,
    SERVER,
    SERVER_OTHER,
    SERVER_V6,
    Lab,
)
from tests.support import needs, wait

PORT, INSIDE = 8080, 80
WEB = PortMapping(container_port=INSIDE, host_port=PORT)
DNS = PortMapping(container_port=53, host_port=5353, protocol="udp")
GONE = "10.89.0.99"
EVERY_BUILD = pytest.mark.parametrize("program", ["plain", "sanitized", "pipeless"], indirect=True)
FROM_ELSEWHERE = pytest.mark.parametrize(
    ("host", "client"),
    [(HOST, REMOTE), (HOST, REMOTE_OTHER), (HOST_OTHER, REMOTE), (HOST_V6, REMOTE_V6), (HOST_V6, "2001:db8::1")],
)


# Who the server sees


@FROM_ELSEWHERE
def test_a_server_sees_its_clients_own_addresses(forward: Forwarder, host: str, client: str) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE, SERVER_V6 if ":" in host else SERVER)
    with forward.connect(host, PORT, source=client) as ours:
        theirs, seen = server.accept()
        assert seen[0] == client
        ours.sendall(b"question")
        assert theirs.recv(100) == b"question"
        theirs.sendall(b"answer")
        assert ours.recv(100) == b"answer"
        assert ours.getpeername()[:2] == (host, PORT)


@FROM_ELSEWHERE
def test_datagrams_too_and_the_answer_comes_from_the_address_that_was_asked(
    forward: Forwarder, lab: Lab, host: str, client: str
) -> None:
    forward.start(DNS)
    server = forward.serve(53, SERVER_V6 if ":" in host else SERVER, UDP)
    ours = lab.bound("remote", client, kind=UDP)
    ours.connect((host, 5353))
    for text in (b"one", b"", b"x" * 60000):
        ours.send(text)
        data, seen = server.recvfrom(1 << 16)
        assert (data, seen[0]) == (text, client)
        server.sendto(b"answer to " + text, seen)
        assert ours.recv(1 << 16) == b"answer to " + text


@pytest.mark.parametrize("address", [HOST, HOST_V6])
def test_the_hosts_own_address_is_one_like_any_other(forward: Forwarder, address: str) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE, SERVER_V6 if ":" in address else SERVER)
    with forward.connect(address, PORT, where="host"):
        assert server.accept()[1][0] == address


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_clients_on_the_loopback_device_come_from_the_gateway(forward: Forwarder, lab: Lab, address: str) -> None:
    forward.start(WEB, DNS)
    v6 = ":" in address
    gateway = places.GATEWAY_V6 if v6 else places.GATEWAY
    server, names = (forward.serve(p, SERVER_V6 if v6 else SERVER, k) for p, k in ((INSIDE, TCP), (53, UDP)))
    with forward.connect(address, PORT, where="host"):
        assert server.accept()[1][0] == gateway
    ours = lab.open_socket("host", v6=v6, kind=UDP)
    ours.connect((address, 5353))
    ours.send(b"?")
    data, seen = names.recvfrom(100)
    assert (data, seen[0]) == (b"?", gateway)
    names.sendto(b"!", seen)
    assert ours.recv(100) == b"!"


def test_ipv6_clients_of_a_container_without_an_ipv6_address_come_from_the_gateway(forward: Forwarder) -> None:
    forward.start(WEB, target=Target(v4=SERVER, gateway_v4=places.GATEWAY))
    server = forward.serve(INSIDE)
    with forward.connect(HOST_V6, PORT):
        assert server.accept()[1][0] == places.GATEWAY


def test_without_nft_socket_all_come_from_the_gateway(forward: Forwarder, lab: Lab) -> None:
    lab.run("shared", "nft", "delete", "table", "inet", "podpy")
    forward.start(WEB, DNS, target=TARGET.replace(keeps_clients=False))
    server, names = forward.serve(INSIDE), forward.serve(53, kind=UDP)
    with forward.connect(HOST, PORT):
        assert server.accept()[1][0] == places.GATEWAY
    ours = lab.open_socket("remote", kind=UDP)
    ours.sendto(b"?", (HOST, 5353))
    assert names.recvfrom(100)[1][0] == places.GATEWAY


def test_a_host_address_is_the_only_one_that_listens(forward: Forwarder) -> None:
    forward.start(WEB.replace(host_ip=HOST_OTHER))
    server = forward.serve(INSIDE)
    with forward.connect(HOST_OTHER, PORT, source=REMOTE):
        assert server.accept()[1][0] == REMOTE
    with pytest.raises(ConnectionRefusedError):
        forward.connect(HOST, PORT)


def test_a_range_leads_to_the_ports_in_order(forward: Forwarder) -> None:
    forward.start(PortMapping(container_port=9000, host_port=7000, count=200))
    for offset in (0, 1, 199):
        server = forward.serve(9000 + offset)
        with forward.connect(HOST, 7000 + offset):
            server.accept()


# What happens to a connection


def test_a_server_that_speaks_first_is_heard(forward: Forwarder) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    with forward.connect(HOST, PORT) as ours:
        theirs, _ = server.accept()
        theirs.sendall(b"220 ready")
        assert ours.recv(100) == b"220 ready"


@EVERY_BUILD
@pytest.mark.parametrize("first", ["client", "server"])
def test_each_half_ends_by_itself(forward: Forwarder, first: str) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    ours = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    one, other = (ours, theirs) if first == "client" else (theirs, ours)
    one.sendall(b"all that I have to say")
    one.shutdown(socket.SHUT_WR)
    assert read_all(other) == b"all that I have to say"
    other.sendall(b"and now me")
    assert one.recv(100) == b"and now me"
    other.close()
    assert one.recv(100) == b""
    wait.until(lambda: forward.status()["connections"] == 0, what="the connection is over")


@EVERY_BUILD
@pytest.mark.parametrize("first", ["client", "server"])
def test_a_reset_is_passed_on(forward: Forwarder, first: str) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    ours = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    one, other = (ours, theirs) if first == "client" else (theirs, ours)
    other.sendall(b"never read")
    wait.until(lambda: one.recv(10, socket.MSG_PEEK), what="it has come")
    one.close()  # with something unread: a reset (RFC 2525, 2.17)
    with pytest.raises(ConnectionResetError):
        other.recv(100)
    wait.until(lambda: forward.status()["connections"] == 0, what="the connection is over")


def test_an_answer_before_a_reset_arrives(forward: Forwarder) -> None:
    """A server that refuses a long request answers, and closes without having read it."""
    forward.start(WEB)
    server = forward.serve(INSIDE)
    ours = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    ours.sendall(b"x" * 100_000)
    wait.until(lambda: theirs.recv(10, socket.MSG_PEEK), what="the request has begun to come")
    theirs.sendall(b"413 too long")
    theirs.close()
    assert ours.recv(100) == b"413 too long"


def test_a_server_that_speaks_and_is_gone_at_once_is_heard(forward: Forwarder) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    for _ in range(50):
        with forward.connect(HOST, PORT) as ours:
            theirs, _ = server.accept()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.sendall(b"421 too many")
            theirs.close()
            assert ours.recv(100) == b"421 too many"


def test_a_port_where_nobody_listens_is_closed(forward: Forwarder) -> None:
    forward.start(WEB)
    with pytest.raises(ConnectionResetError):
        forward.connect(HOST, PORT).recv(100)
    server = forward.serve(INSIDE)
    with forward.connect(HOST, PORT):
        server.accept()


def test_a_container_without_an_address_closes_its_ports(forward: Forwarder) -> None:
    forward.start(WEB, DNS, target=Target())
    with pytest.raises(ConnectionResetError):
        forward.connect(HOST, PORT).recv(100)


@EVERY_BUILD
def test_much_goes_both_ways_at_once_unchanged(forward: Forwarder) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    ours = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    up, down = random.randbytes(8_000_000), random.randbytes(6_000_000)

    def send(connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    received: dict[str, bytes] = {}
    threads = [
        threading.Thread(target=send, args=(ours, up)),
        threading.Thread(target=send, args=(theirs, down)),
        threading.Thread(target=lambda: received.update(up=read_all(theirs))),
    ]
    for thread in threads:
        thread.start()
    received["down"] = read_all(ours)
    for thread in threads:
        thread.join()
    assert received == {"up": up, "down": down}


@EVERY_BUILD
def test_what_a_slow_server_does_not_take_stays_with_the_client(forward: Forwarder) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    ours = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    ours.settimeout(1)  # nothing moves any more
    data = bytes(range(256)) * 256
    sent = 0
    with pytest.raises(TimeoutError):
        while True:
            sent += ours.send(data[sent % len(data) :])  # the kernel may take a part of it
    assert sent < 64 << 20, "the kernel's own buffers of two connections, and no more"
    status = Path(f"/proc/{forward.pid}/status").read_text()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    assert resident < 4096 or "sanitized" in forward.program.name
    ours.shutdown(socket.SHUT_WR)
    got = read_all(theirs)
    assert len(got) == sent
    assert got == (data * (sent // len(data) + 1))[:sent]


@EVERY_BUILD
def test_urgent_data_does_not_hold_up_what_follows(forward: Forwarder) -> None:
    """It doesn't arrive itself, as with any program between the two that doesn't ask for it."""
    forward.start(WEB)
    server = forward.serve(INSIDE)
    ours = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    much = random.randbytes(200_000)
    ours.sendall(much)
    ours.send(b"!", socket.MSG_OOB)
    ours.sendall(b"after")
    ours.shutdown(socket.SHUT_WR)
    assert read_all(theirs) == much + b"after"


def test_hundreds_of_clients_at_once(forward: Forwarder) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    pairs = []
    for number in range(300):
        ours = forward.connect(HOST, PORT)
        ours.sendall(b"%d" % number)
        pairs.append((ours, server.accept()[0]))
    assert forward.status()["connections"] == 300
    for number, (ours, theirs) in enumerate(pairs):
        assert theirs.recv(100) == b"%d" % number
        theirs.sendall(b"answer %d" % number)
        theirs.close()
        assert read_all(ours) == b"answer %d" % number
        ours.close()
    wait.until(lambda: forward.status()["connections"] == 0, what="all are over")


# Limits


def test_with_few_descriptors_clients_wait_for_their_turn(forward: Forwarder) -> None:
    wrapped(forward, "ulimit -n 100")
    forward.start(WEB)
    server = forward.serve(INSIDE)
    clients = [forward.connect(HOST, PORT) for _ in range(60)]
    server.settimeout(wait.PATIENCE)
    for number, ours in enumerate(clients):
        theirs, _ = server.accept()
        assert 0 < forward.status()["connections"] < 30
        theirs.sendall(b"%d" % number)
        theirs.close()
        assert read_all(ours) == b"%d" % number
        ours.close()


def test_without_a_descriptor_left_it_sleeps_and_goes_on_later(forward: Forwarder, lab: Lab) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    usual = lab.call("host", limit_descriptors, forward.pid, 3)
    ours = forward.connect(HOST, PORT)
    wait.for_poll(forward.pid)
    lab.call("host", limit_descriptors, forward.pid, usual)
    server.accept()[0].sendall(b"at last")
    assert ours.recv(100) == b"at last"


# While it runs


def test_ports_come_and_go_while_it_runs(forward: Forwarder) -> None:
    forward.start(WEB)
    more = [PortMapping(container_port=81, host_port=8081), PortMapping(container_port=54, protocol="udp")]
    bound = forward.call(publish, more)
    assert forward.status()["listeners"] == 6
    server, second, third = forward.serve(INSIDE), forward.serve(81), forward.serve(81, SERVER_V6)
    stays = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    with forward.connect(HOST_V6, 8081):
        third.accept()
    with forward.connect(HOST, 8081):
        second.accept()
    forward.call(forwarder.unpublish, [WEB, *bound])
    forward.call(forwarder.unpublish, [WEB])  # safe to repeat
    for port in (PORT, 8081):
        with pytest.raises(ConnectionRefusedError):
            forward.connect(HOST, port)
    theirs.sendall(b"still here")
    assert stays.recv(100) == b"still here"
    for _ in range(3):
        forward.call(publish, [WEB])
        assert forward.status()["listeners"] == 2
        forward.call(forwarder.unpublish, [WEB])
    assert forward.status() == {"listeners": 0, "connections": 1, "flows": 0}


def test_it_follows_the_containers_address(forward: Forwarder, lab: Lab) -> None:
    forward.start(WEB, DNS)
    old, ours = forward.serve(INSIDE), forward.connect(HOST, PORT)
    theirs, _ = old.accept()
    asks = lab.open_socket("remote", kind=UDP)
    asks.connect((HOST, 5353))
    asks.send(b"to nobody")
    lab.run("container", "ip", "addr", "add", f"{SERVER_OTHER}/24", "dev", "eth0")
    forward.call(forwarder.retarget, TARGET.replace(v4=SERVER_OTHER))
    for side in (ours, theirs):
        with pytest.raises(ConnectionResetError):
            side.recv(100)
    assert forward.status() == {"listeners": 4, "connections": 0, "flows": 0}
    server, names = forward.serve(INSIDE, SERVER_OTHER), forward.serve(53, SERVER_OTHER, UDP)
    with forward.connect(HOST, PORT, source=REMOTE_OTHER):
        assert server.accept()[1][0] == REMOTE_OTHER
    asks.send(b"?")
    assert names.recvfrom(100)[0] == b"?"


def test_no_message_ends_it(forward: Forwarder) -> None:
    forward.start(WEB)
    words = [
        "add",
        "remove",
        "target",
        "status",
        "tcp",
        "udp",
        "-",
        "80",
        "0",
        "65536",
        "::",
        "0.0.0.0",
        SERVER,
        "real",
    ]
    choose = random.Random(11)
    messages: list[tuple[bytes, int]] = [
        (b"add tcp 80", 0), (b"add tcp 80", 1), (b"add udp 53", 2), (b"add tcp 80", 9), (b"x" * 5000, 1), (b"\0", 0),
        (b"target", 0), (b"target - - - - perhaps", 0), (b"status\0", 0), (b"remove tcp", 0), (b" ", 3),
    ]  # fmt: skip
    for _ in range(300):
        text = " ".join(choose.choices(words, k=choose.randrange(8))).encode()
        spoilt = bytes(byte ^ choose.getrandbits(8) if choose.random() < 0.1 else byte for byte in text)
        messages.append((choose.choice([text, spoilt]) or b"?", choose.randrange(4)))
    messages = [(text, count) for text, count in messages if not text.startswith((b"remove tcp 0", b"remove tcp ::"))]
    answers = forward.call(ask, messages)
    assert all(answer.startswith((b"ok", b"error ")) for answer in answers)
    assert answers[0] == b"error add comes with one descriptor"
    forward.call(forwarder.retarget, TARGET)
    server = forward.serve(INSIDE)
    with forward.connect(HOST, PORT):
        assert server.accept()[1][0] == REMOTE
    assert len(os.listdir(f"/proc/{forward.pid}/fd")) < 40


def test_nobody_else_may_speak_to_it(forward: Forwarder) -> None:
    needs.require("root")
    forward.start(WEB)
    with Conversation(str(forward.directory)) as conversation, pytest.raises(NetworkSetupError):
        conversation.ask("status")


# Its life


def test_it_ends_with_the_container_and_its_ports_are_free(forward: Forwarder) -> None:
    forward.start(WEB)
    server = forward.serve(INSIDE)
    ours = forward.connect(HOST, PORT)
    theirs, _ = server.accept()
    forward.unlink()
    assert not forward.call(forwarder.is_alive)
    with pytest.raises(ConnectionRefusedError):
        forward.connect(HOST, PORT)
    assert (ours.recv(100), theirs.recv(100)) == (b"", b"")
    forward.start(WEB)


def test_after_a_kill_it_can_be_started_again(forward: Forwarder) -> None:
    forward.start(WEB)
    assert forward.call(forwarder.is_alive)
    forward.kill()
    assert not forward.call(forwarder.is_alive)
    with pytest.raises(NetworkSetupError, match="isn't running"):
        forward.status()
    forward.start(WEB)
    server = forward.serve(INSIDE)
    with forward.connect(HOST, PORT):
        server.accept()


def test_a_container_that_has_ended_meanwhile_gets_none(forward: Forwarder, lab: Lab) -> None:
    wrapped(forward, f"rm {forward.directory}/netns")
    with pytest.raises(NetworkSetupError, match="netns: No such file"):
        forward.start(WEB)
    lab.call("host", bind_and_close, [WEB])


def test_it_may_do_little(forward: Forwarder, lab: Lab) -> None:
    forward.start(WEB)
    status = Path(f"/proc/{forward.pid}/status").read_text()
    fields = {line.partition(":")[0]: line.partition(":")[2].strip() for line in status.splitlines()}
    assert fields["Name"] == "podpy-forward"
    assert (fields["NoNewPrivs"], int(fields["CapPrm"], 16)) == ("1", 1 << 13)  # CAP_NET_RAW
    assert fields["Seccomp"] == "2" or forward.program.name == "sanitized"
    inside = lab.call("shared", link, "/proc/self/ns/net")
    assert lab.call("host", link, f"/proc/{forward.pid}/ns/net") == inside, "podpy finds the namespace through it"
    assert Path(f"/proc/{forward.pid}/cmdline").read_bytes().split(b"\0")[2] == bytes(forward.directory / "netns")


@pytest.mark.parametrize("program", ["impatient"], indirect=True)
def test_a_flow_without_datagrams_is_forgotten_by_itself(forward: Forwarder, lab: Lab) -> None:
    forward.start(DNS)
    server = forward.serve(53, kind=UDP)
    ours = lab.open_socket("remote", kind=UDP)
    ours.sendto(b"?", (HOST, 5353))
    server.recvfrom(100)
    wait.until(lambda: forward.status()["flows"] == 0, what="the flow is forgotten")
    ours.sendto(b"again", (HOST, 5353))
    assert server.recvfrom(100)[0] == b"again"


@pytest.mark.parametrize("program", ["impatient"], indirect=True)
def test_a_server_that_does_not_answer_is_not_waited_for_without_end(forward: Forwarder, lab: Lab) -> None:
    forward.start(WEB, target=TARGET.replace(v4=GONE))
    lab.run("shared", "ip", "neigh", "add", GONE, "lladdr", "02:00:00:00:00:01", "dev", "podman1")
    ours = forward.connect(HOST, PORT)
    ours.sendall(b"x" * 1000)
    with pytest.raises(ConnectionResetError):
        ours.recv(100)
    assert forward.status()["connections"] == 0
