"""One file → its draft: what Podman's generator makes of it (podman-systemd.unit(5)), one function for each kind."""

from __future__ import annotations

import os

from podpy.quadlet import special
from podpy.quadlet.context import Context, Settings, Source
from podpy.quadlet.draft import MARK, USERS_ONLINE, Draft
from podpy.quadlet.install import links
from podpy.quadlet.options import options
from podpy.quadlet.words import literal

_DEPENDENCIES = (
    "After", "Before", "BindsTo", "Conflicts", "OnFailure", "OnSuccess", "PartOf", "PropagatesReloadTo",
    "PropagatesStopTo", "ReloadPropagatedFrom", "Requires", "Requisite", "StopPropagatedFrom", "Upholds", "Wants",
)  # fmt: skip
_ONLINE = "network-online.target"
_OTHERS_USER = ("User", "Group", "DynamicUser")  # keys of [Service] under which podpy would run as somebody else
_NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\")  # systemd.unit(5)
_LONGEST_NAME = 255 - len(".service")
_URLS = ("http://", "https://", "git://")
_STOP_TIMEOUT = "10"  # seconds


def convert(source: Source, settings: Settings) -> Draft:
    """Return what a file means. Its problems are in it; if one is fatal the rest means nothing."""
    context = Context(source, settings)
    _begin(context)
    _KINDS[context.ending](context)
    context.draft.links = links(context)
    context.draft.text = context.service.lines()
    context.draft.add_problems(context.problems)
    return context.draft


def _begin(context: Context) -> None:
    """Do what is the same for all kinds."""
    context.check_keys()
    if not context.path.isprintable():
        context.fail("its path has letters that can't stand in a unit")
    context.draft.service = _service_name(context)
    special.dependencies(context, _DEPENDENCIES)
    if context.quadlet.boolean("DefaultDependencies", default=True):
        online = USERS_ONLINE if context.settings.user else _ONLINE
        context.service.begin("Unit", f"Wants={online}", f"After={online}")
    context.service.add("Unit", f"SourcePath={literal(context.path)}")
    context.service.add("Unit", "RequiresMountsFor=%t/containers")
    for key in _OTHERS_USER:
        if key in context.given:
            text = f"using key {key} in the Service group is not supported - use at your own risk"
            context.given.warn(key, text, "a user's own units are in ~/.config/containers/systemd")


def _service_name(context: Context) -> str:
    given = context.own.last("ServiceName")
    base, at, instance = context.base.partition("@")
    name = given or (f"{base}{context.suffix}@" if at and not instance else f"{context.base}{context.suffix}")
    if not set(name.replace("@", "", 1)) <= _NAME_LETTERS or not name.strip("@") or len(name) > _LONGEST_NAME:
        context.fail(
            f"{name}.service can't be a unit's name",
            "ServiceName",
            hint="systemd allows letters, digits and :-_.\\, and one @",
        )
    return f"{name}.service"


def _resource(context: Context, key: str) -> str:
    """Return the name of what the file makes: the key's, or systemd-NAME."""
    given = context.own.last(key)
    if given or "@" not in context.base:
        return given or f"systemd-{context.base}"
    base, _, instance = context.base.partition("@")
    return f"systemd-{base}-{instance or '%i'}"


def _warn_of_short_name(context: Context, key: str) -> None:
    name = context.own.last(key)
    host, slash, _ = name.partition("/")
    is_whole = slash and (host == "localhost" or "." in host or ":" in host)
    is_id = name.startswith("sha256:") or (len(name) == 64 and not set(name) - set("0123456789abcdef"))
    if name and not is_whole and not is_id and not name.endswith((".build", ".image")):
        context.own.warn(
            key,
            f'the image "{name}" is not a fully qualified image name: what it means depends on registries.conf',
            f"write docker.io/library/{name}, localhost/{name} …",
        )


