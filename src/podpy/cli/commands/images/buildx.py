"""`podpy buildx ls` and `inspect`: the one builder that there is."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_NAME = "default"
_DRIVER = "podpy"


def ls(_options: Options) -> int:
    """Print the builder, with Docker's columns."""
    from podpy.build.steps.machine import platforms
    from podpy.version import VERSION

    head = ("NAME/NODE", "DRIVER/ENDPOINT", "STATUS", "BUILDKIT", "PLATFORMS")
    node = (f" \\_ {_NAME}", f" \\_ {_NAME}", "running", VERSION, ", ".join(platforms()))
    rows = (head, (f"{_NAME}*", _DRIVER, "", "", ""), node)
    widths = [max(len(row[number]) for row in rows) for number in range(len(head))]
    for row in rows:
        print("   ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def inspect(options: Options) -> int:
    """Print what is known of it. Raises UsageError for another name."""
    from podpy.build.steps.machine import platforms
    from podpy.version import VERSION

    if options.name not in (None, "", _NAME):
        raise UsageError(f'no builder "{options.name}" found', hint=f"There is one: {_NAME}")
    print(f"Name:   {_NAME}\nDriver: {_DRIVER}\n\nNodes:")
    lines = {"Name": _NAME, "Endpoint": _NAME, "Status": "running", "BuildKit version": VERSION}
    for key, text in {**lines, "Platforms": ", ".join(platforms())}.items():
        print(f"{key + ':':<18}{text}")
    return 0
