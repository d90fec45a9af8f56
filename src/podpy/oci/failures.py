"""Messages of crun and runc about a failed start → podpy's errors: 127 not found, 126 can't be run, 125 others.

The messages were collected by trying (crun 1.8, 1.21 and 1.28, runc 1.1 and 1.3): a command that doesn't exist, a
directory, a file without the x bit, a script without an interpreter, another machine's binary.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import CommandNotExecutableError, CommandNotFoundError, RuntimeFailedError

# How crun and runc begin messages about the command, or about an exec's working directory (a container's own was
# checked before). Messages about a mount contain the same reasons, but not these words.
_ABOUT_THE_COMMAND = (
    "executable", "exec:", "exec container process", "execv", "exec /", "is not a regular file", "chdir",
    "cannot find ``",
)  # fmt: skip
# In this order: a directory gives "open executable: operation not permitted" (crun 1.8; later ones "the path `/etc` is
# not a regular file: operation not permitted"), a missing interpreter "exec
# container process (missing dynamic library?) …: no such file or directory".
_NOT_EXECUTABLE = ("permission denied", "operation not permitted", "exec format error", "is a directory")
_NOT_FOUND = ("no such file or directory", "not found in $path")

_ABOUT_KEYS = ("keyring", "session key")  # crun; runc
_KEYS_HINT = (
    "Each running container has a key of yours: as root raise kernel.keys.maxkeys (sysctl), "
    "or set keyring=false below [containers] in containers.conf"
)


def explain_runtime_error(message: str, runtime: str) -> RuntimeFailedError:
    """Return the error for a message of the OCI runtime (`runtime`: crun or runc)."""
    said = _without_frame(" ".join(message.split())) or "it said nothing"
    lower = said.lower()
    text = f"{runtime}: {said}"
    # runc's "error during container init" is about mounts and the like, and may quote command lines. From 1.2 on it
    # also precedes messages about the command.
    _, framed, reason = lower.partition("error during container init: ")
    if any(words in lower for words in _ABOUT_THE_COMMAND) and (not framed or reason.startswith("exec: ")):
        if any(words in lower for words in _NOT_EXECUTABLE):
            return CommandNotExecutableError(f"{text}: OCI permission denied")
        if any(words in lower for words in _NOT_FOUND):
            text += ": OCI runtime attempted to invoke a command that was not found"
            return CommandNotFoundError(text, hint=_hint(said))
    hint = _KEYS_HINT if "quota exceeded" in lower and any(words in lower for words in _ABOUT_KEYS) else ""
    return RuntimeFailedError(f"{text}: OCI runtime error", hint=hint)


def _hint(said: str) -> str:
    """Return a hint if the missing command looks like an option."""
    for quote in ("`", '"'):
        word = said.partition(quote)[2].partition(quote)[0]
        if word.startswith("-"):
            return f"{word} is the command here: podpy's options stand before the image, or the container of an exec"
    return ""


def _without_frame(said: str) -> str:
    """Return runc's message without the fields of its log line: time="…" level=error msg="…"."""
    start = said.find('msg="')
    if not said.startswith("time=") or start < 0:
        return said
    return said[start + 5 :].removesuffix('"').replace('\\"', '"')


def logged_error(path: str) -> str:
    """Return the last error that an OCI runtime wrote into its log, or an empty text.

    The log is a sequence of JSON objects: each on its own line (runc, crun up to 1.21), or over several lines (crun
    1.28), of which only the first begins with a brace.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            written = file.read()
    except FileNotFoundError:
        return ""
    for begun in reversed(f"\n{written}".split("\n{")[1:]):
        try:
            entry = fastjson.loads("{" + begun)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") == "error":
            return str(entry.get("msg", ""))
    return ""