def _container(context: Context) -> None:
    own, service = context.own, context.service
    image, root = own.last("Image"), own.last("Rootfs")
    if not image and not root:
        context.fail("no Image or Rootfs key specified")
    if image and root:
        context.fail("the Image And Rootfs keys conflict can not be specified together", "Rootfs")
    if own.last("Group") and not own.last("User"):
        context.fail("invalid Group set without User", "Group")
    _warn_of_short_name(context, "Image")
    image = context.image(image, "Image")
    name = own.last("ContainerName") or ("systemd-%p_%i" if "@" in context.base else "systemd-%N")
    resource = name.replace("%N", context.draft.service.removesuffix(".service"))
    context.draft.resource = "" if "%" in resource else resource
    service.add("Service", "Environment=PODMAN_SYSTEMD_UNIT=%n")
    _kill_mode(context)
    service.run("ExecStop", context.podpy("rm", "-v", "-f", "-i", name))
    service.run("ExecStopPost", context.podpy("rm", "-v", "-f", "-i", name), mark="-")
    _reload(context, name)
    service.add("Service", "Delegate=yes")
    special.check_mappings(context)
    words = context.podpy("run", "--name", name, "--replace", "--rm")
    words += options(context, always=("CgroupsMode",))
    if not _is_oneshot(context):
        words += [f"--sdnotify={_notify(context)}", "-d"]
        _notify_lines(context)
    _identify(context)
    words += own.words("PodmanArgs")
    words += [image] if image else ["--rootfs", root]
    service.run("ExecStart", [*words, *own.last_words("Exec")])


def _kill_mode(context: Context) -> None:
    """Only `mixed` and `control-group` let the monitor end; without one `mixed`, which lets it end the container."""
    mode = context.given.last("KillMode")
    if not mode:
        context.service.add("Service", "KillMode=mixed")
    elif mode not in ("mixed", "control-group"):
        context.fail(f"invalid KillMode '{mode}'", "KillMode", section=context.given, hint="mixed or control-group")


def _is_oneshot(context: Context) -> bool:
    kind = context.given.last("Type")
    if kind not in ("", "notify", "oneshot"):
        context.fail(f"invalid service Type '{kind}'", "Type", section=context.given, hint="notify or oneshot")
    return kind == "oneshot"


def _notify(context: Context) -> str:
    if context.own.last("Notify").lower() == "healthy":
        if not context.own.last("HealthCmd"):
            text = "Notify=healthy without HealthCmd: the start waits for the image's health check"
            context.own.warn("Notify", text, "without one it fails")
        return "healthy"
    return "container" if context.own.boolean("Notify") else "conmon"


def _notify_lines(context: Context) -> None:
    for key in ("Type", "NotifyAccess"):
        if key in context.given:
            context.service.drop("Service", key)
    context.service.add("Service", "Type=notify")
    context.service.add("Service", "NotifyAccess=all")


def _identify(context: Context) -> None:
    if "SyslogIdentifier" not in context.given:
        context.service.add("Service", "SyslogIdentifier=%N")


def _reload(context: Context, name: str) -> None:
    command, signal = context.own.last_words("ReloadCmd"), context.own.last("ReloadSignal")
    if command and signal:
        context.fail("ReloadCmd and ReloadSignal are mutually exclusive but both are set", "ReloadSignal")
    elif command:
        context.service.run("ExecReload", context.podpy("exec", name, *command))
    elif signal:
        context.service.run("ExecReload", context.podpy("kill", "--signal", signal, name))


def _pod(context: Context) -> None:
    own, service = context.own, context.service
    name = own.last("PodName") or f"systemd-{context.base}"
    context.draft.resource = name
    for key in ("Wants", "Before"):
        service.add("Unit", f"{key}={MARK}p{context.name}{MARK}")
    _identify(context)
    special.check_mappings(context)
    service.run("ExecStart", context.podpy("pod", "start", name))
    timeout = own.last("StopTimeout") or _STOP_TIMEOUT
    service.run("ExecStop", context.podpy("pod", "stop", "--ignore", f"--time={timeout}", name))
    service.run("ExecStopPost", context.podpy("pod", "rm", "--ignore", "--force", name))
    words = context.podpy("pod", "create", "--infra-conmon-pidfile=%t/%N.pid", "--replace")
    words += ["--exit-policy", own.last("ExitPolicy") or "stop", *options(context)]
    words += ["--infra-name", f"{name}-infra", "--name", name, *own.words("PodmanArgs")]
    service.run("ExecStartPre", words)
    service.add("Service", "Environment=PODMAN_SYSTEMD_UNIT=%n")
    for key in ("Type", "PIDFile"):
        if key in context.given:
            service.drop("Service", key)
    service.add("Service", "Type=forking")
    service.add("Service", "PIDFile=%t/%N.pid")
    if "Restart" not in context.given:
        service.add("Service", "Restart=on-failure")


