"""`podpy container runlabel`: run the podpy command that an image brings in a label, after asking.

The image decides what runs on the host, so the command is shown and must be confirmed at each call. A label can start
podpy only, and no other program.
"""

from __future__ import annotations

import os
import shlex
import sys

from podpy.cli.engine import open_runtime
from podpy.errors import NotFoundError, NotSupportedError, UsageError
from podpy.libpod.containers.starting.create import PullOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_OURS = ("podpy", "podman", "docker")
_YES = ("y", "yes")


def run(options: Options) -> int:
    """Show the command; with consent, run it and return its exit code."""
    from podpy.cli.commands.images.images import inspect_data
    from podpy.cli.registry_options import access_fields
    from podpy.cli.show.image_progress import make

    pull = PullOptions(policy="missing" if options.pull else "never", **access_fields(options))
    with open_runtime(options) as runtime:
        record = runtime.pull(options.image, pull, progress=make(quiet=options.quiet))
        labels = inspect_data(runtime, record.id)["Labels"] or {}
    text = next((value for key, value in labels.items() if key.lower() == options.label.lower()), "")
    if not text:
        raise NotFoundError(f"cannot find the value of label: {options.label} in image: {options.image}")
    image = record.names[0] if record.names else record.id
    words = _words(f"{text} {shlex.join(options.arguments)}", image, options)
    if options.replace and "run" in words:
        words.insert(words.index("run") + 1, "--replace")
    shown = shlex.join(["podpy", *words])
    if options.display:
        print(f"command: {shown}")
        return 0
    _ask(shown)
    from podpy.cli.main import main

    said = options.globals
    stores = [f"--{name}={getattr(said, name)}" for name in ("root", "runroot") if getattr(said, name)]
    return main([*stores, *words])


def _words(text: str, image: str, options: Options) -> list[str]:
    """Return the command's arguments (without the program's name). Raises UsageError, NotSupportedError."""
    try:
        program, *words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"the label {options.label} can't be read: {error}") from None
    if os.path.basename(program) not in _OURS:
        raise NotSupportedError(
            f"the label {options.label} starts {program!r}: an image's words start no program of the host but podpy",
            hint="Read it with podpy image inspect, and run it yourself",
        )
    bare = options.image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    values = {"NAME": options.name or bare, "IMAGE": image, "PWD": os.getcwd(), "HOME": os.environ.get("HOME", "")}
    values.update({f"OPT{number}": getattr(options, f"opt{number}") for number in (1, 2, 3)})
    return [_filled(word, values) for word in words]


def _filled(word: str, values: dict[str, str]) -> str:
    for name in ("NAME", "IMAGE"):
        if word == name or word.endswith(f"={name}"):
            return word.removesuffix(name) + values[name]
    for name, value in values.items():
        word = word.replace("${" + name + "}", value).replace(f"${name}", value)
    return word


def _ask(shown: str) -> None:
    """Ask whether the command is to be run. Raises UsageError if nobody says yes."""
    print(f"The image wants to run: {shown}", file=sys.stderr)
    if sys.stdin is not None and sys.stdin.isatty():
        print("Run it? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in _YES:
            return
    raise UsageError("not run: an image's command needs your consent", hint="On a terminal, or copy it from above")
