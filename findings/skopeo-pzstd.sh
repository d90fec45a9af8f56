#!/bin/sh
# pzstd, zstd's own parallel compressor, begins its output with a skippable frame (RFC 8878, section 3.1.2). skopeo
# knows zstd by the first four bytes of an ordinary frame only. So a layer packed by pzstd under the media type
# tar+zstd counts as not compressed: "copy --dest-decompress" succeeds and copies it as it is, compressed.
# An engine must know skippable frames, too, or believe the media type. Runs as any user.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
apt-get -qq -o APT::Sandbox::User=root download skopeo=1.9.3+ds1-1+b10 zstd=1.5.4+dfsg2-5 libgpgme11=1.18.0-3+b1 \
  libassuan0=2.5.5-5 libdevmapper1.02.1=2:1.02.185-2
for package in *.deb; do dpkg-deb -x "$package" root; done
export PATH="$temp/root/usr/bin:$PATH"
libraries=$temp/root/usr/lib/x86_64-linux-gnu:$temp/root/lib/x86_64-linux-gnu
printf '{"default": [{"type": "insecureAcceptAnything"}]}' >policy.json
echo text >file
tar -cf layer.tar file
zstd -q layer.tar -o by-zstd
pzstd -q layer.tar -o by-pzstd
[ "$(pzstd -q -d -c by-pzstd | sha256sum)" = "$(sha256sum <layer.tar)" ]

digest() { sha256sum "$1" | cut -d ' ' -f 1; }
blob() { # FILE: puts it into $layout and says its descriptor's digest and size
  cp "$1" "$layout/blobs/sha256/$(digest "$1")"
  printf '"digest": "sha256:%s", "size": %s' "$(digest "$1")" "$(wc -c <"$1")"
}
for tool in zstd pzstd; do
  layout=$tool.oci
  mkdir -p "$layout/blobs/sha256"
  printf '{"imageLayoutVersion": "1.0.0"}' >"$layout/oci-layout"
  printf '{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}' \
    "$(digest layer.tar)" >config
  type=application/vnd.oci.image
  printf '{"schemaVersion": 2, "mediaType": "%s.manifest.v1+json", "config": {"mediaType": "%s.config.v1+json", %s},
    "layers": [{"mediaType": "%s.layer.v1.tar+zstd", %s}]}' $type $type "$(blob config)" $type "$(blob by-$tool)" \
    >manifest
  printf '{"schemaVersion": 2, "manifests": [{"mediaType": "%s.manifest.v1+json", %s}]}' $type "$(blob manifest)" \
    >"$layout/index.json"
  LD_LIBRARY_PATH=$libraries skopeo --policy policy.json copy -q --dest-decompress "oci:$layout" "dir:$tool.dir"
done
answer() { if [ -e "$1.dir/$(digest layer.tar)" ]; then echo "$1: decompressed"; else echo "$1: as it was"; fi; }
seen=$(answer zstd; answer pzstd)
expected='zstd: decompressed
pzstd: as it was'
echo "version: skopeo 1.9.3, zstd and pzstd 1.5.4 (Debian 12)"
echo "guessed: both layers come out decompressed"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
