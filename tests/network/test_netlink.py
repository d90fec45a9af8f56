"""Messages to the kernel: several in one datagram, each one's outcome, and the kernel's own words."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.network.bridges import in_namespaces
from tests.project.test_c import SANITIZE, C
from tests.support import needs
from tests.support.engine import Podpy

_SOCKET = """
from podpy.network.bridge import netlink
netns = inside.container(paths.runroot, "one")
rt = netlink.Netlink.open(netns)
def up(index):
    rt.add(links.RTM_SETLINK, 0, links.LINK.pack(0, 0, index, 1, 1))
"""


def test_what_follows_a_failed_request_is_done_and_the_failed_one_named(podpy: Podpy) -> None:
    code = """
from errno import ENODEV
for name in ("podmanx", "podmany"):
    links.make_bridge(rt, links.Bridge(name=name))
index = links.find(rt, "podmany").index
rt.add(links.RTM_SETLINK, 0, links.LINK.pack(0, 0, index, 0, 1))
up(99)
up(index)
print(rt.send(allowed=(ENODEV,)), links.find(rt, "podmany").up)
up(99)
print(inside.fails(rt.send))
up(index)
print(rt.send())
"""
    lines = in_namespaces(podpy, _SOCKET + code).splitlines()
    assert lines == ["[0, 19, 0] True", "KernelError: [Errno 19] No such device", "[0]"]


def test_an_error_has_the_kernels_own_words(podpy: Podpy) -> None:
    code = """
rt.add(links.RTM_NEWADDR, netlink.NEW, links._address_message(1, "10.0.0.1/99"))
print(inside.fails(rt.send))
print(inside.fails(lambda: rt.ask(links.RTM_GETLINK, 0, links.LINK.pack(0, 0, 99, 0, 0))))
"""
    first, second = in_namespaces(podpy, _SOCKET + code).splitlines()
    assert "Invalid prefix length" in first
    assert second == "KernelError: [Errno 19] No such device"


def test_a_socket_is_in_the_other_namespace_and_the_caller_stays(podpy: Podpy) -> None:
    code = """
before = os.readlink("/proc/self/ns/net")
print([link.name for link in links.all_links(rt)], os.readlink("/proc/self/ns/net") == before)
file = os.open("/proc/self/status", os.O_RDONLY)
print(inside.fails(lambda: netlink.Netlink.open(file)), inside.fails(lambda: netlink.Netlink.open(999)))
"""
    assert in_namespaces(podpy, _SOCKET + code).splitlines() == [
        "['lo'] True",
        "OSError: [Errno 22] Invalid argument OSError: [Errno 9] Bad file descriptor",
    ]


_CALLS = """
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "syscalls.h"
int main(int argc, char **argv)
{
    int kinds = PODPY_NETNS_OPEN_TO_ALL | PODPY_NETNS_NEIGHBOURS | PODPY_NETNS_ROUTER;
    int made = podpy_make_netns(argv[1], kinds), held[2];
    int opened = podpy_finish_netns(podpy_begin_netns(kinds), held);
    int netns = open(argv[1], O_RDONLY);
    int protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP}, sockets[3];
    int both = podpy_netns_sockets(netns, AF_INET, SOCK_STREAM, protocols, 2, sockets);
    printf("%d %d %d %d %d ", made, opened, held[1] > held[0], both, sockets[0] > netns && sockets[1] > sockets[0]);
    int none = podpy_netns_sockets(netns, AF_INET, SOCK_STREAM, protocols, 3, sockets);
    printf("%d %d ", none, fcntl(sockets[0], F_GETFD)); /* a stream can't be UDP */
    printf("%d %d\\n", podpy_netns_sockets(-1, AF_INET, SOCK_STREAM, protocols, 1, sockets),
           podpy_make_netns("/no/where", kinds));
    return argc != 2;
}
"""


def test_the_calls_run_clean_with_the_sanitizers(tmp_path: Path) -> None:
    needs.require("mount")
    (tmp_path / "calls.c").write_text(_CALLS)
    (tmp_path / "netns").touch()
    sources = [str(tmp_path / "calls.c"), str(C / "native/netns.c")]
    command = ["cc", "-std=gnu17", *SANITIZE, f"-I{C / 'native'}", *sources, "-o", str(tmp_path / "calls")]
    subprocess.run(command, check=True)
    run = ["unshare", "--mount", str(tmp_path / "calls"), str(tmp_path / "netns")]
    done = subprocess.run(run, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0 0 1 0 1 -93 -1 -9 -2\n", "")
