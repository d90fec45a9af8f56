"""The network namespace of a user's bridges: found through whoever holds it, made again when nobody does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.network.bridges import _BEGIN, in_namespaces, run_in_namespaces
from tests.rootless.helpers import python_environment
from tests.support import wait
from tests.support.engine import Podpy

_OPEN = """
with SharedNamespace(paths, conf) as shared:
    descriptor = shared.open()
shared.wait()
def names():
    return [link.name for link in links.all_links(Netlink.open(descriptor))]
"""
_END = """
with shared:
    shared.end(wait=True)
"""


def ways_out(podpy: Podpy) -> list[int]:
    """Return the pids of the programs that connect this podpy's shared namespace."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        except OSError:
            continue
        if f"{podpy.runroot}/networks/netns" in words:
            found.append(int(pid))
    return found


def test_who_comes_later_finds_the_same_namespace_with_its_way_out(podpy: Podpy) -> None:
    code = """
with SharedNamespace(paths, conf) as later:
    second = later.open()
later.wait()
assert os.path.sameopenfile(descriptor, second)
print(names())
with later:
    later.end(wait=True)
    print(later.find(), sorted(os.listdir(later.directory)))
"""
    assert in_namespaces(podpy, _OPEN + code).splitlines() == ["['lo', 'out0']", "-1 ['lock']"]


def test_it_routes_and_its_bridges_need_no_tables(podpy: Podpy) -> None:
    code = """
import subprocess
settings = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv6.conf.default.accept_dad"]
settings += ["net.bridge.bridge-nf-call-iptables"] if os.path.exists("/proc/sys/net/bridge") else []
inside_it = ["nsenter", f"--net=/proc/self/fd/{descriptor}"]
done = subprocess.run([*inside_it, "sysctl", "-n", *settings], pass_fds=[descriptor], capture_output=True)
print(*done.stdout.decode().split()[:3], *done.stdout.decode().split()[3:] or ["0"])
"""
    assert in_namespaces(podpy, _OPEN + code + _END) == "1 1 0 0"


def test_a_monitor_that_holds_it_is_enough(podpy: Podpy) -> None:
    """Its maker has ended, and so has its way out: it is found through who has a descriptor, and mended."""
    code = """
import signal, subprocess
monitor = subprocess.Popen(["sleep", "60"], pass_fds=[descriptor])
pid = int(open(os.path.join(shared.directory, "pasta.pid")).read())
pidfd = os.pidfd_open(pid)
os.kill(pid, signal.SIGKILL)
import select
select.select([pidfd], [], [])
os.unlink(os.path.join(shared.directory, "users"))
with SharedNamespace(paths, conf) as later:
    print(later.find(), os.path.sameopenfile(later.open([monitor.pid]), descriptor))
later.wait()
print(names())
monitor.kill()
monitor.wait()
"""
    assert in_namespaces(podpy, _OPEN + code + _END).splitlines() == ["-1 True", "['lo', 'out0']"]


def test_four_at_once_share_one(podpy: Podpy) -> None:
    code = _BEGIN + _OPEN + "print(os.fstat(descriptor).st_ino, names(), flush=True)\nsys.stdin.read()\n"
    in_namespaces(podpy, "")  # the user's namespaces are there
    environment = {**podpy.environment(), **python_environment(podpy)}
    calls = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **podpy.user.as_popen_arguments(),  # type: ignore[call-overload]
        )
        for _ in range(4)
    ]
    said = [call.stdout.readline() for call in calls]
    running = ways_out(podpy)
    for call in calls:
        call.communicate("", timeout=60)
    assert len(set(said)) == 1 and said[0].endswith("['lo', 'out0']\n")
    assert len(running) == 1
    in_namespaces(podpy, "with SharedNamespace(paths, conf) as shared:\n    shared.end(wait=True)")
    assert ways_out(podpy) == []


def test_who_has_ended_is_forgotten(podpy: Podpy) -> None:
    code = """
users = os.path.join(shared.directory, "users")
with open(users, "a") as file:
    file.write("999999 1\\n" * 100)
with SharedNamespace(paths, conf) as later:
    assert os.path.sameopenfile(later.open(), descriptor)
print(set(open(users).read().split("\\n")) == {f"{os.getpid()} {namespace.pids.start_time(os.getpid())}", ""})
"""
    assert in_namespaces(podpy, _OPEN + code + _END) == "True"


def test_a_removed_networks_bridge_is_gone_for_who_comes_next_and_so_are_its_rights(podpy: Podpy) -> None:
    """A network that gets its name later may be an internal one."""
    code = """
rt = Netlink.open(descriptor)
for name in ("podman1", "podman2"):
    links.make_bridge(rt, links.Bridge(name=name, addresses=["10.89.0.1/24"]))
    firewall.allow(descriptor, firewall.pairs(name, friends=["podman1"]))
print(len(firewall.allowed(descriptor)))
with shared:
    shared.remove_bridge("podman1")
    shared.remove_bridge("podman1")
    shared.remove_bridge("podman9")
    assert nftables.is_loaded(descriptor)
with SharedNamespace(paths, conf):
    print(links.find(rt, "podman1"), links.find(rt, "podman2").kind, sorted(firewall.allowed(descriptor)))
    nftables.unload(descriptor)
    shared.remove_bridge("podman2")  # somebody has flushed the firewall
"""
    assert in_namespaces(podpy, _OPEN + code + _END).splitlines() == [
        "6",
        "None bridge [('podman2', 'out0'), ('podman2', 'podman2')]",
    ]


