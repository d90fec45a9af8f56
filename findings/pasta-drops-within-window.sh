#!/bin/sh
# RFC 9293 (3.8.6): the window that a receiver offers is what the sender may send; shrinking it is discouraged, and
# what is inside it is kept. To a peer on its own host, pasta offers the window that the peer offers, whatever room is
# left in the sending buffer of pasta's own socket. Where sendmsg(2) takes a part, pasta drops the rest, and all that
# follows it, with one duplicate acknowledgement or none and no SACK: the sender's timer (200 ms and more) finds out.
# With a reader that pauses that happens at each pause; a plain TCP connection's sender waits then.
# Debian 12's of March 2023 isn't affected. It is the more, the larger the peer's receive buffer may become
# (net.ipv4.tcp_rmem) beside pasta's sending buffer (net.ipv4.tcp_wmem).
# Runs as any user that may make user namespaces and open /dev/net/tun; needs ip (iproute2).
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
mkdir -p lists/partial
# Debian 13's packages, from where this machine's Debian 12 has its own; its pasta with its own libc.
# shellcheck disable=SC2016  # it is apt-get's
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources
apt="apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList=$temp/sources -o Dir::Etc::SourceParts=-
  -o Dir::State::Lists=$temp/lists -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache="
# shellcheck disable=SC2086  # several words
{ $apt update; $apt download passt=0.0~git20250503.587980c-2+deb13u1 libc6; }
for package in *.deb; do dpkg-deb -x "$package" root; done
seen=$(unshare --user --map-root-user --net python3 - <<'END'
import ctypes
import os
import socket
import subprocess
import threading
import time

SIZE = 32 << 20
NEWNET = 0x40000000
LIBRARIES = "root/usr/lib/x86_64-linux-gnu"
PASTA = [f"{LIBRARIES}/ld-linux-x86-64.so.2", "--library-path", LIBRARIES, "root/usr/bin/pasta"]
LOOP_BACK = "ip link set lo up; ip address add 192.0.2.2/32 dev lo"


def timeouts():
    """Return how often a retransmission timer has ended in this network namespace (nstat's TcpExtTCPTimeouts)."""
    with open("/proc/thread-self/net/netstat") as file:
        names, values = (line.split() for line in file if line.startswith("TcpExt:"))
    return int(dict(zip(names, values))["TCPTimeouts"])


def read(server):
    peer, _ = server.accept()
    time.sleep(0.5)
    while peer.recv(1 << 20):
        pass


def send(server):
    """Send to a reader that pauses; return how often the sender's timer ended."""
    reader = threading.Thread(target=read, args=[server])
    reader.start()
    before = timeouts()
    with socket.create_connection(server.getsockname()) as sender:
        sender.sendall(bytes(SIZE))
        sender.shutdown(socket.SHUT_WR)
        reader.join()
    return timeouts() - before


subprocess.run(LOOP_BACK, shell=True, check=True)
server = socket.create_server(("192.0.2.2", 0))
print("plain TCP, lost segments:", send(server) > 0)
inner = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 300"], stdout=subprocess.PIPE)
inner.stdout.readline()
netns = f"/proc/{inner.pid}/ns/net"
addresses = "-4 -i lo -I eth0 -M 9a:55:9a:55:9a:55 -a 10.0.2.100 -n 24 -g 10.0.2.2 --no-map-gw"
ports = "-t none -u none -T none -U none"
options = f"--config-net --quiet --runas 0:0 {addresses} {ports} --netns {netns}".split()
subprocess.run([*PASTA, *options], check=True, stderr=subprocess.DEVNULL)
descriptor = os.open(netns, os.O_RDONLY)
if ctypes.CDLL(None, use_errno=True).setns(descriptor, NEWNET):
    raise OSError(ctypes.get_errno(), "setns")
print("through pasta, lost segments:", send(server) > 0)
inner.kill()
END
)
expected='plain TCP, lost segments: False
through pasta, lost segments: True'
echo "version: pasta 0.0~git20250503.587980c-2+deb13u1 (Debian 13)"
echo "guessed: False for both: the window closes, and the sender waits"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
