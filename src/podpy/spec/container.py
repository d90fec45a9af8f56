"""ContainerSpec: the one typed description between the command line (or a library's caller) and the OCI runtime spec.

A caller sets the fields that it wants. `libpod.containers.starting.create` completes the spec: containers.conf fills
fields that are AS_CONFIGURED (`spec.defaults`), then the image's configuration is merged in. The database keeps it
as JSON, and `oci.document.build` turns it into `config.json` at every start. Sizes are bytes, times are seconds unless
the name says otherwise, ids are inside the container unless the name says otherwise.
"""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.spec.health import Health

AS_CONFIGURED: Any = None
"""Marks a field that the caller leaves to containers.conf. `create` replaces every mark, so the fields' types don't
name it.
"""

OCI_VERSION = "1.0.2"  # the version of the OCI runtime spec that config.json follows
FILTER_ANNOTATION = "run.oci.seccomp_bpf_data"  # crun(1); podpy uses it in `podpy.oci.compiled`
KEEP_GROUPS = "keep-groups"
"""As the only item of `groups`: the container keeps the caller's groups."""
NOTIFY_DIRECTORY = "/run/notify"  # in the container, as Podman has it: its socket for sd_notify(3)
UNIT_VARIABLE = "PODMAN_SYSTEMD_UNIT"  # in podpy's environment: the unit that a container belongs to (Podman's name)

JOINABLE = ("network", "pid", "ipc", "uts", "cgroupns", "userns")
"""Fields that may be `container:ID`, to join that container's namespace."""


class Mount(Record):
    """One entry of `-v`, `--mount`, `--tmpfs`, an image's VOLUME, or podpy's own."""

    type: str  # bind, tmpfs, volume, devpts, ramfs, image, artifact as in --mount
    target: str
    source: str = ""  # host path, or the name of a volume, image or artifact; empty: an anonymous volume or none
    options: list[str] = []  # as `mount -o` and Podman: ro, rw, z, Z, U, O, rbind, rprivate, noexec, size=, mode= …
    subpath: str = ""
    from_image: bool = False  # an anonymous volume that the image asked for


PROPAGATIONS = frozenset("private rprivate slave rslave shared rshared unbindable runbindable".split())
"""Options that set a mount's propagation (mount_namespaces(7)); a mount has at most one of them."""

NO_CREATE = "nocreate"
"""The option of a volume that must exist already."""
_VOLUME_OPTION = "volume-opt="


def volume_options(mount: Mount) -> dict[str, str]:
    """Return the driver's options with which the volume is made if it isn't there (`volume-opt=KEY=VALUE`)."""
    pairs = (o.removeprefix(_VOLUME_OPTION).partition("=") for o in mount.options if o.startswith(_VOLUME_OPTION))
    return {key: value for key, _, value in pairs}


def option_value(mount: Mount, name: str) -> str:
    """Return the value of an option NAME=VALUE, or an empty text."""
    return next((o.partition("=")[2] for o in mount.options if o.startswith(f"{name}=")), "")


class PortMapping(Record):
    """One published port, or a range of `count` of them."""

    container_port: int
    host_port: int = 0  # 0: an ephemeral one, chosen at start
    host_ip: str = ""
    protocol: str = "tcp"
    count: int = 1


class Attachment(Record):
    """A network that a container is on, and how: `--network NAME:ip=…,alias=…`."""

    network: str  # its name; "" is the default network, until the container is made
    ips: list[str] = []  # fixed addresses, at most one for each of the network's subnets
    mac: str = ""
    aliases: list[str] = []  # the user's
    interface: str = ""  # in the container; "": the first ethN that is free
    host_interface: str = ""  # the host's end of the veth pair
    options: dict[str, str] = {}  # for the network's driver


class IdMapping(Record):
    """A line of a user namespace's map: `size` ids from `container` inside are `host` in podpy's own namespace."""

    container: int
    host: int
    size: int


class Device(Record):
    """`--device host[:container[:rwm]]`."""

    host: str
    container: str
    permissions: str = "rwm"


