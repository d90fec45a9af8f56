#!/bin/sh
# A service's command may be one text (Compose specification, command), which is split into words as a shell would do
# it. Docker Compose 2 runs no shell for it; guessed: so `;` and `&&` become words, or the file is refused.
# It drops the rest of the text from the first one of ; & | < > on, without a word about it.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
mkdir -p lists/partial
# Debian 13's packages, from where this machine's Debian 12 has its own.
# shellcheck disable=SC2016  # it is apt-get's
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >sources
apt() { apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$temp/sources" -o Dir::Etc::SourceParts=- \
  -o Dir::State::Lists="$temp/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"; }
apt update && apt download docker-compose=2.26.1-4 libc6
for package in *.deb; do dpkg-deb -x "$package" root; done
libraries=root/usr/lib/x86_64-linux-gnu
program=$(find root/usr -type f -name docker-compose -perm -u+x | head -n 1)
compose() { "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$program" "$@"; }
cat >compose.yaml <<'END'
name: x
services:
  one: {image: x, command: echo a && echo b}
  two: {image: x, command: echo a; echo b}
  three: {image: x, command: 'echo "a ; b" c'}
END
version=$(dpkg-deb -f docker-compose_*.deb Version)
seen=$(compose -f compose.yaml config --format json 2>errors | python3 -c 'import json, sys
services = json.load(sys.stdin)["services"]
print(*(services[name]["command"] for name in ("one", "two", "three")))')
echo "version: docker-compose $version (Debian 13); guessed: all words, or an error"
echo "seen: $seen; errors: $(wc -c <errors) bytes"
[ "$seen" = "['echo', 'a'] ['echo', 'a'] ['echo', 'a ; b', 'c']" ] && [ ! -s errors ] \
  || { echo "this has changed" >&2; exit 1; }
