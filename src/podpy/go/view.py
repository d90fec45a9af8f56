"""Plain data, as `inspect` returns it, as Go's structs, maps and times, for templates."""

from __future__ import annotations

from podpy.go.template.values import Map, NilSlice, Struct
from podpy.go.time import GoDuration, GoTime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Dictionaries with these names are maps, whose keys are data; all others are structs, whose keys are fields. The value
# makes the zero value of the map's elements.
_MAPS: dict[str, Callable[[], Any]] = {
    "Labels": str, "Annotations": str, "Volumes": Struct, "PortBindings": NilSlice, "Ports": NilSlice,
    "Networks": lambda: None, "Tmpfs": str, "CgroupConf": str, "ExposedPorts": Struct, "Data": str, "DriverOpts": str,
    "IPAMConfig": str, "Options": str, "LogConfig.Config": str,
}  # fmt: skip
# None under these names is a nil slice; under any other name it is a nil pointer.
_SLICES = frozenset(
    (
        "Args", "Aliases", "BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps", "BlkioDeviceWriteIOps",
        "BlkioWeightDevice", "BoundingCaps", "CapAdd", "CapDrop", "Cmd", "CreateCommand", "Devices", "Dns",
        "DnsOptions", "DnsSearch", "EffectiveCaps", "Entrypoint", "Env", "ExecIDs", "ExtraHosts", "GroupAdd", "Links",
        "Mounts", "OnBuild", "RepoDigests", "RepoTags", "SecurityOpt", "Ulimits", "VolumesFrom",
    )
)  # fmt: skip
# Fields that JSON omits while they are empty, and that a template always has.
_LEFT_OUT: dict[str, dict[str, Callable[[], Any]]] = {
    "Config": {
        "ChrootDirs": NilSlice,
        "CreateCommand": NilSlice, "ExposedPorts": lambda: Map(zero=Struct()), "Healthcheck": lambda: None,
        "PostStart": NilSlice, "PreStop": NilSlice, "ReadinessHealthCheck": lambda: None, "Secrets": NilSlice,
        "StartupHealthCheck": lambda: None, "SystemdMode": bool, "Timezone": str,
    },
    "Container": {"OCIConfigPath": str, "SizeRootFs": int, "SizeRw": lambda: None},  # the whole
    "HostConfig": {"IDMappings": lambda: None, "Init": bool},
    "State": {
        "CgroupPath": str, "Checkpointed": bool, "ConmonPid": int, "Health": lambda: None, "Healthcheck": lambda: None,
        "Hook": lambda: None, "Readiness": lambda: None,
        "Restored": bool,
        "StoppedByUser": bool,
    },
}  # fmt: skip
_OF_VOLUMES_LEFT_OUT = frozenset(
    ("Status", "UID", "GID", "Anonymous", "NeedsCopyUp", "NeedsChown", "Timeout", "StorageID")
)
# Fields of a network and its parts, by Go's name: JSON's key and the zero value (libnetwork's types.Network).
_NETWORK: dict[str, tuple[str, Any]] = {
    "Name": ("name", ""), "ID": ("id", ""), "Driver": ("driver", ""), "NetworkInterface": ("network_interface", ""),
    "Created": ("created", ""), "Subnets": ("subnets", []), "Routes": ("routes", []),
    "IPv6Enabled": ("ipv6_enabled", False), "Internal": ("internal", False), "DNSEnabled": ("dns_enabled", False),
    "NetworkDNSServers": ("network_dns_servers", []), "Labels": ("labels", {}), "Options": ("options", {}),
    "IPAMOptions": ("ipam_options", {}),
}  # fmt: skip
_SUBNET: dict[str, tuple[str, Any]] = {"Subnet": ("subnet", ""), "Gateway": ("gateway", "")}
_RANGE: dict[str, tuple[str, Any]] = {"StartIP": ("start_ip", ""), "EndIP": ("end_ip", "")}
_ROUTE: dict[str, tuple[str, Any]] = {
    "Destination": ("destination", ""), "Gateway": ("gateway", ""), "Metric": ("metric", None),
    "RouteType": ("route_type", ""),
}  # fmt: skip
_ADDRESS: dict[str, tuple[str, Any]] = {"IPNet": ("ipnet", ""), "Gateway": ("gateway", "")}
_TIMES = frozenset(("Created", "StartedAt", "FinishedAt", "CheckpointedAt", "RestoredAt"))

