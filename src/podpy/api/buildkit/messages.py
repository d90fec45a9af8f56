"""The messages of BuildKit's services, with those fields that are used: number → (name, kind), see wire.py."""

from __future__ import annotations

from podpy.api.buildkit.wire import BYTES, DATA_PAIRS, NUMBER, PAIRS, TEXT

EMPTY: dict[int, tuple[str, object]] = {}

# moby.buildkit.v1.Control
TIME = {1: ("seconds", NUMBER), 2: ("nanos", NUMBER)}
_EXPORTER = {1: ("type", TEXT), 2: ("attrs", PAIRS)}
SOLVE = {
    1: ("ref", TEXT), 2: ("definition", BYTES), 3: ("exporter", TEXT), 4: ("exporter_attrs", PAIRS),
    5: ("session", TEXT), 6: ("frontend", TEXT), 7: ("attrs", PAIRS), 13: ("exporters", [_EXPORTER]),
}  # fmt: skip
SOLVED = {1: ("response", PAIRS)}
STATUS = {1: ("ref", TEXT)}
_VERTEX = {
    1: ("digest", TEXT), 2: ("inputs", [TEXT]), 3: ("name", TEXT), 4: ("cached", NUMBER), 5: ("started", TIME),
    6: ("completed", TIME), 7: ("error", TEXT),
}  # fmt: skip
_LOG = {1: ("vertex", TEXT), 2: ("timestamp", TIME), 3: ("stream", NUMBER), 4: ("msg", BYTES)}
_WARNING = {1: ("vertex", TEXT), 2: ("level", NUMBER), 3: ("short", BYTES)}
STATUS_TOLD = {1: ("vertexes", [_VERTEX]), 3: ("logs", [_LOG]), 4: ("warnings", [_WARNING])}
_PLATFORM = {1: ("architecture", TEXT), 2: ("os", TEXT), 3: ("variant", TEXT)}
_VERSION = {1: ("package", TEXT), 2: ("version", TEXT), 3: ("revision", TEXT)}
_WORKER = {1: ("id", TEXT), 2: ("labels", PAIRS), 3: ("platforms", [_PLATFORM]), 5: ("version", _VERSION)}
WORKERS = {1: ("record", [_WORKER])}
INFO = {1: ("version", _VERSION)}
USAGE = {1: ("id", TEXT), 4: ("size", NUMBER), 6: ("created", TIME), 9: ("description", TEXT), 10: ("type", TEXT)}
DISK_USAGE = {1: ("record", [USAGE])}

# moby.buildkit.v1.frontend.LLBBridge
_CAP = {1: ("id", TEXT), 2: ("enabled", NUMBER)}
PONG = {1: ("frontend", [_CAP]), 2: ("llb", [_CAP]), 3: ("workers", [_WORKER])}
BRIDGE_SOLVE = {1: ("definition", BYTES), 2: ("frontend", TEXT), 3: ("attrs", PAIRS)}
_REF = {1: ("id", TEXT)}
_RESULT = {1: ("old", TEXT), 3: ("ref", _REF), 10: ("metadata", DATA_PAIRS)}
BRIDGE_SOLVED = {3: ("result", _RESULT)}
ANY = {1: ("url", TEXT), 2: ("value", BYTES)}
ERROR = {1: ("code", NUMBER), 2: ("message", TEXT), 3: ("details", [ANY])}
RETURN = {1: ("result", _RESULT), 2: ("error", ERROR)}

# Services of the session
STAT = {
    1: ("path", TEXT), 2: ("mode", NUMBER), 3: ("uid", NUMBER), 4: ("gid", NUMBER), 5: ("size", NUMBER),
    6: ("mtime", NUMBER), 7: ("link", TEXT), 8: ("major", NUMBER), 9: ("minor", NUMBER),
}  # fmt: skip
PACKET = {1: ("type", NUMBER), 2: ("stat", STAT), 3: ("id", NUMBER), 4: ("data", BYTES)}
DATA = {1: ("data", BYTES)}
SECRET = {1: ("id", TEXT)}
CREDENTIALS = {1: ("host", TEXT)}
CREDENTIALS_TOLD = {1: ("user", TEXT), 2: ("secret", TEXT)}
AGENT = {1: ("id", TEXT)}
HEALTH = {1: ("status", NUMBER)}
