"""The options of `build` → BuildOptions, with what each RUN's container is like."""

from __future__ import annotations

import os

from podpy.build.options import BuildOptions
from podpy.errors import NotSupportedError, UsageError
from podpy.libpod.images.options import PULL_POLICIES, PullOptions
from podpy.numbers import whole
from podpy.spec.container import ContainerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options

_FORMATS = {"oci": "oci", "docker": "docker", "": "oci"}
_ISOLATIONS = ("", "default", "oci", "rootless")
_LATEST = 1 << 40  # seconds since 1970
_OF_RUNS = (
    "add_host", "cap_add", "cap_drop", "cgroup_parent", "cgroupns", "cpu_period", "cpu_quota", "cpu_shares",
    "cpuset_cpus", "cpuset_mems", "device", "dns", "dns_option", "dns_search", "group_add", "http_proxy", "ipc",
    "memory", "memory_swap", "network", "no_hostname", "no_hosts", "pid", "security_opt", "shm_size", "ulimit", "uts",
    "volume",
)  # fmt: skip


def build_options(options: Options, context: str) -> BuildOptions:
    """Return what the command line asks for. Raises UsageError, NotSupportedError."""
    fields = {
        "context": context,
        "files": list(options.file),
        "ignore_file": options.ignorefile or "",
        "names": list(options.tag),
        "arguments": _arguments(options),
        "target": options.target or "",
        "format": _format(options.format),
        **_cache(options),
        "squash": "all" if options.squash_all else "new" if options.squash or not options.layers else "",
        "skip_unused": bool(options.skip_unused_stages),
        "explain": bool(options.explain),
        "tells_digest": bool(options.metadata_file),
        "contexts": _pairs("--build-context", options.build_context),
        "outputs": list(options.output),
        "jobs": options.jobs,
        "platforms": list(options.platform) if len(options.platform) > 1 else [],
        "all_platforms": bool(options.all_platforms),
        "manifest": options.manifest or "",
        "cpp_flags": list(options.cpp_flag),
        "base": getattr(options, "from") or "",
        "secrets": _secrets(options.secret),
        "agents": _agents(options.ssh),
        **_settings(options),
        **_times(options),
        "pull": _pull(options),
    }
    if (options.isolation or "") not in _ISOLATIONS:
        if options.isolation == "chroot":
            raise NotSupportedError(
                "--isolation=chroot: podpy runs commands in containers alone", hint="Leave the option out, or say oci"
            )
        raise UsageError(f'unrecognized isolation type "{options.isolation}"')
    if options.jobs < 0:
        raise UsageError("invalid value for jobs. It must be a positive integer", hint="0 is any number of stages")
    return BuildOptions(**fields, container=_container(options))


def _cache(options: Options) -> dict[str, Any]:
    from podpy.go.values import nanoseconds

    longest, text = -1, options.cache_ttl or ""
    if text:
        try:
            longest = nanoseconds(text)
        except ValueError as error:
            raise UsageError(f'unable to parse value provided "{text}" as --cache-ttl: {error}') from None
        if longest < 0:
            raise UsageError(f"--cache-ttl={text}: it is a time from now back, such as 24h")
    repositories = {}
    if options.layers:  # without layers there is nothing to keep, as for Podman
        repositories = {"cache_from": list(options.cache_from), "cache_to": list(options.cache_to)}
    return {
        "cache": not options.no_cache and bool(options.layers) and longest != 0,
        "cache_ttl": max(longest, 0),
        **repositories,
    }


def _arguments(options: Options) -> dict[str, str]:
    from podpy.spec.text.environment import environment

    if not options.build_arg and not options.build_arg_file:
        return {}
    return environment(options.build_arg, options.build_arg_file, os.environ)


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    if not texts:
        return {}
    from podpy.spec.text.values import parse_pairs

    return parse_pairs(option, texts)


def _secrets(texts: list[str]) -> dict[str, str]:
    """Return where each secret's content is: "id=x,src=FILE", "id=x,env=NAME", "id=x" (its own name's variable, or
    file).
    """
    found = {}
    for text in texts:
        fields = dict(word.partition("=")[::2] for word in text.split(","))
        identity = fields.get("id", "")
        source = fields.get("src") or fields.get("source") or ""
        name = fields.get("env", "")
        if not identity or (source and name) or not {*fields} <= {"id", "src", "source", "env", "type"}:
            raise UsageError(f"incorrect secret flag format: {text}", hint="It is id=ID,src=FILE or id=ID,env=NAME")
        kind = fields.get("type", "")
        if kind == "env" or (not kind and not source and (name or identity in os.environ)):
            found[identity] = f"env:{name or source or identity}"
        else:
            path = os.path.abspath(source or identity)
            if not os.path.isfile(path):
                raise UsageError(f"could not parse secrets: stat {path}: no such file or directory")
            found[identity] = f"file:{path}"
    return found