def test_a_container_is_plugged_in_by_four_datagrams_and_one_helper_process(podpy: Podpy) -> None:
    """The bridge is looked for, the firewall lets it talk, the pair of devices; then all in the container at once."""
    code = """
from podpy.network.bridge import members
from podpy.network.definitions.network import Network, Subnet
from podpy.storage.network_rows import Address, Attached
subnets = [Subnet(subnet="10.89.0.0/24", gateway="10.89.0.1"), Subnet(subnet="fd00::/64", gateway="fd00::1")]
network = Network(name="net", id="", interface="podman1", subnets=subnets)
def plug(number):
    netns, socket = linux.BegunNetns().finish()
    given = [Address(address=f"{subnet.gateway[:-1]}{number}", subnet=subnet.subnet) for subnet in subnets]
    attached = Attached(container_id="c", network="net", interface="eth0", mac="", host_interface="", addresses=given)
    member = members.Member(attachment=None, network=network, attached=attached)
    members.plug_in(shared, descriptor, Netlink(socket, netns, 0), member)
    return netns
def counted(made, call):
    return lambda *args: (made.append(args), call(*args))[1]
with shared:
    one = plug(2)
    datagrams, helpers = [], []
    Netlink._write, linux.netns_sockets = counted(datagrams, Netlink._write), counted(helpers, linux.netns_sockets)
    two = plug(3)
    print(len(datagrams), len(helpers))
for address in ("10.89.0.2", "fd00::2"):
    with inside.listen(one, address):
        print(inside.connect(two, address))
"""
    assert in_namespaces(podpy, _OPEN + code + _END).split() == ["4", "1", "10.89.0.3", "fd00::3"]


def test_removing_a_bridge_does_not_keep_who_reads_the_output(podpy: Podpy) -> None:
    code = """
import select, signal
links.make_bridge(Netlink.open(descriptor), links.Bridge(name="podman1"))
fifo = os.path.join(shared.directory, "fifo")
os.mkfifo(fifo)
def late(*args):  # as if the kernel took longer than the reader waits
    with open(fifo, "w") as file:
        file.write(str(os.getpid()))
    signal.pause()
namespace._remove = late
read, write = os.pipe()
with shared:
    shared.remove_bridge("podman1")
os.close(write)
pidfd = os.pidfd_open(int(open(fifo).read()))
print(os.read(read, 1))
signal.pidfd_send_signal(pidfd, signal.SIGKILL)
select.select([pidfd], [], [])
"""
    assert in_namespaces(podpy, _OPEN + code + _END) == "b''"


_KILLS = {
    "with the namespace made": "linux, 'make_netns', True",
    "before the way out is started": "namespace.WayOut, 'start', False",
    "with the way out started": "namespace.WayOut, 'start', True",
    "before the firewall is loaded": "firewall, 'load', False",
    "with the firewall loaded": "firewall, 'load', True",
    "with its routes made": "routes, 'loop_back', True",
    "before the way out is ready": "namespace.WayOut, 'wait', False",
    "with all done": "namespace.WayOut, 'wait', True",
    "before it is ended": "namespace.netns, 'end', False",
}


@pytest.mark.parametrize("when", _KILLS)
def test_a_kill_at_any_moment_is_mended_by_the_next_call(podpy: Podpy, when: str) -> None:
    code = f"""
import signal
def killed(owner, name, after):
    real = getattr(owner, name)
    def step(*args, **options):
        if after:
            real(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, step)
{"" if "ended" in when else f"killed({_KILLS[when]})"}
"""
    ending = f"killed({_KILLS[when]})\n" if "ended" in when else ""
    done = run_in_namespaces(podpy, code + _OPEN.replace("def names", ending + "def names") + _END)
    assert done.returncode == -9, done.describe()
    assert in_namespaces(podpy, _OPEN + "print(names(), shared.way_out.is_there())") == "['lo', 'out0'] True"
    wait.until(lambda: len(ways_out(podpy)) == 1, what="one way out is left")
    in_namespaces(podpy, "with SharedNamespace(paths, conf) as shared:\n    shared.end(wait=True)")
    assert ways_out(podpy) == []


def test_slirp4netns_is_the_way_out_where_pasta_is_not_installed(podpy: Podpy) -> None:
    code = """
from podpy.network import mode
find = mode.which
mode.which = lambda name: "" if name == "pasta" else find(name)
"""
    look = """
addresses = links.addresses(Netlink.open(descriptor), links.find(Netlink.open(descriptor), "out0").index)
print(names(), addresses[0], shared.way_out.is_there())
"""
    shown = in_namespaces(podpy, code + _OPEN + look + _END)
    assert shown == "['lo', 'out0'] 10.0.2.100/24 True"
    assert ways_out(podpy) == []


def test_a_way_out_that_cannot_start_says_why(podpy: Podpy) -> None:
    code = """
from podpy.network.bridge import way_out
way_out.pasta.ADDRESS = "10.0.2.1000"
with SharedNamespace(paths, conf) as shared:
    shared.open()
print(inside.fails(shared.wait))
with shared:
    shared.end()
"""
    said = in_namespaces(podpy, code)
    assert re.match(r"NetworkSetupError: pasta can't connect the container: Invalid (guest )?address", said)
