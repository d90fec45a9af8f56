#!/bin/sh
# A layer may hold a file and the whiteout of the same name: the whiteout hides what lower layers have, the file stays
# (OCI image spec, layer.md, "Whiteouts"), whatever their order in the tar. umoci does that; buildah, by its library
# containers/storage, does if the whiteout comes first; if it comes last, its vfs driver removes the layer's own file.
# An engine should write whiteouts before their siblings, and read both orders alike.
# Needs root: buildah unpacks into a store.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 2; }
apt-get -qq -o APT::Sandbox::User=root download buildah=1.28.2+ds1-3+deb12u1+b3 umoci=0.4.7+ds-3+b7 \
  libgpgme11=1.18.0-3+b1 libassuan0=2.5.5-5 libdevmapper1.02.1=2:1.02.185-2
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$temp/root/usr/bin:$PATH" HOME="$temp"
libraries=$temp/root/usr/lib/x86_64-linux-gnu:$temp/root/lib/x86_64-linux-gnu
mkdir -p tree .config/containers
printf '{"default": [{"type": "insecureAcceptAnything"}]}' >policy.json
echo text >tree/file
: >tree/.wh.file
tar -C tree -cf whiteout-first.tar .wh.file file
tar -C tree -cf whiteout-last.tar file .wh.file
umoci init --layout image
store() { LD_LIBRARY_PATH=$libraries buildah --storage-driver vfs --root "$temp/store" --runroot "$temp/run" "$@"; }
seen=$(for name in whiteout-first whiteout-last; do
  umoci new --image "image:$name"
  umoci raw add-layer --image "image:$name" "$name.tar"
  umoci unpack --image "image:$name" "bundle-$name"
  from=$(store from --quiet --signature-policy "$temp/policy.json" "oci:image:$name")
  echo "$name: umoci $(ls "bundle-$name/rootfs"), buildah $(ls "$(store mount "$from")")"
done)
expected="whiteout-first: umoci file, buildah file
whiteout-last: umoci file, buildah "
echo "version: umoci 0.4.7, buildah 1.28.2 with vfs (Debian 12)"
echo "guessed: the file is there, in whatever order, in both"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
