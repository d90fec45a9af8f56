#!/bin/sh
# gzip's header (RFC 1952, section 2.3) may hold an extra field, a name, a comment and a checksum of itself. isal's
# decompressobj(31), which stands in for zlib's, reads each header if it comes in one piece. In two pieces a header
# with a checksum, or with an extra field and a name, is lost: the data behind it is called broken. An engine that
# feeds a layer as the network brings it, or reads members one after the other, meets this by chance.
# Runs as any user.
set -eu
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target lib isal==1.9.1
seen=$(PYTHONPATH=lib python3 - <<'END'
import struct
import zlib

from isal import isal_zlib

EXTRA, NAME, CHECKSUM = 4, 8, 2


def member(flags):
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(5) + b"\xff"
    head += struct.pack("<H2sH4s", 8, b"ab", 4, b"1234") if flags & EXTRA else b""
    head += b"name\0" if flags & NAME else b""
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF) if flags & CHECKSUM else b""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + deflate.compress(b"text") + deflate.flush() + struct.pack("<II", zlib.crc32(b"text"), 4)


def works(module, *pieces):
    reader = module.decompressobj(31)
    try:
        return b"".join(map(reader.decompress, pieces)) == b"text" and reader.eof
    except module.error:
        return False


for flags in (0, NAME, EXTRA, EXTRA | NAME, CHECKSUM):
    data = member(flags)
    for module in (zlib, isal_zlib):
        whole = works(module, data)
        split = all(works(module, data[:at], data[at:]) for at in range(1, len(data)))
        print(f"flags {flags:2} {module.__name__:14} whole {whole} split {split}")
END
)
expected='flags  0 zlib           whole True split True
flags  0 isal.isal_zlib whole True split True
flags  8 zlib           whole True split True
flags  8 isal.isal_zlib whole True split True
flags  4 zlib           whole True split True
flags  4 isal.isal_zlib whole True split True
flags 12 zlib           whole True split True
flags 12 isal.isal_zlib whole True split False
flags  2 zlib           whole True split True
flags  2 isal.isal_zlib whole True split False'
echo "version: isal 1.9.1 (Python 3)"
echo "guessed: the pieces' size makes no difference, as with zlib"
printf 'seen:\n%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed" >&2; exit 1; }
