"""A file's media type by its first 512 bytes: Go's DetectContentType (mimesniff.spec.whatwg.org), because Podman uses
it for artifacts.
"""

from __future__ import annotations

_SPACE = b"\t\n\x0c\r "
_TAGS = (
    b"<!DOCTYPE HTML", b"<HTML", b"<HEAD", b"<SCRIPT", b"<IFRAME", b"<H1", b"<DIV", b"<FONT", b"<TABLE", b"<A",
    b"<STYLE", b"<TITLE", b"<B", b"<BODY", b"<BR", b"<P", b"<!--",
)  # fmt: skip
# Pairs (offset, bytes) that must all match, and the media type then; the first match counts.
_SIGNATURES: tuple[tuple[tuple[tuple[int, bytes], ...], str], ...] = (
    (((0, b"%PDF-"),), "application/pdf"),
    (((0, b"%!PS-Adobe-"),), "application/postscript"),
    (((0, b"\xfe\xff"),), "text/plain; charset=utf-16be"),
    (((0, b"\xff\xfe"),), "text/plain; charset=utf-16le"),
    (((0, b"\xef\xbb\xbf"),), "text/plain; charset=utf-8"),
    (((0, b"\x00\x00\x01\x00"),), "image/x-icon"),
    (((0, b"\x00\x00\x02\x00"),), "image/x-icon"),
    (((0, b"BM"),), "image/bmp"),
    (((0, b"GIF87a"),), "image/gif"),
    (((0, b"GIF89a"),), "image/gif"),
    (((0, b"RIFF"), (8, b"WEBPVP")), "image/webp"),
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png"),
    (((0, b"\xff\xd8\xff"),), "image/jpeg"),
    (((0, b"FORM"), (8, b"AIFF")), "audio/aiff"),
    (((0, b"ID3"),), "audio/mpeg"),
    (((0, b"OggS\x00"),), "application/ogg"),
    (((0, b"MThd\x00\x00\x00\x06"),), "audio/midi"),
    (((0, b"RIFF"), (8, b"AVI ")), "video/avi"),
    (((0, b"RIFF"), (8, b"WAVE")), "audio/wave"),
    (((0, b"\x1a\x45\xdf\xa3"),), "video/webm"),
    (((34, b"LP"),), "application/vnd.ms-fontobject"),
    (((0, b"\x00\x01\x00\x00"),), "font/ttf"),
    (((0, b"OTTO"),), "font/otf"),
    (((0, b"ttcf"),), "font/collection"),
    (((0, b"wOFF"),), "font/woff"),
    (((0, b"wOF2"),), "font/woff2"),
    (((0, b"\x1f\x8b\x08"),), "application/x-gzip"),
    (((0, b"PK\x03\x04"),), "application/zip"),
    (((0, b"Rar!\x1a\x07\x00"),), "application/x-rar-compressed"),
    (((0, b"Rar!\x1a\x07\x01\x00"),), "application/x-rar-compressed"),
    (((0, b"\x00asm"),), "application/wasm"),
)
_BINARY = bytes([*range(9), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)])


def media_type(head: bytes) -> str:
    """Return the media type of a file that begins with these bytes; for a text with its charset."""
    stripped = head.lstrip(_SPACE)
    upper = stripped.upper()
    if any(upper.startswith(tag) and upper[len(tag) : len(tag) + 1] in (b" ", b">") for tag in _TAGS):
        return "text/html; charset=utf-8"
    if stripped.startswith(b"<?xml"):
        return "text/xml; charset=utf-8"
    for parts, kind in _SIGNATURES:
        if all(head[at : at + len(wanted)] == wanted for at, wanted in parts):
            return kind
    if _is_mp4(head):
        return "video/mp4"
    is_binary = len(head.translate(None, _BINARY)) < len(head)
    return "application/octet-stream" if is_binary else "text/plain; charset=utf-8"


def by_name_or_content(name: str, head: bytes) -> str:
    """Return a media type without parameters: by the name's ending, else by the content."""
    import mimetypes

    kind = mimetypes.guess_type(name, strict=False)[0] if "." in name else None
    return kind or media_type(head).partition(";")[0]


def _is_mp4(head: bytes) -> bool:
    size = int.from_bytes(head[:4], "big")
    if len(head) < max(12, size) or size % 4 or head[4:8] != b"ftyp":
        return False
    return any(head[at : at + 3] == b"mp4" for at in range(8, size, 4) if at != 12)
