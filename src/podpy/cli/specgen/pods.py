"""The options of `pod create` → one PodSpec, and those of `run --pod new:NAME` → a pod's part and a container's."""

from __future__ import annotations

from podpy.cli.parser import tables
from podpy.cli.parser.parse import fill_defaults
from podpy.cli.parser.table_format import OPTIONS
from podpy.cli.specgen.build import build_spec
from podpy.errors import UsageError
from podpy.spec.container import AS_CONFIGURED, ContainerSpec
from podpy.spec.pod import SHARED, PodSpec
from podpy.spec.text.process import parse_entrypoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.record import Record

_OF_THE_POD = (
    "name", "hostname", "labels", "create_command", "cidfile", "conmon_pidfile", "shm_size", "restart_policy",
    "restart_retries", "cgroup_parent", "resources",
)  # fmt: skip
_OF_THE_NETWORK = (
    "network", "networks", "ports", "publish_all", "dns", "dns_search", "dns_options", "add_hosts", "no_hosts",
    "hosts_file", "no_hostname",
)  # fmt: skip


def build_pod_spec(options: Options) -> PodSpec:
    """Return what `pod create` asks for. Raises UsageError, NotSupportedError."""
    if options.name and options.pod_name:
        raise UsageError(f"cannot specify --name {options.name} and the name {options.pod_name} as an argument")
    name = options.name or options.pod_name or ""
    if options.replace and not name:
        raise UsageError("cannot replace pod without --name being set")
    asked = _as_container(options)
    return PodSpec(
        name=name,
        hostname=asked.hostname,
        labels=asked.labels,
        create_command=asked.create_command,
        pod_id_file=asked.cidfile,
        share=_share(options),
        share_parent=options.share_parent,
        shm_size=asked.shm_size,
        infra=options.infra,
        infra_name=options.infra_name or "",
        infra_image=options.infra_image or "",
        infra_command=parse_entrypoint(options.infra_command) if options.infra_command else [],
        infra_conmon_pidfile=asked.conmon_pidfile,
        exit_policy=options.exit_policy if options.given("exit_policy") else AS_CONFIGURED,
        restart_policy=asked.restart_policy,
        restart_retries=asked.restart_retries,
        cgroup_parent=asked.cgroup_parent,
        resources=asked.resources,
        container=asked.replace(**_taken_out()),
    )


def changed_pod_spec(spec: PodSpec, options: Options) -> PodSpec:
    """Return the spec of a pod's copy: what `pod clone` was given, over the original's. Raises UsageError."""
    unsaid = build_pod_spec(_with_defaults(_like(options)))
    asked = build_pod_spec(_with_defaults(options))
    changes = {"name": "", "infra_name": "", "pod_id_file": "", **_differences(asked, unsaid)}
    container = spec.container.replace(**_differences(asked.container, unsaid.container))
    return spec.replace(**{**changes, "container": container, "create_command": asked.create_command})


def _like(options: Options) -> Options:
    """Return the options of the same call as if none had been given."""
    from podpy.cli.parser.options import Options as Empty

    made = Empty()
    made.path, made.argv, made.globals, made.pod_name = options.path, options.argv, options.globals, ""
    return made


def _with_defaults(options: Options) -> Options:
    """Give each option of `pod create` that wasn't given its default."""
    found = tables.load().resolve("pod create")
    if found is not None:
        fill_defaults(options, found[1][OPTIONS])
    return options


def _differences(asked: Record, unsaid: Record) -> dict[str, Any]:
    return {name: value for name, value in vars(asked).items() if value != getattr(unsaid, name)}


def _taken_out() -> dict[str, Any]:
    """Return what is the pod's and not its infra container's: these fields as nobody has set them."""
    empty = ContainerSpec()
    return {name: getattr(empty, name) for name in _OF_THE_POD}


def _as_container(options: Options) -> ContainerSpec:
    """Return what the options ask for in the words of `create`; those that a pod hasn't got have their defaults."""
    values = options.__dict__
    values.update(
        cidfile=options.pod_id_file, conmon_pidfile=options.infra_conmon_pidfile, pod_id_file="", replace=False
    )
    found = tables.load().resolve("create")
    if found is not None:
        fill_defaults(options, found[1][OPTIONS])
    values.update(image="", command=[])
    return build_spec(options)


def _share(options: Options) -> list[str]:
    """Return the shared namespaces. Raises UsageError for some without an infra container."""
    if not options.given("share"):
        return [*SHARED]
    text = options.share or "none"
    added = text.startswith("+")
    words = [word.strip() for word in text.removeprefix("+").split(",")]
    if "none" in words:
        words = []
    if words and not options.infra:
        raise UsageError(f"cannot set share({text}) namespaces without an infra container")
    return [*dict.fromkeys([*words, *SHARED] if added else words)]


def new_pod(spec: ContainerSpec, name: str) -> tuple[PodSpec, ContainerSpec]:
    """Return the pod that `run --pod new:NAME` makes, and the container's spec without what is the pod's then."""
    empty = ContainerSpec()
    own: dict[str, Any] = {field: getattr(spec, field) for field in _OF_THE_NETWORK}
    pod = PodSpec(name=name, container=ContainerSpec(**own), create_command=spec.create_command)
    return pod, spec.replace(**{field: getattr(empty, field) for field in _OF_THE_NETWORK})