def _volume(context: Context) -> None:
    own = context.own
    context.draft.resource = _resource(context, "VolumeName")
    words = [*context.podpy("volume", "create", "--ignore"), *options(context)]
    if own.last("Driver") == "image":
        image = own.last("Image")
        if not image:
            context.fail("the key Image is mandatory when using the image driver", "Driver")
        _warn_of_short_name(context, "Image")
        words += ["--opt", f"image={context.image(image, 'Image')}"]
    else:
        words += _mount_options(context)
    words += [*own.words("PodmanArgs"), context.draft.resource]
    context.service.run("ExecStart", words)
    _once(context)


def _mount_options(context: Context) -> list[str]:
    own = context.own
    words = []
    if "Copy" in own:
        words += ["--opt", "copy" if own.boolean("Copy") else "nocopy"]
    device, kind = own.last("Device"), own.last("Type")
    if device:
        words += ["--opt", f"device={device}"]
    if kind and device:
        words += ["--opt", f"type={kind}"]
        if kind == "bind":
            context.mounts_for(device)
    elif kind:
        context.fail("key Type can't be used without Device", "Type")
    mount = [f"{option}={_number(context, key)}" for key, option in (("User", "uid"), ("Group", "gid")) if key in own]
    mount += [own.last("Options")] if own.last("Options") else []
    return [*words, "--opt", f"o={','.join(mount)}"] if mount else words


def _number(context: Context, key: str) -> str:
    """Return the number of a user or group of this machine, which may be given by its name."""
    text = context.own.last(key)
    if text.isdecimal() and text.isascii():
        if int(text) >= 1 << 32:
            context.fail(f"{key}={text}: not a number of a {key.lower()}", key)
        return text
    import grp
    import pwd

    try:
        return str(pwd.getpwnam(text).pw_uid if key == "User" else grp.getgrnam(text).gr_gid)
    except (KeyError, ValueError):
        context.fail(f"{key}={text}: there is no such {key.lower()}", key)
        return text


def _network(context: Context) -> None:
    own, service = context.own, context.service
    name = context.draft.resource = _resource(context, "NetworkName")
    if own.boolean("NetworkDeleteOnStop"):
        service.run("ExecStopPost", context.podpy("network", "rm", name))
    subnets = len(own.values("Subnet"))
    for key, what in (("Gateway", "gateways"), ("IPRange", "ranges")):
        if len(own.values(key)) > subnets:
            text = f"cannot set more {what} than subnets" if subnets else "cannot set gateway or range without subnet"
            context.fail(text, key)
    words = [*context.podpy("network", "create", "--ignore"), *options(context), *own.words("PodmanArgs"), name]
    service.run("ExecStart", words)
    _once(context)


def _image(context: Context) -> None:
    _pull(context, "image", "Image")
    context.draft.resource = context.own.last("ImageTag") or context.draft.resource


def _artifact(context: Context) -> None:
    _pull(context, "artifact", "Artifact")


def _pull(context: Context, what: str, key: str) -> None:
    name = context.draft.resource = context.own.last(key)
    if not name:
        context.fail(f"no {key} key specified")
    _warn_of_short_name(context, key)
    words = [*context.podpy(what, "pull"), *options(context), *context.own.words("PodmanArgs"), name]
    context.service.run("ExecStart", words)
    _once(context)


