"""`podpy inspect` and `podpy container inspect`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import NotFoundError, NotSupportedError, PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.libpod.runtime import Runtime

# Docker's and Podman's older names for fields; scripts use them.
_OLD_NAMES = ((".Src", ".Source"), (".Dst", ".Destination"), (".ImageID", ".Image"))


def run(options: Options) -> int:
    """Print everything about containers, images, volumes, networks or pods."""
    return _inspect(options, options.type)


def run_container(options: Options) -> int:
    """Print everything about containers."""
    return _inspect(options, "container")


def _inspect(options: Options, kind: str) -> int:
    if kind not in ("all", "container", "image", "volume", "network", "pod"):
        raise NotSupportedError(f"inspect --type {kind}: {kind}s come with a later version of podpy")
    if kind in ("image", "volume", "network", "pod") and (options.latest or options.size):
        raise UsageError(f"--{'latest' if options.latest else 'size'} is not supported for type {kind}")
    found: list[Any] = []
    errors: list[PodpyError] = []
    with open_runtime(options) as runtime:
        for name in [runtime.latest().id] if options.latest else options.names:
            try:
                found.append(_find(runtime, name, kind, options))
            except NotFoundError as error:
                errors.append(error)
    sys.stdout.write(_text(found, options.format, kind))
    for another in errors[1:]:
        complain(another)
    if errors:
        raise errors[0]
    return 0


def _find(runtime: Runtime, name: str, kind: str, options: Options) -> Any:
    """Return an object's data as a template sees it. Raises NotFoundError."""
    from podpy.go.view import image_view, network_view, pod_view, volume_view

    found, data = runtime.inspect(name, kind, size=options.size)
    views = {
        "container": _container_view,
        "image": image_view,
        "volume": volume_view,
        "network": network_view,
        "pod": pod_view,
    }
    return views[found](data)


def _container_view(data: dict[str, Any]) -> Any:
    """Return the data as a template sees it: Go's field is called ID, JSON's Id."""
    from podpy.go.template.values import Struct
    from podpy.go.view import view

    plain: Struct = view(data, "Container")

    class Shown(Struct):
        """The fields by their Go names; as JSON by their JSON names."""

        __slots__ = ()

        def json_form(self) -> Struct:
            return plain

    return Shown({("ID" if name == "Id" else name): value for name, value in plain.items()})


def _text(found: list[Any], format_text: str, kind: str) -> str:
    from podpy.cli.show import report

    if not format_text or report.is_json(format_text):
        from podpy.go.json import indented

        return indented(found) + "\n"
    if kind != "image":
        for old, new in _OLD_NAMES:
            format_text = format_text.replace(old, new)
        format_text = format_text.replace("{{.Id}}", "{{.ID}}").replace("{{ .Id }}", "{{ .ID }}")
    return report.render_each(format_text, found)
