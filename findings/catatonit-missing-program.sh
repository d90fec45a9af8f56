#!/bin/sh
# catatonit is to Podman's --init what tini is to Docker's (its --version even says "tini"), but a program that isn't
# there gives 1, an exit code that the program itself could have had. tini, shells and engines give 127. An engine
# must look for the command itself, before it puts catatonit in front, if 127 is to mean the same with --init.
# Runs as any user.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download catatonit=0.1.7-1+b2 tini=0.19.0-1+b3
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$temp/root/usr/bin:$PATH" TINI_SUBREAPER=1
code() { # COMMAND…: runs it, says its exit code
  "$@" >/dev/null 2>&1 && echo 0 || echo $?
}
seen=$(for init in tini catatonit; do
  echo "$init: exit 5 gives $(code $init -- sh -c 'exit 5'), missing $(code $init -- /no/such/program)," \
    "not executable $(code $init -- "$temp")"
done)
expected="tini: exit 5 gives 5, missing 127, not executable 126
catatonit: exit 5 gives 5, missing 1, not executable 1"
echo "version: catatonit 0.1.7, tini 0.19.0 (Debian 12)"
echo "guessed: 127 for a missing program and 126 for one that can't be executed, from both"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
