#!/bin/sh
# A client that resumes a download asks for the bytes from where it stopped. If it had them all, nothing is left:
# Docker's registry answers 416 (RFC 9110, section 15.5.17) and closes, but states the whole blob's Content-Length, and
# no body follows. A client that reads an answer's body before it looks at the status sees a broken connection, not 416,
# and may try the same again and again. An engine has to look at the status first. Runs as any user, on loopback.
set -eu
temp=$(mktemp -d)
registry=
trap 'if [ -n "$registry" ]; then kill "$registry"; fi; rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download docker-registry=2.8.2+ds1-1
dpkg-deb -x ./*.deb root
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '%s\n' 'version: 0.1' 'log: {level: error}' "storage: {filesystem: {rootdirectory: $temp/data}}" \
  "http: {addr: '127.0.0.1:$port'}" >config.yml
root/usr/bin/docker-registry serve config.yml >log 2>&1 &
registry=$!
seen=$(python3 - "$port" <<'END'
import hashlib
import http.client
import socket
import sys
import time

for _ in range(100):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
        break
    except OSError:
        time.sleep(0.1)


def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
    connection.request(method, path, body, headers)
    return connection.getresponse()


digest = "sha256:" + hashlib.sha256(b"0123456789").hexdigest()
place = ask("POST", "/v2/name/blobs/uploads/").getheader("Location")
ask("PUT", f"{place}&digest={digest}", b"0123456789")
for wanted in ("bytes=8-", "bytes=10-"):
    answer = ask("GET", f"/v2/name/blobs/{digest}", Range=wanted)
    try:
        body = repr(answer.read())
    except http.client.IncompleteRead as error:
        body = f"none; {error.expected} bytes more were promised"
    print(f"{wanted} {answer.status} length {answer.getheader('Content-Length')} body {body}")
END
)
expected="bytes=8- 206 length 2 body b'89'
bytes=10- 416 length 10 body none; 10 bytes more were promised"
echo "version: docker-registry 2.8.2 (Debian 12)"
echo "guessed: 416 with an error text whose length is right, or none"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
