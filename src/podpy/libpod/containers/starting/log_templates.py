"""`--log-opt tag=` and `label=` that are Go templates over what `inspect` says (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.go.template import TemplateError, render
from podpy.go.view import view
from podpy.libpod.containers.inspect_data import inspect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held


def rendered(container: Held) -> tuple[dict[str, str], dict[str, str]]:
    """Return the log's options and labels with their templates filled in.

    Raises UsageError for a template that is none, and for a label whose value has an equals sign: no conmon takes it.
    """
    data = view(inspect(container))
    spec = container.spec
    try:
        options = {name: render(value, data) if name == "tag" else value for name, value in spec.log_options.items()}
        labels = {name: render(value, data) for name, value in spec.log_labels.items()}
    except TemplateError as error:
        raise UsageError(f"--log-opt: {error.message.removeprefix('--format: ')}", hint=error.hint) from None
    for name, value in labels.items():
        if "=" in value:
            raise UsageError(f'log label {name}: "{value}" has an equals sign')
    return options, labels
