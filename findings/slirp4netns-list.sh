#!/bin/sh
# slirp4netns(1) shows the answer to each request on its API socket inside "return", list_hostfwd's too. In fact
# add_hostfwd and remove_hostfwd answer that way, and list_hostfwd answers with "entries" outermost. An engine
# that takes a missing "return" for a failure can't list ports; it had better look for "error".
# Runs as any user that may make user namespaces and open /dev/net/tun.
set -eu
temp=$(mktemp -d)
running=
# shellcheck disable=SC2086  # two numbers
trap 'kill $running || true; rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download slirp4netns=1.2.0-1 libslirp0=4.7.0-1
for package in *.deb; do dpkg-deb -x "$package" root; done
mkfifo started ready
unshare --user --map-root-user --net sh -c 'echo >started; exec sleep 60' &
running=$!
read -r _ <started
LD_LIBRARY_PATH=$temp/root/usr/lib/x86_64-linux-gnu root/usr/bin/slirp4netns --configure --api-socket socket \
  --ready-fd 3 "$running" tap0 3>ready >log 2>&1 &
running="$! $running"
read -r _ <ready || true
seen=$(python3 - <<'END'
import json
import socket


def ask(name, **arguments):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect("socket")
        client.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        client.shutdown(socket.SHUT_WR)
        return json.loads(client.makefile().read())


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
added = ask("add_hostfwd", proto="tcp", host_addr="127.0.0.1", host_port=port, guest_port=80)
print("add_hostfwd", *added)
print("list_hostfwd", *ask("list_hostfwd"))
print("remove_hostfwd", *ask("remove_hostfwd", id=added["return"]["id"]))
END
)
expected='add_hostfwd return
list_hostfwd entries
remove_hostfwd return'
echo "version: slirp4netns 1.2.0 (Debian 12); the outermost keys of its answers"
echo "guessed: return in each, as its man page shows"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
