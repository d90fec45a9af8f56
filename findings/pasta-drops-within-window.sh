#!/bin/sh
# The window that a TCP receiver offers is what it will take (RFC 9293, 3.8.6). To a peer on its own host pasta offers
# the peer's window, whatever room its own socket's buffer has. Where sendmsg(2) takes a part, pasta drops the rest and
# what follows, with one duplicate acknowledgement or none, and no SACK: only the sender's timer finds out (0.2 s and
# more each time). A reader that pauses once shows it; the sender of a plain TCP connection waits then.
# Runs as any user that may make user namespaces and open /dev/net/tun; needs ip (iproute2).
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
mkdir -p lists/partial
# Debian 13's packages, from where this machine's Debian 12 has its own; its pasta runs with its own libc.
# shellcheck disable=SC2016  # it is apt-get's
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources
apt() { apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$temp/sources" -o Dir::Etc::SourceParts=- \
  -o Dir::State::Lists="$temp/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"; }
apt update && apt download passt=0.0~git20250503.587980c-2+deb13u1 libc6
for package in *.deb; do dpkg-deb -x "$package" root; done
seen=$(unshare --user --map-root-user --net python3 - <<'END'
import ctypes, os, socket, subprocess, threading, time

LIBRARIES = "root/usr/lib/x86_64-linux-gnu"
PASTA = f"""{LIBRARIES}/ld-linux-x86-64.so.2 --library-path {LIBRARIES} root/usr/bin/pasta --config-net --quiet
  --runas 0:0 -4 -i lo -I eth0 -M 9a:55:9a:55:9a:55 -a 10.0.2.100 -n 24 -g 10.0.2.2 --no-map-gw
  -t none -u none -T none -U none --netns"""

def timeouts():  # nstat's TcpExtTCPTimeouts
    with open("/proc/thread-self/net/netstat") as file:
        names, values = (line.split() for line in file if line.startswith("TcpExt:"))
    return int(dict(zip(names, values))["TCPTimeouts"])

def read(peer):
    time.sleep(0.5)
    while peer.recv(1 << 20):
        pass

def send(server):
    before = timeouts()
    with socket.create_connection(server.getsockname()) as sender:
        threading.Thread(target=read, args=[server.accept()[0]]).start()
        sender.sendall(bytes(32 << 20))
        sender.shutdown(socket.SHUT_WR)
        sender.recv(1)
    return timeouts() - before

subprocess.run("ip link set lo up; ip address add 192.0.2.2/32 dev lo", shell=True, check=True)
server = socket.create_server(("192.0.2.2", 0))
print("plain TCP: timer ended", send(server) > 0, end=", ")
inner = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 300"], stdout=subprocess.PIPE)
inner.stdout.readline()
netns = f"/proc/{inner.pid}/ns/net"
subprocess.run([*PASTA.split(), netns], check=True, stderr=subprocess.DEVNULL)
assert ctypes.CDLL(None).setns(os.open(netns, os.O_RDONLY), 0x40000000) == 0
print("pasta:", send(server) > 0)
inner.kill()
END
)
echo "version: pasta 0.0~git20250503.587980c-2+deb13u1 (Debian 13); guessed: False for both; seen: $seen"
[ "$seen" = "plain TCP: timer ended False, pasta: True" ] || { echo "this has changed" >&2; exit 1; }