class Ulimit(Record):
    """`--ulimit name=soft:hard`; -1 is unlimited."""

    name: str
    soft: int
    hard: int


class SecretUse(Record):
    """`--secret`: a secret as a file (`target`: its path) or in the environment (`target`: the variable)."""

    name: str
    target: str = ""  # "": its name, below /run/secrets
    id: str = ""  # the secret's id when the container was made; each start looks up the name
    type: str = "mount"  # or env
    uid: int = 0
    gid: int = 0
    mode: int = 0o444


class Resources(Record):
    """cgroup v2 limits; None where nothing was asked for."""

    memory: int | None = None
    memory_swap: int | None = None  # memory + swap, as in Podman; -1 unlimited
    memory_reservation: int | None = None
    cpu_shares: int | None = None
    cpu_quota: int | None = None  # microseconds
    cpu_period: int | None = None  # microseconds
    cpus: float | None = None
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    pids_limit: int | None = None  # 0 or -1: unlimited; None: Podman's default where the cgroup allows a limit
    blkio_weight: int | None = None
    blkio_weight_device: list[str] = []  # "/dev/sda:100"; the same form for the rates
    device_read_bps: list[str] = []
    device_write_bps: list[str] = []
    device_read_iops: list[str] = []
    device_write_iops: list[str] = []
    cgroup_conf: dict[str, str] = AS_CONFIGURED
    devices: list[dict[str, Any]] = []  # --device-cgroup-rule, in the OCI runtime spec's form (root only)


_SYSTEMD_COMMANDS = frozenset(["/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"])