def _build(context: Context) -> None:
    own, given = context.own, context.given
    tags = own.values("ImageTag")
    if not tags:
        context.fail("no ImageTag key specified")
    context.draft.resource = tags[0] if tags else ""
    words = [*context.podpy("build"), *options(context)]
    place = _working_directory(context)
    directory = given.last("WorkingDirectory") or place
    path, where = own.last("File"), _context(context)
    if not directory and not path and not where:
        context.fail("neither SetWorkingDirectory, nor File key specified")
    words += ["--file", path] if path else []
    words += own.words("PodmanArgs")
    if where:
        words.append(where)
    elif not (path.startswith(("/", *_URLS)) or (path.startswith("%") and not path.startswith("%%"))):
        if path and not directory:
            context.fail("relative path in File key requires SetWorkingDirectory key to be set", "File")
        words.append(directory.replace("$", "$$"))
    context.service.run("ExecStart", words)
    _once(context, remain=False)


def _context(context: Context) -> str:
    """Return a build's context, if SetWorkingDirectory names one."""
    where = context.own.last("SetWorkingDirectory")
    return "" if where.lower() in ("unit", "file") else where


def _working_directory(context: Context) -> str:
    """Add the unit's working directory, as SetWorkingDirectory says; return it."""
    own = context.own
    where = own.last("SetWorkingDirectory")
    word = where.lower()
    if not where:
        return ""
    if word == "unit":
        path = context.path
    elif word == "file" and context.ending == ".build":
        path = own.last("File")
        if not path:
            context.fail("no File key specified", "SetWorkingDirectory")
    elif word == "yaml" and context.ending == ".kube":
        path = next(iter(own.words("Yaml", escapes=False)), "")
        if len(own.words("Yaml", escapes=False)) > 1:
            text = "SetWorkingDirectory=yaml is only supported when a single Yaml key is provided"
            context.fail(text, "SetWorkingDirectory")
    elif word in ("file", "yaml"):
        kind = ".build" if word == "file" else ".kube"
        context.fail(f"SetWorkingDirectory={where} is only supported in {kind} files", "SetWorkingDirectory")
        return ""
    elif context.ending != ".build":
        context.fail(f"unsupported value for WorkingDirectory: {where}", "SetWorkingDirectory", hint="yaml or unit")
        return ""
    elif where.startswith(("/", *_URLS)) or "github.com/" in where:
        return ""
    else:
        path = context.path
    if context.given.last("WorkingDirectory"):
        return ""
    whole = literal(path) if path == context.path else context.absolute(path, command=False)
    directory = os.path.dirname(whole)
    context.service.add("Service", f"WorkingDirectory={directory}")
    return directory


def _kube(context: Context) -> None:
    own, service = context.own, context.service
    paths = [context.absolute(path) for path in own.words("Yaml", escapes=False)]
    if not paths:
        context.fail("no Yaml key specified")
    _kill_mode(context)
    service.add("Service", "Environment=PODMAN_SYSTEMD_UNIT=%n")
    if not _is_oneshot(context):
        _notify_lines(context)
    _identify(context)
    special.check_mappings(context)
    words = [*context.podpy("kube", "play", "--replace", "--service-container=true"), *options(context)]
    service.run("ExecStart", [*words, *own.words("PodmanArgs"), *paths])
    force = [] if "KubeDownForce" not in own else ["--force"] if own.boolean("KubeDownForce") else ["--force=false"]
    service.run("ExecStopPost", context.podpy("kube", "down", *force, *paths))
    _working_directory(context)


def _once(context: Context, *, remain: bool = True) -> None:
    """Make it a unit that has done its work when its command ends."""
    _identify(context)
    for key, value in (("Type", "oneshot"), *((("RemainAfterExit", "yes"),) if remain else ())):
        if key not in context.given:
            context.service.add("Service", f"{key}={value}")


_KINDS = {
    ".container": _container,
    ".pod": _pod,
    ".volume": _volume,
    ".network": _network,
    ".image": _image,
    ".artifact": _artifact,
    ".build": _build,
    ".kube": _kube,
}