def _agents(texts: list[str]) -> dict[str, str]:
    """Return each agent's socket. Raises UsageError."""
    found = {}
    for text in texts:
        identity, _, path = text.partition("=")
        path = path or os.environ.get("SSH_AUTH_SOCK", "")
        if not path:
            raise UsageError("SSH_AUTH_SOCK not set in environment", hint="Start an agent: eval $(ssh-agent)")
        if os.path.isfile(path):
            raise NotSupportedError(f"--ssh {text}: keys are not supported yet", hint="Give an agent's socket")
        if not os.path.exists(path):
            raise UsageError(f"--ssh {text}: stat {path}: no such file or directory")
        found[identity or "default"] = os.path.abspath(path)
    return found


def _settings(options: Options) -> dict[str, Any]:
    """Return what options say about the image itself."""
    given = {"unset": list(options.unsetenv), "annotations": _pairs("--annotation", options.annotation)}
    if options.label:
        from podpy.spec.text.environment import labels

        given["labels"] = labels(options.label, [])
    if options.env:
        from podpy.spec.text.environment import environment

        given["environment"] = environment(options.env, [], os.environ)
    return given


def _format(text: str) -> str:
    if text not in _FORMATS:
        raise UsageError(f'unrecognized image type "{text}"', hint="oci or docker")
    return _FORMATS[text]


def _platform(options: Options) -> str:
    if options.platform and (options.arch or options.os):
        raise UsageError("--platform option can not be specified with --arch or --os", hint="Give --platform alone")
    if options.all_platforms and (options.platform or options.arch or options.os):
        raise UsageError("--all-platforms can not be specified with --platform, --arch or --os", hint="Give one")
    return options.platform[0] if len(options.platform) == 1 else ""


def _times(options: Options) -> dict[str, Any]:
    stamp, epoch = options.timestamp or "", options.source_date_epoch or ""
    if options.given("timestamp") and options.given("source_date_epoch"):
        raise UsageError("--timestamp and --source-date-epoch cannot be set together")
    if stamp:
        return {"created": _seconds("--timestamp", stamp), "rewrite": "all"}
    if not epoch:
        return {}
    rewrite = "later" if options.rewrite_timestamp else ""
    return {"created": _seconds("--source-date-epoch", epoch), "passes_created": True, "rewrite": rewrite}


def _seconds(option: str, text: str) -> int:
    found = whole(text, _LATEST)
    if found is None:
        raise UsageError(f'invalid argument "{text}" for "{option}" flag', hint="It is seconds since 1970")
    return found


def _pull(options: Options) -> PullOptions:
    policy = {"true": "always", "false": "missing", "ifmissing": "missing", "ifnewer": "newer"}.get(
        options.pull.lower(), options.pull.lower()
    )
    policy = "always" if options.pull_always else "never" if options.pull_never else policy
    if policy not in PULL_POLICIES:
        raise UsageError(f'unrecognized pull policy "{options.pull}"', hint=f"One of {', '.join(PULL_POLICIES)}")
    fields: dict[str, Any] = {}
    if options.creds or options.cert_dir or options.given("retry") or options.given("retry_delay"):
        from podpy.cli.registry_options import access_fields

        fields = access_fields(options)
    else:
        fields = {
            "tls_verify": options.tls_verify if options.given("tls_verify") else None,
            "authfile": options.authfile or "",
            "signature_policy": options.signature_policy or "",
        }
    platform = {"platform": _platform(options), "os": options.os, "arch": options.arch, "variant": options.variant}
    return PullOptions(**{**fields, **platform, "policy": policy})


def _container(options: Options) -> ContainerSpec:
    """Return what the containers of commands are like: what `run` would make of the same options."""
    if not any(options.given(name) for name in _OF_RUNS):
        return ContainerSpec()
    from podpy.cli.parser import tables
    from podpy.cli.parser.options import Options as Empty
    from podpy.cli.parser.parse import fill_defaults
    from podpy.cli.parser.table_format import OPTIONS
    from podpy.cli.specgen.build import build_spec

    as_run = Empty()
    as_run.path, as_run.argv, as_run.globals = options.path, options.argv, options.globals
    as_run.__dict__.update({name: getattr(options, name) for name in _OF_RUNS})
    as_run.__dict__.update(image="", command=[], replace=False, _given={*_OF_RUNS} & options._given)
    found = tables.load().resolve("create")
    if found is not None:
        fill_defaults(as_run, found[1][OPTIONS])
    return build_spec(as_run)
