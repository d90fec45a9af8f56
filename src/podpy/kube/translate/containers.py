"""A container of a pod → ContainerSpec."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.kube.reading.names import check_name
from podpy.kube.translate import annotations as annotated
from podpy.kube.translate import probes, security
from podpy.kube.translate.environment import environment, expand
from podpy.kube.translate.mounts import mounts
from podpy.kube.translate.resources import resources
from podpy.kube.translate.volumes import volumes
from podpy.record import Record
from podpy.spec.container import ContainerSpec
from podpy.spec.text.process import check_workdir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.kube.translate.context import Context
    from podpy.kube.translate.volumes import Volume
    from podpy.yaml.places import Mapping

_RESTARTS = {"": "always", "Always": "always", "OnFailure": "on-failure", "Never": "no"}
_POLICIES = {"Always": "always", "IfNotPresent": "missing", "Never": "never", "Newer": "newer", "": ""}
_LATEST = ":latest"
_INIT_TYPES = ("once", "always")
_NOT_OF_INIT = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


class Member(Record):
    """A container of a pod. `where`: its mapping in the YAML, for errors."""

    spec: ContainerSpec
    where: Mapping
    pull_policy: str  # of podpy: always, missing, never, newer
    is_sidecar: bool = False  # an init container that keeps running; later containers start after it

    @property
    def is_init(self) -> bool:
        """Whether the others start only after its end."""
        return bool(self.spec.init_container)


def members(pod: Mapping, context: Context) -> list[Member]:
    """Return a pod's init containers and containers, in the order of their creation. Raises UsageError."""
    restart = restart_policy(pod, context)
    if not pod.get("containers"):
        raise pod.wrong("containers", "a pod needs a container")
    own = volumes(pod, context)
    found: list[Member] = []
    names: list[str] = []
    for key in ("initContainers", "containers"):
        for container in pod.get(key, []):
            name = _name(container, names, context)
            maker = _Maker(pod, container, context, own, [*names])
            found.append(maker.member(restart, initial=key == "initContainers"))
            names.append(name)
    return _ordered(found)


def restart_policy(pod: Mapping, context: Context) -> str:
    """Return the restart policy of a pod's containers. Without one a Job's end, as others start again.

    Raises UsageError.
    """
    said = pod.get("restartPolicy", "")
    if said not in _RESTARTS:
        raise pod.wrong("restartPolicy", f'"{said}" is none of Always, OnFailure and Never')
    if context.retries is not None and (not said or (said == "OnFailure" and not context.retries)):
        return "no"
    return _RESTARTS[said]


def _name(container: Mapping, names: list[str], context: Context) -> str:
    name: str = container.get("name", "")
    if not name:
        raise container.wrong("name", "a container needs a name")
    check_name(container, name)
    if name in names:
        told = f'the pod "{context.pod_name}" is invalid; duplicate container name "{name}" detected'
        raise container.wrong("name", told)
    return name


def _ordered(found: list[Member]) -> list[Member]:
    """Return the members; each requires the sidecars before it."""
    result: list[Member] = []
    sidecars: list[str] = []
    for member in found:
        requires = list(dict.fromkeys([*member.spec.requires, *sidecars]))
        result.append(member.replace(spec=member.spec.replace(requires=requires)))
        if member.is_sidecar:
            sidecars.append(member.spec.name)
    return result


