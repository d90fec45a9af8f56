#!/bin/sh
# "git archive" begins its tar files with a PAX global header (POSIX.1-2017, pax, type g) that holds the commit. Such a
# file is a valid layer; GNU tar, Python and buildah read over the header. umoci refuses the whole layer. An engine that
# makes a layer of somebody's archive should write it anew, and has to skip this header itself: it isn't a file.
# Runs as any user.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download umoci=0.4.7+ds-3+b7
dpkg-deb -x ./*.deb root
export PATH="$temp/root/usr/bin:$PATH" HOME="$temp"
umoci init --layout image
umoci new --image image:with
umoci new --image image:without
mkdir tree
echo text >tree/file
tar -C tree -cf without.tar file
tar -C tree --format=posix --pax-option=globexthdr.name=pax_global_header,comment=0123456789abcdef -cf with.tar file
[ "$(tar -tf with.tar)" = file ]
seen=$(for name in without with; do
  umoci raw add-layer --image "image:$name" "$name.tar"
  if umoci unpack --rootless --image "image:$name" "bundle-$name" 2>log; then
    echo "$name: $(cat "bundle-$name/rootfs/file")"
  else
    echo "$name: $(grep -o 'unknown typeflag.*' log)"
  fi
done)
expected="without: text
with: unknown typeflag '\\x67'"
echo "version: umoci 0.4.7 (Debian 12)"
echo "guessed: the header is skipped, as by tar"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
