"""`podpy secret`: create, ls, inspect, rm, exists."""

from __future__ import annotations

import os
import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain, print_line
from podpy.errors import NoSuchSecretError, PodpyError, UsageError
from podpy.libpod.secrets import SIZE_LIMIT, keep_memory_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.secrets import Secret

_NO_SUCH = 1
_COLUMNS = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.CreatedAt}}\t{{.UpdatedAt}}"
_PRETTY = """ID:              {{.ID}}
Name:              {{.Spec.Name}}
{{- if .Spec.Labels }}
Labels:
{{- range $k, $v := .Spec.Labels }}
 - {{ $k }}{{if $v }}={{ $v }}{{ end }}
{{- end }}{{ end }}
Driver:            {{.Spec.Driver.Name}}
Created at:        {{.CreatedAt}}
Updated at:        {{.UpdatedAt}}"""


def create(options: Options) -> int:
    """`podpy secret create`: prints the id."""
    from podpy.spec.text.environment import labels
    from podpy.spec.text.values import parse_pairs

    if options.ignore and options.replace:
        raise UsageError("cannot use --ignore and --replace flags together")
    with open_runtime(options) as runtime:
        keep_memory_private()
        data = _data(options)
        made = runtime.secrets.create(
            options.name,
            data,
            driver=options.driver,
            options=parse_pairs("--driver-opts", options.driver_opts),
            labels=labels(options.label, []),
            replace=options.replace,
            ignore=options.ignore,
        )
    print(made.id)
    return 0


def _data(options: Options) -> bytes:
    """Return the secret's data, cut one byte after the limit: libpod then refuses it. Raises UsageError."""
    if options.env:
        value = os.environ.get(options.source, "")
        if not value:
            raise UsageError(
                f"cannot create store secret data: environment variable {options.source} is not set",
                hint="With --env the second argument is the variable's name",
            )
        return os.fsencode(value)
    if options.source in ("-", "/dev/stdin"):
        return sys.stdin.buffer.read(SIZE_LIMIT + 1)
    try:
        with open(options.source, "rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"open {options.source}: {(error.strerror or '').lower()}") from error


def ls(options: Options) -> int:
    """`podpy secret ls`."""
    from podpy.cli.show import report

    with open_runtime(options) as runtime:
        found = runtime.secrets.list(options.filter)
    if options.quiet and not options.given("format"):
        sys.stdout.writelines(f"{secret.id}\n" for secret in found)
        return 0
    rows = [_row(secret) for secret in found]
    heading = None if options.noheading else report.headers(_row(None), CreatedAt="CREATED", UpdatedAt="UPDATED")
    sys.stdout.write(report.listed(options.format, rows, heading, default=_COLUMNS, indent="    "))
    return 0


def _row(secret: Secret | None) -> Struct:
    from time import time_ns

    from podpy.go.template.values import Struct
    from podpy.go.units import ago

    if secret is None:
        return Struct(dict.fromkeys(("ID", "Name", "Driver", "CreatedAt", "UpdatedAt"), ""))
    now = time_ns()
    return Struct(
        {
            "ID": secret.id,
            "Name": secret.name,
            "Driver": secret.driver,
            "CreatedAt": ago(secret.created, now),
            "UpdatedAt": ago(secret.updated, now),
        }
    )


def inspect(options: Options) -> int:
    """`podpy secret inspect`: prints the secrets that it finds, then an error for each name that it doesn't find."""
    from podpy.cli.show import report

    found: list[Struct] = []
    missing: list[NoSuchSecretError] = []
    with open_runtime(options) as runtime:
        if options.showsecret:
            keep_memory_private()
        for name in options.secrets:
            try:
                secret = runtime.secrets.get(name)
                data = runtime.secrets.data(secret.id) if options.showsecret else b""
            except NoSuchSecretError as error:
                missing.append(error)
            else:
                found.append(_described(secret, data))
    template = _PRETTY if options.given("pretty") else options.format
    if template and not report.is_json(template):
        sys.stdout.write(report.render_each(template, found))
    else:
        from podpy.go.json import indented

        print(indented(found, "    "))
    for another in missing[1:]:
        print_line(f"error inspecting secret: {another.message}")
    if missing:
        raise NoSuchSecretError(f"inspecting secret: {missing[0].message}", hint=missing[0].hint)
    return 0


def _described(secret: Secret, data: bytes) -> Struct:
    """Return Podman's SecretInfoReport."""
    from podpy.go.template.values import Map, Struct
    from podpy.go.time import GoTime
    from podpy.go.view import Shown

    driver = Struct({"Name": secret.driver, "Options": Map(secret.options)})
    plain = {
        "ID": secret.id,
        "CreatedAt": GoTime(secret.created),
        "UpdatedAt": GoTime(secret.updated),
        "Spec": Struct({"Name": secret.name, "Driver": driver, "Labels": Map(secret.labels)}),
    }
    whole = {**plain, "SecretData": data.decode(errors="replace")}
    return Shown(whole, Struct(whole if data else plain))


def rm(options: Options) -> int:
    """`podpy secret rm`: prints the ids of the secrets that it removed."""
    if bool(options.secrets) == bool(options.all):
        raise UsageError("`podpy secret rm` requires one argument, or the --all flag")
    code = 0
    with open_runtime(options) as runtime:
        for name in [secret.id for secret in runtime.secrets.list()] if options.all else options.secrets:
            try:
                print(runtime.secrets.remove(name).id)
            except PodpyError as error:
                if isinstance(error, NoSuchSecretError) and (options.ignore or options.all):
                    continue
                complain(error)
                code = error.exit_code
    return code


def exists(options: Options) -> int:
    """`podpy secret exists`: 0 or 1."""
    with open_runtime(options) as runtime:
        return 0 if runtime.secrets.exists(options.secret) else _NO_SUCH