class _Maker:
    """Combines the fields of one container."""

    def __init__(
        self, pod: Mapping, container: Mapping, context: Context, volumes: dict[str, Volume], before: list[str]
    ) -> None:
        self._pod = pod
        self._container = container
        self._context = context
        self._volumes = volumes
        self._before = before  # names of the containers before it
        self._name: str = container["name"]

    def member(self, restart: str, *, initial: bool) -> Member:
        container = self._container
        sidecar = initial and container.get("restartPolicy", "") == "Always"
        if container.get("restartPolicy") and not sidecar:
            raise container.wrong("restartPolicy", "only an init container may have one, and it must be Always")
        if initial and not sidecar:
            for key in _NOT_OF_INIT:
                if key in container:
                    raise container.wrong(key, "an init container runs to its end, so it may not have one")
            restart = "no"
        return Member(
            spec=ContainerSpec(**self._fields("always" if sidecar else restart, initial and not sidecar)),
            where=container,
            pull_policy=self._pull_policy(),
            is_sidecar=sidecar,
        )

    def _fields(self, restart: str, initial: bool) -> dict[str, Any]:
        container, context = self._container, self._context
        variables, origins = environment(container, context)
        found, devices = mounts(container, self._volumes, variables, context)
        of_annotations = annotated.fields(context.annotations, self._name)
        fields = {
            "image": self._image(),
            "name": self.full_name(self._name),
            "pod": context.pod_id,
            "env": variables,
            "env_origins": origins,
            "tty": container.get("tty", False),
            "stdin_open": container.get("stdin", False),
            "labels": {**context.labels, **annotated.labels(context.annotations, self._name)},
            "annotations": self._annotations(),
            "mounts": found,
            "volume_origins": self._volume_origins(),
            "not_root": security.must_not_be_root(container, self._pod),
            "restart_policy": restart,
            "restart_retries": (self._context.retries or 0) if restart == "on-failure" else 0,
            "restart_backoff": "kubernetes",
            "deadline": context.deadline,
            "limits_if_possible": True,
            "init_container": self._init_type() if initial else "",
            "sdnotify": "ignore",
            "volumes_from": self._volumes_from(),
            "health": probes.health(container, restarts=restart != "no"),
            **self._command(variables),
            **self._logs(),
            **security.security(container, self._pod, context),
            **probes.hooks(container),
            **resources(container),
            **of_annotations,
        }
        labels = annotated.security_label(context.annotations, self._name)
        fields["security_labels"] = [*fields["security_labels"], *labels]
        fields["resources"] = fields["resources"].replace(**annotated.limits(context.annotations, self._name))
        fields["devices"] = [*fields["devices"], *devices]
        if self._pod.get("hostPID"):
            fields["pid"] = "host"
        if "terminationGracePeriodSeconds" in self._pod:
            fields["stop_timeout"] = self._grace()
        return fields

    def full_name(self, name: str) -> str:
        """Return podpy's name of a container of this pod."""
        return name if self._context.options.no_pod_prefix else f"{self._context.pod_name}-{name}"

    def _volume_origins(self) -> dict[str, Any]:
        """Return what the volumes of files that it mounts are in the YAML, by their names here."""
        names = self._context.volumes
        mounted = dict.fromkeys(each["name"] for each in self._container.get("volumeMounts", []))
        return {
            names[name]: self._volumes[name].origin for name in mounted if name in names and self._volumes[name].origin
        }

    def _image(self) -> str:
        image: str = self._container.get("image", "")
        if not image:
            raise self._container.wrong("image", f"container \"{self._name}\" is missing the required 'image' field")
        return image

    def _command(self, variables: dict[str, str]) -> dict[str, Any]:
        """Return the command: `command` replaces the image's entrypoint and arguments, `args` only the arguments."""
        container = self._container
        fields: dict[str, Any] = {}
        if container.get("command"):
            fields["entrypoint"] = [expand(word, variables) for word in container["command"]]
        if container.get("args"):
            fields["command"] = [expand(word, variables) for word in container["args"]]
        if container.get("workingDir"):
            try:
                fields["workdir"] = check_workdir(container["workingDir"])
            except UsageError as error:
                raise container.wrong("workingDir", error.message, hint=error.hint) from None
            fields["create_workdir"] = True  # as clusters' container runtimes do
        return fields

    def _logs(self) -> dict[str, Any]:
        options = self._context.options
        fields = {
            "log_driver": options.log_driver,
            "log_options": options.log_options,
            "log_labels": options.log_labels,
        }
        return {name: value for name, value in fields.items() if value}

    def _annotations(self) -> dict[str, str]:
        sandbox = {annotated.SANDBOX: self._context.infra_id} if self._context.infra_id else {}
        return {**self._context.annotations, **sandbox, annotated.HEALTH_CHECK: "true"}

    def _init_type(self) -> str:
        kind = self._context.annotations.get(annotated.INIT_TYPE, _INIT_TYPES[0])
        if kind not in _INIT_TYPES:
            raise UsageError(f'annotation {annotated.INIT_TYPE}: "{kind}" is neither once nor always')
        return kind

    def _volumes_from(self) -> list[str]:
        found = annotated.volumes_from(self._context.annotations, self._name, self._before)
        return [self.full_name(text) for text in found]

    def _grace(self) -> int:
        seconds: int = self._pod["terminationGracePeriodSeconds"]
        if not 0 <= seconds < 2**31:
            raise self._pod.wrong("terminationGracePeriodSeconds", f"{seconds} is no number of seconds")
        return seconds

    def _pull_policy(self) -> str:
        """Return the pull policy; the default is `newer` for `:latest` of a registry, else `missing`."""
        container = self._container
        said = container.get("imagePullPolicy", "")
        policy = _POLICIES.get(said[:1].upper() + said[1:], _POLICIES.get(said))
        if policy is None:
            raise container.wrong("imagePullPolicy", f'unsupported pull policy "{said}"')
        if policy:
            return policy
        return "newer" if _is_latest(container.get("image", "")) else "missing"


def _is_latest(image: str) -> bool:
    """Return whether a full name (with its registry) has the tag `latest`, or no tag."""
    registry, slash, rest = image.partition("/")
    is_full = bool(slash) and ("." in registry or ":" in registry)  # localhost isn't a registry to ask
    return is_full and "@" not in rest and (":" not in rest or rest.endswith(_LATEST))
