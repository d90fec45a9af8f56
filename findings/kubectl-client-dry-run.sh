#!/bin/sh
# "kubectl create --dry-run=client" promises not to send the object, --validate=false not to fetch a schema. It still
# asks an API server which kinds there are, also for a plain v1 Pod: without a server nothing is printed. Only commands
# with --local work alone; they decode what they know, so a field of the wrong type is an error there.
# A program that writes manifests needs a server, or --local, to have kubectl look at them. Runs as any user.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download "kubernetes-client=1.20.5+really1.20.2-1.1+deb12u1"
dpkg-deb -x kubernetes-client*.deb root
export PATH="$temp/root/usr/bin:$PATH" HOME="$temp"
pod() { # VALUE: a Pod with a variable that has this value
  printf '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "a",
    "image": "a", "env": [{"name": "N", "value": %s}]}]}}' "$1"
}
answer() { # COMMAND…: runs kubectl, says its exit code and whether it asked for a server
  if kubectl "$@" >out 2>&1; then code=0; else code=$?; fi
  if grep -q 'connection .*refused' out; then echo "$code, no server"; else echo "$code"; fi
}
server=--server=http://127.0.0.1:1
seen=$(
  echo "create --dry-run=client: $(pod '"1"' | answer $server create --dry-run=client --validate=false -f -)"
  echo "label --local: $(pod '"1"' | answer $server label --local -o yaml -f - a=b)"
  echo "set image --local: $(pod '"1"' | answer $server set image --local -o yaml -f - a=b)"
  echo "set image --local, a number as text: $(pod 1 | answer $server set image --local -o yaml -f - a=b)"
)
expected='create --dry-run=client: 1, no server
label --local: 0
set image --local: 0
set image --local, a number as text: 1'
echo "version: kubectl 1.20.2 (Debian 12)"
echo "guessed: create --dry-run=client --validate=false needs no server"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
