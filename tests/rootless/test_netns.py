"""Network namespaces for containers, made without leaving one's own."""

from __future__ import annotations

from tests.rootless.helpers import python
from tests.support.engine import Podpy

CODE = """
import os, socket
from podpy import linux, rootless
from podpy.rootless.mounts import private_mounts
from podpy.config.paths import Paths
paths = Paths.find()
rootless.enter(paths)
private_mounts()
path = os.path.join(paths.runroot, "netns")
"""


def test_namespace_is_at_its_path_with_loopback_up(podpy: Podpy) -> None:
    """The caller stays where it was; whoever joins can talk to itself and sees no other device."""
    code = """
before = os.readlink("/proc/self/ns/net")
linux.make_netns(path)
assert os.readlink("/proc/self/ns/net") == before
assert os.stat(path).st_ino != os.stat("/proc/self/ns/net").st_ino
descriptor = os.open(path, os.O_RDONLY)
linux.setns(descriptor, linux.CLONE_NEWNET)
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), timeout=5)
print([name for _, name in socket.if_nameindex()])
"""
    assert "'lo'" in python(podpy, CODE + code).ok()


def test_a_sender_by_pasta_has_little_on_the_way_and_a_short_timer(podpy: Podpy) -> None:
    """ip-sysctl.rst: tcp_wmem, tcp_rto_min_us (which Linux has since 6.11). Other namespaces keep the host's."""
    code = """
from pathlib import Path
NAMES = "tcp_wmem", "tcp_rto_min_us"
def settings():
    files = [Path("/proc/sys/net/ipv4", name) for name in NAMES]
    return [file.read_text().split() for file in files if file.exists()]
def inside(**kind):
    linux.make_netns(path + str(len(kind)), **kind)
    linux.setns(os.open(path + str(len(kind)), os.O_RDONLY), linux.CLONE_NEWNET)
    return settings()
before = settings()
assert inside() == before
assert inside(by_pasta=True) == [["4096", "16384", "524288"], ["10000"]][: len(before)]
"""
    python(podpy, CODE + code).ok()


def test_a_neighbour_is_not_believed_to_be_the_router(podpy: Podpy) -> None:
    """ip-sysctl.rst: of IPv4's accept_redirects, `all` or the interface's own one would be enough."""
    code = """
from pathlib import Path
linux.make_netns(path, neighbours=True)
linux.setns(os.open(path, os.O_RDONLY), linux.CLONE_NEWNET)
names = ["ipv4/conf/all/accept_redirects", "ipv4/conf/default/accept_redirects"]
names += ["ipv6/conf/default/accept_redirects", "ipv6/conf/default/accept_ra"]
files = [Path("/proc/sys/net", name) for name in names]
print([file.read_text().strip() for file in files if file.exists()])
"""
    assert set(python(podpy, CODE + code).ok()) <= set("[]', 0")


def test_missing_directory_is_an_error_with_its_path(podpy: Podpy) -> None:
    """As every system call's."""
    code = """
try:
    linux.make_netns(path + "/no/where")
except OSError as error:
    print(error.filename.endswith("netns/no/where"), error.strerror)
"""
    assert python(podpy, CODE + code).ok() == "True No such file or directory"


def test_errors_name_source_and_target(podpy: Podpy) -> None:
    """mount(2) has two paths."""
    code = """
try:
    linux.mount("/no/source", path, None, linux.MS_BIND)
except OSError as error:
    print(error.errno, error.filename, error.filename2 == path)
"""
    assert python(podpy, CODE + code).ok() == "2 /no/source True"