# Fields of a pod and its infra container that JSON names otherwise, or omits while they are empty, by Go's name: JSON's
# key and the zero value (libpod/define/pod_inspect.go).
_POD: dict[str, tuple[str, Any]] = {
    "ID": ("Id", ""), "CreateCommand": ("CreateCommand", NilSlice()), "ExitPolicy": ("ExitPolicy", ""),
    "Labels": ("Labels", Map(zero="")), "CgroupParent": ("CgroupParent", ""), "CgroupPath": ("CgroupPath", ""),
    "InfraContainerID": ("InfraContainerID", ""), "InfraConfig": ("InfraConfig", None),
    "SharedNamespaces": ("SharedNamespaces", NilSlice()), "Containers": ("Containers", NilSlice()),
    "CPUPeriod": ("cpu_period", 0), "CPUQuota": ("cpu_quota", 0), "CPUShares": ("cpu_shares", 0),
    "CPUSetCPUs": ("cpuset_cpus", ""), "CPUSetMems": ("cpuset_mems", ""), "Mounts": ("mounts", NilSlice()),
    "Devices": ("devices", NilSlice()), "VolumesFrom": ("volumes_from", NilSlice()),
    "SecurityOpts": ("security_opt", NilSlice()), "MemoryLimit": ("memory_limit", 0),
    "MemorySwap": ("memory_swap", 0), "BlkioWeight": ("blkio_weight", 0), "RestartPolicy": ("RestartPolicy", ""),
}  # fmt: skip
_INFRA: dict[str, tuple[str, Any]] = {"PidNS": ("pid_ns", ""), "UserNS": ("userns", ""), "UtsNS": ("uts_ns", "")}
# The fields of the OCI's ImageConfig with Go's zero values: JSON omits empty ones, a template has all.
_IMAGE_CONFIG: dict[str, Any] = {
    "User": "", "ExposedPorts": Map(zero=Struct()), "Env": NilSlice(), "Entrypoint": NilSlice(), "Cmd": NilSlice(),
    "Volumes": Map(zero=Struct()), "WorkingDir": "", "Labels": Map(), "StopSignal": "", "ArgsEscaped": False,
}  # fmt: skip
_HISTORY: dict[str, Any] = {"Created": None, "CreatedBy": "", "Author": "", "Comment": "", "EmptyLayer": False}
_HEALTH: dict[str, Any] = {
    "Test": [], "StartPeriod": 0, "StartInterval": 0, "Interval": 0, "Timeout": 0, "Retries": 0
}  # fmt: skip


class Shown(Struct):
    """A struct whose JSON differs from what a template sees: it has JSON's names and omits empty fields."""

    __slots__ = ("_plain",)

    def __init__(self, fields: dict[str, Any], plain: Struct) -> None:
        super().__init__(fields)
        self._plain = plain

    def json_form(self) -> Struct:
        """Return the struct to write as JSON."""
        return self._plain


def view(value: Any, name: str = "", inside: str = "") -> Any:
    """Return the value with dictionaries as Structs or maps, nil maps and slices typed, and known times as GoTime.

    `name` is the field that holds the value, `inside` the name of the struct with this field.
    """
    zero = _MAPS.get(name) or _MAPS.get(f"{inside}.{name}")
    if zero is not None and (value is None or isinstance(value, dict)):
        items = None if value is None else {key: zero() if item is None else view(item) for key, item in value.items()}
        return Map(items, zero=zero())
    if isinstance(value, dict) and inside == "Config" and name in ("Healthcheck", "StartupHealthCheck"):
        return _health(Struct({key: view(item, key, name) for key, item in value.items()}))
    if isinstance(value, dict):
        # A callable is a method, which JSON omits.
        fields = {**_LEFT_OUT.get(name, {}), **{key: view(item, key, name) for key, item in value.items()}}
        if name == "State" and isinstance(fields.get("Health"), Struct):
            fields["Healthcheck"] = lambda: fields["Health"]  # Podman's other name for it
        return Struct(fields)
    if isinstance(value, list):
        return [view(item) for item in value]
    if value is None and name in _SLICES:
        return NilSlice()
    if name in _TIMES and isinstance(value, str):
        return _time(value)
    return value


def pod_view(data: dict[str, Any]) -> Struct:
    """Return the data of `pod inspect` for a template, which sees Go's names, and fields that JSON omits."""
    plain: Struct = view(data, "Pod")
    fields = _with_go_names(_POD, plain)
    fields["Containers"] = [_with_go_names({"ID": ("Id", "")}, each) for each in plain.get("Containers", ())]
    if fields["InfraConfig"]:
        fields["InfraConfig"] = _with_go_names(_INFRA, fields["InfraConfig"])
    return fields


