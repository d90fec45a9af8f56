"""Every key of every kind of file, as data: how its text is read, the option it becomes, what it is for.

    KEYS = {key: (form, option, help)}       in the order of the options on the command line

forms   one      the last value; none if it is empty            each    every value, and an empty one takes them back
        bool     the option, or option=false                    flag    the option if the value means yes
        words    every word of every value, backslashes kept    lower   the same in small letters
        args     every word, as in a command (C escapes)        pairs   NAME=VALUE words, sorted, the last of a name
        paths    args, relative ones from the file's directory  given   one, also if it is empty
        other    a function of podpy.quadlet.special            ""      read where the command line is put together

An option's words are separated by blanks; one that ends with `=` or `:` has its value in the same word.
Podman's manual pages: podman-container.unit(5), podman-pod.unit(5) … of Podman 6.2.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Keys: TypeAlias = dict[str, tuple[str, str, str]]
    Kind: TypeAlias = tuple[str, str, int, Keys]

GLOBAL: Keys = {
    "ContainersConfModule": ("", "--module=", "a module of containers.conf(5) to load; may stand several times"),
    "GlobalArgs": ("", "", "words to put between podpy and its command"),
    "PodmanArgs": ("", "", "words to put before the last argument, for options that have no key"),
    "ServiceName": ("", "", "the unit's name, without `.service`"),
}

_MAPPINGS: Keys = {
    "UserNS": ("one", "--userns", "the user namespace"),
    "UIDMap": ("words", "--uidmap", "user ids in the container and on the host"),
    "GIDMap": ("words", "--gidmap", "group ids in the container and on the host"),
    "SubUIDMap": ("one", "--subuidname", "whose line of /etc/subuid is used"),
    "SubGIDMap": ("one", "--subgidname", "whose line of /etc/subgid is used"),
}
_REMAP: Keys = {
    "RemapUsers": ("remap", "--userns", "old form of UserNS: `manual`, `auto` or `keep-id`"),
    "RemapUid": ("", "", "old form of UIDMap, with RemapUsers"),
    "RemapGid": ("", "", "old form of GIDMap, with RemapUsers"),
    "RemapUidSize": ("", "", "how many ids `RemapUsers=auto` takes"),
}
_DNS: Keys = {
    "DNS": ("each", "--dns", "address of a DNS server"),
    "DNSOption": ("each", "--dns-option", "an option of resolv.conf(5)"),
    "DNSSearch": ("each", "--dns-search", "domain that short names are looked up in"),
}
_RETRY: Keys = {
    "Retry": ("one", "--retry", "how often a failed pull is tried again"),
    "RetryDelay": ("one", "--retry-delay", "how long to wait before that"),
}
_PULL: Keys = {
    "AuthFile": ("one", "--authfile", "file with the passwords of registries"),
    "CertDir": ("one", "--cert-dir", "directory with certificates and keys for the registry"),
    "Creds": ("one", "--creds", "user and password, USER:PASSWORD"),
    "DecryptionKey": ("one", "--decryption-key", "key of an encrypted image"),
}
_HEALTH: Keys = {
    "HealthCmd": ("one", "--health-cmd", "command that tells whether the container is healthy"),
    "HealthInterval": ("one", "--health-interval", "time between two checks"),
    "HealthOnFailure": ("one", "--health-on-failure", "what to do with an unhealthy container"),
    "HealthLogDestination": ("one", "--health-log-destination", "where the checks' output goes"),
    "HealthMaxLogCount": ("one", "--health-max-log-count", "how many checks are kept"),
    "HealthMaxLogSize": ("one", "--health-max-log-size", "how many characters of each are kept"),
    "HealthRetries": ("one", "--health-retries", "failures after which it counts as unhealthy"),
    "HealthStartPeriod": ("one", "--health-start-period", "time after the start in which failures don't count"),
    "HealthTimeout": ("one", "--health-timeout", "time that a check may take"),
    "HealthStartupCmd": ("one", "--health-startup-cmd", "command that tells whether it has started"),
    "HealthStartupInterval": ("one", "--health-startup-interval", "time between two of these checks"),
    "HealthStartupRetries": ("one", "--health-startup-retries", "failures after which it is started again"),
    "HealthStartupSuccess": ("one", "--health-startup-success", "successes after which it has started"),
    "HealthStartupTimeout": ("one", "--health-startup-timeout", "time that a startup check may take"),
}

CONTAINER: Keys = {
    "Image": ("", "", "the image, or a file NAME.image or NAME.build that gets it"),
    "Rootfs": ("", "--rootfs", "a directory in place of an image"),
    "Exec": ("", "", "the command and its arguments"),
    "ContainerName": ("", "--name", "the container's name; without, systemd-NAME"),
    "LogDriver": ("one", "--log-driver", "where the output goes"),
    "LogOpt": ("words", "--log-opt", "an option of the log driver"),
    "CgroupsMode": ("cgroups", "--cgroups", "which cgroups it gets; without, `split`: those below the unit's own"),
    "Entrypoint": ("given", "--entrypoint=", "in place of the image's entrypoint; empty: none"),
    "Timezone": ("one", "--tz", "the time zone, `local` for the host's"),
    "PidsLimit": ("one", "--pids-limit", "how many processes it may have"),
    "ShmSize": ("one", "--shm-size", "size of /dev/shm"),
    "WorkingDir": ("one", "--workdir", "the directory that the command starts in"),
    "IP": ("one", "--ip", "a fixed IPv4 address"),
    "IP6": ("one", "--ip6", "a fixed IPv6 address"),
    "HostName": ("one", "--hostname", "the host name inside"),
    "StopSignal": ("one", "--stop-signal", "the signal that asks it to end"),
    "StopTimeout": ("one", "--stop-timeout", "seconds until it is killed"),
    "Pull": ("one", "--pull", "when the image is pulled"),
    "Memory": ("one", "--memory", "how much memory it may use"),
    **_RETRY,
    "ImageVolume": ("one", "--image-volume", "what becomes of the image's own volumes"),
    "Umask": ("one", "--umask", "the umask of its processes"),
    "NetworkAlias": ("each", "--network-alias", "a further name on its networks"),
    "Ulimit": ("each", "--ulimit", "a limit of setrlimit(2)"),
    **_DNS,
    "GroupAdd": ("each", "--group-add", "a further group"),
    "AddHost": ("each", "--add-host", "a line for /etc/hosts, NAME:ADDRESS"),
    "Tmpfs": ("each", "--tmpfs", "a file system in memory"),
    "RunInit": ("bool", "--init", "a small init as first process"),
    "EnvironmentHost": ("bool", "--env-host", "the environment of the unit, too"),
    "HttpProxy": ("bool", "--http-proxy", "the proxy variables of the unit"),
    "ReadOnlyTmpfs": ("bool", "--read-only-tmpfs", "writable /tmp, /run and /dev/shm with ReadOnly"),
    "Network": ("networks", "--network", "a network, or a file NAME.network, or NAME.container for that one's"),
    "Notify": ("", "--sdnotify", "`yes`: the container says that it is ready; `healthy`: it is ready when healthy"),
    "NoNewPrivileges": (
        "flag",
        "--security-opt=no-new-privileges",
        "no process gets more rights by set-user-ID",
    ),
    "SecurityLabelDisable": ("flag", "--security-opt label=disable", "no SELinux separation"),
    "SecurityLabelNested": ("flag", "--security-opt label=nested", "SELinux labels may be used inside"),
    "SecurityLabelType": ("one", "--security-opt label=type:", "SELinux type of the processes"),
    "SecurityLabelFileType": ("one", "--security-opt label=filetype:", "SELinux type of the files"),
    "SecurityLabelLevel": ("one", "--security-opt label=level:", "SELinux level of the processes"),
    "AppArmor": ("one", "--security-opt apparmor=", "the AppArmor profile"),
    "AddDevice": ("devices", "--device", "a device of the host; with `-` before it only if it is there"),
    "SeccompProfile": ("one", "--security-opt seccomp=", "file of a seccomp profile, or `unconfined`"),
    "DropCapability": ("lower", "--cap-drop", "a capability to take away"),
    "AddCapability": ("lower", "--cap-add", "a capability to add"),
    "Sysctl": ("words", "--sysctl", "a setting of the kernel, NAME=VALUE"),
    "ReadOnly": ("bool", "--read-only", "the root file system can't be written to"),
    "VolatileTmp": ("volatile", "--tmpfs", "old form of `Tmpfs=/tmp`"),
    "User": ("user", "--user", "user, a name or a number"),
    "Group": ("", "", "group, with User"),
    **_MAPPINGS,
    **_REMAP,
    "Volume": ("volumes", "-v", "a volume, directory, or file NAME.volume, with its place and options"),
    "AutoUpdate": ("one", "--label io.containers.autoupdate=", "how `auto-update` finds new images"),
    "ExposeHostPort": ("ports", "--expose", "a port, or range, that the container listens on"),
    "PublishPort": ("each", "--publish", "a port of the host that leads to one of the container"),
    "Environment": ("pairs", "--env", "variables, NAME=VALUE"),
    "Label": ("pairs", "--label", "labels, NAME=VALUE"),
    "Annotation": ("pairs", "--annotation", "annotations, NAME=VALUE"),
    "Mask": ("args", "--security-opt mask=", "paths to hide, separated by colons"),
    "Unmask": ("args", "--security-opt unmask=", "paths not to hide, or `ALL`"),
    "EnvironmentFile": ("paths", "--env-file", "a file with variables"),
    "Secret": ("args", "--secret", "a secret, with its options"),
    "Mount": ("mounts", "--mount", "a mount; its source may be a file NAME.volume, NAME.image or NAME.artifact"),
    **_HEALTH,
    "Pod": ("pod", "--pod", "the file NAME.pod of the pod that it belongs to"),
    "StartWithPod": ("", "", "the pod's start starts it, too; without, yes"),
    "ReloadCmd": ("", "", "command to run in the container at `systemctl reload`"),
    "ReloadSignal": ("", "", "signal to send at `systemctl reload`"),
    **GLOBAL,
}

POD: Keys = {
    "PodName": ("", "--name", "the pod's name; without, systemd-NAME"),
    "ExitPolicy": ("", "--exit-policy", "what becomes of the pod when its last container ends; without, `stop`"),
    "StopTimeout": ("", "", "seconds until its containers are killed; without, 10"),
    **_MAPPINGS,
    **_REMAP,
    "PublishPort": ("each", "--publish", "a port of the host that leads to one of the pod"),
    "Label": ("pairs", "--label", "labels, NAME=VALUE"),
    "Network": ("networks", "--network", "a network, or a file NAME.network"),
    "IP": ("one", "--ip", "a fixed IPv4 address"),
    "IP6": ("one", "--ip6", "a fixed IPv6 address"),
    "ShmSize": ("one", "--shm-size", "size of /dev/shm"),
    "NetworkAlias": ("each", "--network-alias", "a further name on its networks"),
    **_DNS,
    "AddHost": ("each", "--add-host", "a line for /etc/hosts, NAME:ADDRESS"),
    "HostName": ("each", "--hostname", "the host name inside"),
    "Volume": ("volumes", "-v", "a volume, directory, or file NAME.volume, with its place and options"),
    **GLOBAL,
}

VOLUME: Keys = {
    "VolumeName": ("", "", "the volume's name; without, systemd-NAME"),
    "UID": ("given", "--uid", "user whom the volume belongs to"),
    "GID": ("given", "--gid", "group that it belongs to"),
    "Driver": ("given", "--driver", "`local`, or `image`"),
    "Image": ("", "--opt image=", "the image of the driver `image`, or a file NAME.image or NAME.build"),
    "Copy": ("", "--opt copy", "what the image has at the volume's place is copied into it"),
    "Device": ("", "--opt device=", "what is mounted"),
    "Type": ("", "--opt type=", "the file system of Device"),
    "User": ("", "--opt o=uid=", "user whom it belongs to, as a mount option"),
    "Group": ("", "--opt o=gid=", "group that it belongs to, as a mount option"),
    "Options": ("", "--opt o=", "further mount options"),
    "Label": ("pairs", "--label", "labels, NAME=VALUE"),
    **GLOBAL,
}

NETWORK: Keys = {
    "NetworkName": ("", "", "the network's name; without, systemd-NAME"),
    "NetworkDeleteOnStop": ("", "", "the unit's stop removes the network"),
    "DisableDNS": ("bool", "--disable-dns", "containers don't find each other by name"),
    "Internal": ("bool", "--internal", "no way to other networks"),
    "IPv6": ("bool", "--ipv6", "IPv6 addresses, too"),
    "Driver": ("one", "--driver", "`bridge`, `macvlan` or `ipvlan`"),
    "IPAMDriver": ("one", "--ipam-driver", "who gives addresses"),
    "InterfaceName": ("one", "--interface-name", "name of the bridge, or of the parent"),
    "DNS": ("each", "--dns", "address of a DNS server"),
    "Subnet": ("subnets", "--subnet", "a subnet"),
    "Gateway": ("", "--gateway", "the gateway of the subnet in the same place"),
    "IPRange": ("", "--ip-range", "the range of the subnet in the same place"),
    "Options": ("pairs", "--opt", "options of the driver, NAME=VALUE"),
    "Label": ("pairs", "--label", "labels, NAME=VALUE"),
    **GLOBAL,
}

IMAGE: Keys = {
    "Image": ("", "", "the image to pull"),
    "ImageTag": ("", "", "its name for files that refer to this one, where Image is an archive or a directory"),
    "Arch": ("one", "--arch", "the architecture"),
    "OS": ("one", "--os", "the operating system"),
    "Variant": ("one", "--variant", "the variant of the architecture"),
    **_PULL,
    "Policy": ("one", "--policy", "when it is pulled"),
    **_RETRY,
    "AllTags": ("bool", "--all-tags", "all tags of the repository"),
    "TLSVerify": ("bool", "--tls-verify", "the registry must prove who it is"),
    **GLOBAL,
}

ARTIFACT: Keys = {
    "Artifact": ("", "", "the artifact to pull"),
    **_PULL,
    **_RETRY,
    "Quiet": ("bool", "--quiet", "no progress"),
    "TLSVerify": ("bool", "--tls-verify", "the registry must prove who it is"),
    **GLOBAL,
}

BUILD: Keys = {
    "Pull": ("one", "--pull=", "when base images are pulled"),
    "Arch": ("one", "--arch", "the architecture"),
    "AuthFile": ("one", "--authfile", "file with the passwords of registries"),
    "IgnoreFile": ("one", "--ignorefile", "file that says what isn't part of the context"),
    "Target": ("one", "--target", "the stage to build"),
    "Variant": ("one", "--variant", "the variant of the architecture"),
    **_RETRY,
    "TLSVerify": ("bool", "--tls-verify", "the registry must prove who it is"),
    "ForceRM": ("bool", "--force-rm", "containers of the build are always removed"),
    **_DNS,
    "GroupAdd": ("each", "--group-add", "a further group"),
    "ImageTag": ("each", "--tag", "the image's name; the first one is for files that refer to this one"),
    "BuildArg": ("pairs", "--build-arg", "arguments of the build, NAME=VALUE"),
    "Environment": ("pairs", "--env", "variables of the image, NAME=VALUE"),
    "Label": ("pairs", "--label", "labels, NAME=VALUE"),
    "Annotation": ("pairs", "--annotation", "annotations, NAME=VALUE"),
    "Network": ("networks", "--network", "a network, or a file NAME.network"),
    "Secret": ("args", "--secret", "a secret of the build"),
    "Volume": ("volumes", "-v", "a volume, directory, or file NAME.volume, with its place and options"),
    "SetWorkingDirectory": ("", "", "the context: `unit`, `file`, a directory or an address"),
    "File": ("", "--file", "the Containerfile"),
    **GLOBAL,
}

KUBE: Keys = {
    "Yaml": ("", "", "files with Kubernetes YAML"),
    "ExitCodePropagation": ("one", "--service-exit-code-propagation=", "which containers' exit codes count"),
    "LogDriver": ("one", "--log-driver", "where the output goes"),
    "LogOpt": ("words", "--log-opt", "an option of the log driver"),
    "UserNS": ("one", "--userns", "the user namespace"),
    **_REMAP,
    "Network": ("networks", "--network", "a network, or a file NAME.network"),
    "AutoUpdate": ("updates", "--annotation=", "how `auto-update` finds new images, for all or CONTAINER/HOW"),
    "ConfigMap": ("files", "--configmap", "files with ConfigMaps"),
    "PublishPort": ("each", "--publish", "a port of the host that leads to one of the pods"),
    "KubeDownForce": ("", "--force", "the unit's stop removes volumes, too"),
    "SetWorkingDirectory": ("", "", "the unit's directory: `yaml` or `unit`"),
    **GLOBAL,
}

KINDS: dict[str, Kind] = {
    ".image": ("Image", "-image", 1, IMAGE),
    ".artifact": ("Artifact", "-artifact", 1, ARTIFACT),
    ".volume": ("Volume", "-volume", 2, VOLUME),
    ".network": ("Network", "-network", 2, NETWORK),
    ".build": ("Build", "-build", 3, BUILD),
    ".container": ("Container", "", 4, CONTAINER),
    ".kube": ("Kube", "", 4, KUBE),
    ".pod": ("Pod", "-pod", 5, POD),
}
"""By the file name's ending: the section, what the unit's name gets at its end, the place in lists, the keys."""

QUADLET: Keys = {
    "DefaultDependencies": ("", "", "`no`: the unit doesn't wait for the network"),
}
"""The section [Quadlet], which each kind may have."""


def ending(name: str) -> str:
    """Return the ending of a file name that makes it one of Quadlet's, or an empty text."""
    dot = name.rfind(".")
    return name[dot:] if dot > 0 and name[dot:] in KINDS else ""