class ContainerSpec(Record):
    """Everything that was asked of a container."""

    version: int = 1  # of this format; specs written before versions existed have none

    # What runs
    image: str = ""  # as the user typed it
    rootfs: str = ""  # --rootfs: a directory instead of an image
    rootfs_overlay: bool = False
    command: list[str] = []  # after merging: entrypoint + arguments
    entrypoint: list[str] | None = None  # as given; None: the image's, until it is merged
    env: dict[str, str] = {}
    env_origins: dict[str, Any] = {}  # of a Kubernetes file: by name {valueFrom: …}, or {envFrom: …, place: N}
    env_host: bool = AS_CONFIGURED  # the caller's variables too, below `env`
    unset_env: list[str] = []  # --unsetenv: also of variables that podpy sets
    unset_env_all: bool = False
    env_merge: dict[str, str] = {}  # --env-merge: values with ${NAME} of the image's variables
    workdir: str = ""
    create_workdir: bool = False
    user: str = ""
    not_root: bool = False  # refuse to start as root (Kubernetes' runAsNonRoot)
    groups: list[str] = []  # --group-add; "keep-groups" alone keeps the caller's
    hostname: str = ""
    umask: str = AS_CONFIGURED
    timezone: str = AS_CONFIGURED
    tty: bool = False
    stdin_open: bool = False
    init: bool = AS_CONFIGURED
    init_path: str = AS_CONFIGURED
    stop_signal: int = 0  # 0: the image's, else SIGTERM; never 0 after merging
    stop_timeout: int = AS_CONFIGURED
    systemd_unit: str = ""  # the unit whose process created it (UNIT_VARIABLE); no label says that
    sdnotify: str = "container"  # who says READY=1 to systemd: container, conmon, healthy, ignore (nobody)
    timeout: int = 0
    passwd: bool = True  # add an entry for the user where the image has none
    passwd_entry: str = ""  # the entry's text, with $USERNAME, $UID, $GID, $NAME, $HOME
    group_entry: str = ""  # likewise, with $GROUPNAME, $GID, $USERLIST
    host_users: list[str] = []  # --hostuser: users of the host, by name, that get an entry
    personality: str = ""  # LINUX or LINUX32
    preserve_fds: int = 0
    preserve_fd: list[int] = []
    systemd: str = "true"  # --systemd: true, false, always

    # Identity
    name: str = ""
    labels: dict[str, str] = {}  # the user's: the only ones that may decide anything
    image_labels: dict[str, str] = {}  # the image's: shown and filtered by (`shown_labels`), never obeyed
    annotations: dict[str, str] = {}
    requires: list[str] = []  # containers to start first; ids, once the container is made
    pod: str = ""  # the pod it belongs to; its id, once the container is made
    init_container: str = ""  # of a pod: always (runs first at each start of the pod), once (at the first start only)
    volume_origins: dict[str, Any] = {}  # of a Kubernetes file: a volume of files, as written there, by its name here
    is_step: bool = False  # a build's: what it writes becomes a layer at once, so a power cut may take it
    is_infra: bool = False  # it owns the namespaces that its pod shares
    is_service: bool = False  # it runs as long as one of its pods does (podpy.libpod.pods.service)
    service_exit: str = ""  # when it fails: none, any, all (spec.pod)
    in_pod_cgroup: bool = False  # its cgroup is below its pod's, and `cgroup_parent` is the pod's cgroup's parent

    # File systems
    mounts: list[Mount] = []
    image_mounts: dict[str, str] = {}  # image ids of mounts of type image, by target: see create
    image_volume: str = AS_CONFIGURED  # how the image's VOLUMEs are mounted: "" (anonymous volumes), tmpfs, ignore
    volumes_from: list[str] = []
    read_only: bool = AS_CONFIGURED
    read_only_tmpfs: bool = True
    shm_size: int = AS_CONFIGURED
    shm_size_systemd: int = 0  # of systemd's tmpfs; 0: half of the memory, the kernel's default
    chroot_dirs: list[str] = []  # directories whose etc/ also gets podpy's files (hosts, resolv.conf …)
    secrets: list[SecretUse] = []

    # Rights
    privileged: bool = AS_CONFIGURED
    capabilities: list[str] = AS_CONFIGURED  # the set that cap_add and cap_drop change
    cap_add: list[str] = []
    cap_drop: list[str] = []
    no_new_privileges: bool = False
    apparmor: str = AS_CONFIGURED  # a profile's name; "": none
    seccomp: str = ""  # "": the default profile with podpy's overlay; "unconfined"; a path
    seccomp_profile: str = AS_CONFIGURED  # the default profile's path; "": the administrator's or the distribution's
    seccomp_allow: list[str] = []  # address families (vsock, alg …) that podpy's overlay doesn't deny
    security_labels: list[str] = []  # label=…, kept for inspect; SELinux isn't enforced here
    mask: list[str] = []
    unmask: list[str] = []
    proc_opts: list[str] = []
    devices: list[Device] = []
    cdi_devices: list[str] = []  # --device VENDOR/CLASS=NAME
    gpus: list[str] = []  # all, or names: CDI devices of the first vendor found
    device_cgroup_rules: list[str] = []
    ulimits: list[Ulimit] = []
    sysctls: dict[str, str] = {}

    # Namespaces: "private", "host", "none", "container:ID", "ns:PATH", "shareable", "keep-id[:…]", "auto[:…]", "nomap"
    pid: str = AS_CONFIGURED
    ipc: str = AS_CONFIGURED
    uts: str = AS_CONFIGURED
    cgroupns: str = AS_CONFIGURED
    userns: str = AS_CONFIGURED
    uid_map_lines: list[str] = []  # --uidmap, as given: CONTAINER:HOST[:SIZE]
    gid_map_lines: list[str] = []
    uid_maps: list[IdMapping] = []  # of a user namespace of its own, resolved; empty: podpy's own namespace
    gid_maps: list[IdMapping] = []

    # Limits
    resources: Resources = Resources()
    limits_if_possible: bool = False  # a start omits limits that can't be enforced; otherwise they are an error
    oom_score_adj: int | None = None  # None: containers.conf's value, else podpy's own
    cgroups: str = AS_CONFIGURED  # enabled, disabled, no-conmon, split
    cgroup_parent: str = ""

    # Network
    # "" and private: the default mode; none, host, pasta[:…], slirp4netns[:…], container:ID, ns:PATH, and bridge
    network: str = AS_CONFIGURED
    networks: list[Attachment] = []  # with `bridge`, in the order of their interfaces; none: the default network
    ports: list[PortMapping] = []
    publish_all: bool = False
    expose: list[str] = []  # "80/tcp"
    dns: list[str] = AS_CONFIGURED
    dns_search: list[str] = AS_CONFIGURED
    dns_options: list[str] = AS_CONFIGURED
    add_hosts: list[str] = []
    no_hosts: bool = AS_CONFIGURED
    hosts_file: str = AS_CONFIGURED  # what /etc/hosts begins with: "" (the host's), "image", "none", or a path
    no_hostname: bool = False
    http_proxy: bool = AS_CONFIGURED

    # Life
    remove: bool = False  # --rm
    remove_image: bool = False  # --rmi
    transient_boot: str = ""  # --transient-store: the id of the boot with which it goes
    restart_policy: str = ""  # "", no, on-failure, always, unless-stopped
    restart_retries: int = 0
    restart_backoff: str = ""  # the waits before restarts: "" (Docker's), or "kubernetes"
    deadline: int = 0  # seconds after the start of its pod's infra container at which it is stopped for good; 0: none
    health: Health | None = None  # None: neither the caller nor the image has a check
    post_start: list[str] = []  # Kubernetes' hooks, in the format of a health check's test: spec.probe
    pre_stop: list[str] = []
    log_driver: str = AS_CONFIGURED
    log_options: dict[str, str] = {}
    log_labels: dict[str, str] = {}  # extra fields for the journal; values may be templates over `inspect`
    pidfile: str = ""
    conmon_pidfile: str = ""
    cidfile: str = ""
    create_command: list[str] = []

    @property
    def is_for_systemd(self) -> bool:
        """Whether the container is set up for systemd: `--systemd=always`, or `true` with a command that is an init."""
        if self.systemd != "true":
            return self.systemd == "always"
        command = self.command[0] if self.command else ""
        return command in _SYSTEMD_COMMANDS or command.rpartition("/")[2] == "systemd"

    @property
    def shown_labels(self) -> dict[str, str]:
        """The labels that lists, filters and `inspect` show: the image's, overridden by the user's, and its unit."""
        own = {UNIT_VARIABLE: self.systemd_unit} if self.systemd_unit else {}
        return {**self.image_labels, **self.labels, **own}

    def joins(self) -> list[tuple[str, str]]:
        """Return (field, container) for each namespace that is another container's."""
        pairs = ((kind, getattr(self, kind)) for kind in JOINABLE)
        return [(kind, mode.partition(":")[2]) for kind, mode in pairs if mode.startswith("container:")]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ContainerSpec:
        """Return the spec whose `as_dict()` this is. Fields that this version doesn't know are left out."""
        known: dict[str, Any] = {name: values[name] for name in cls._fields if name in values}
        if "version" not in values:
            known.update({name: value for name, value in _before_versions().items() if not known.get(name)})
        for name, kind in _NESTED_LISTS.items():
            if name in known:
                known[name] = [kind(**item) for item in known[name]]
        if "resources" in known:
            known["resources"] = Resources(**known["resources"])
        if known.get("health"):
            from podpy.spec import health

            known["health"] = health.from_dict(known["health"])
        return cls(**known)


def _before_versions() -> dict[str, Any]:
    """Return the values of fields that a row without a version leaves out or empty."""
    from podpy.spec.capabilities import DEFAULT

    return {
        "log_driver": "k8s-file",
        "shm_size": 65536000,
        "env_host": False,
        "hosts_file": "",
        "seccomp_profile": "",
        "capabilities": list(DEFAULT),
    }


_NESTED_LISTS: dict[str, type[Record]] = {
    "mounts": Mount,
    "ports": PortMapping,
    "networks": Attachment,
    "uid_maps": IdMapping,
    "gid_maps": IdMapping,
    "devices": Device,
    "ulimits": Ulimit,
    "secrets": SecretUse,
}