def _with_go_names(names: dict[str, tuple[str, Any]], plain: Struct) -> Shown:
    """Return a struct with all its fields, of which those in `names` have another name in JSON, or may be absent."""
    keys = {key for key, _ in names.values()}
    others = {name: value for name, value in plain.items() if name not in keys}
    return Shown({**{name: plain.get(key, zero) for name, (key, zero) in names.items()}, **others}, plain)


def image_view(data: dict[str, Any]) -> Struct:
    """Return the data of `image inspect` for a template."""
    plain: Struct = view(data)
    health = _health(plain.get("Healthcheck"))
    config = plain["Config"]
    replaced = {
        "Config": Shown({**_IMAGE_CONFIG, **config, "Healthcheck": lambda: health}, config),
        "History": [_history_entry(entry) for entry in plain["History"]],
    }
    fields = {("ID" if name == "Id" else name): replaced.get(name, value) for name, value in plain.items()}
    fields["HealthCheck"] = health
    fields.pop("Healthcheck", None)
    # Podman rewrites .ID to .Id and .HealthCheck to .Config.Healthcheck in the format, so both spellings work.
    fields["Id"] = lambda: plain["Id"]
    return Shown(fields, plain)


def volume_view(data: dict[str, Any]) -> Shown:
    """Return the data of `volume inspect` for a template."""
    fields = {**data, "Labels": Map(data["Labels"], zero=""), "Options": Map(data["Options"], zero="")}
    plain = {name: value for name, value in fields.items() if value or name not in _OF_VOLUMES_LEFT_OUT}
    return Shown({**fields, "Status": Map(data["Status"], zero=None)}, Struct(plain))


def network_view(data: dict[str, Any]) -> Shown:
    """Return the data of `network inspect` for a template. JSON's keys are those of the data."""
    from podpy.times import ZERO_TIME

    known = {name: data.get(key, zero) for name, (key, zero) in _NETWORK.items()}
    fields = {
        **known,
        "Created": _time(known["Created"] or ZERO_TIME),
        "Subnets": [_subnet(subnet) for subnet in known["Subnets"]],
        "Routes": [_renamed(_ROUTE, route) for route in known["Routes"]],
        **{name: Map(known[name], zero="") for name in ("Labels", "Options", "IPAMOptions")},
    }
    if "containers" in data:
        users = data["containers"]
        fields["Containers"] = Map({key: _user(user) for key, user in users.items()}, zero=None)
    return Shown(fields, _struct(data))


def _subnet(subnet: dict[str, Any]) -> Shown:
    shown = _renamed(_SUBNET, subnet)
    limits = subnet.get("lease_range")
    return Shown({**shown, "LeaseRange": _renamed(_RANGE, limits) if limits else None}, _struct(subnet))


def _user(user: dict[str, Any]) -> Shown:
    interfaces = {
        name: Shown(
            {
                "Subnets": [_renamed(_ADDRESS, subnet) for subnet in found.get("subnets", [])],
                "MacAddress": found["mac_address"],
            },
            _struct(found),
        )
        for name, found in user.get("interfaces", {}).items()
    }
    return Shown({"Name": user["name"], "Interfaces": Map(interfaces, zero=None)}, _struct(user))


def _renamed(names: dict[str, tuple[str, Any]], data: dict[str, Any]) -> Shown:
    return Shown({name: data.get(key, zero) for name, (key, zero) in names.items()}, _struct(data))


def _struct(data: Any) -> Any:
    """Return plain data with dictionaries as structs, whose fields keep their order."""
    if isinstance(data, dict):
        return Struct({key: _struct(value) for key, value in data.items()})
    return [_struct(value) for value in data] if isinstance(data, list) else data


def _history_entry(entry: Struct) -> Struct:
    fields = {**_HISTORY, **{_camel_case(name): value for name, value in entry.items()}}
    if fields["Created"]:
        fields["Created"] = _time(fields["Created"])
    return Shown(fields, entry)


def _camel_case(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _health(check: Struct | None) -> Struct | None:
    if check is None:
        return None
    fields = {**_HEALTH, **check}
    for name in ("StartPeriod", "StartInterval", "Interval", "Timeout"):
        fields[name] = GoDuration(fields[name])
    return Shown(fields, check)


def _time(text: str) -> GoTime:
    from podpy.times import nanoseconds

    return GoTime(None if text.startswith("0001-") else nanoseconds(text), utc=text.endswith("Z"))
