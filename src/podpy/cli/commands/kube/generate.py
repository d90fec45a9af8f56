"""`podpy kube generate`: containers, pods and volumes as Kubernetes YAML."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Print the YAML, or write it into a file that isn't there yet."""
    from podpy.kube.generate.generate import generate
    from podpy.kube.generate.source import Options as Wanted

    wanted = Wanted(
        kind=options.type.lower(),
        replicas=options.replicas,
        for_service=options.service,
        podman_only=options.podman_only,
    )
    with open_runtime(options) as runtime:
        text = generate(runtime, options.names, wanted).text()
    if options.filename:
        _write(options.filename, text)
    else:
        print(text)
    return 0


def _write(path: str, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f'cannot write to "{path}"; file exists') from None
    except OSError as error:
        raise UsageError(f'cannot write to "{path}": open {path}: {(error.strerror or "").lower()}') from error
