"""Creates a container: finds the image, merges its configuration, claims the name, commits the row."""

from __future__ import annotations

import os
from time import time_ns

from podpy import fastjson
from podpy.errors import (
    ConfigError,
    ImageError,
    ImageGoneError,
    InUseError,
    NoSuchContainerError,
    NoSuchImageError,
    NoSuchVolumeError,
    StateError,
    UsageError,
)
from podpy.image.registry.access import PULL_POLICIES
from podpy.image.registry.access import PullOptions as PullOptions  # what the command line gives to `create`
from podpy.libpod.containers import names
from podpy.libpod.containers.held import Held, find
from podpy.libpod.containers.table import CREATED, REMOVING, STARTING, ContainerRow
from podpy.record import Record
from podpy.spec.container import NO_CREATE, UNIT_VARIABLE, volume_options
from podpy.spec.defaults import base_environment, named, with_defaults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.image.progress import Progress
    from podpy.libpod.containers.starting.start import Starting
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec, Mount
    from podpy.spec.idmaps import Lines
    from podpy.storage.images import ImageRecord

AS_CONFIGURED = PullOptions(policy="")
_MOST_TRIES_FOR_A_NAME = 20
_AUTO_UPDATE = "io.containers.autoupdate"  # podman-auto-update(1); only as the user's label, never as an image's
_BY_REGISTRY = ("registry", "image")
_NAMESPACES = {"network": "net", "userns": "user", "cgroupns": "cgroup"}
"""Podman's names, in errors, for the spec's fields that join a namespace."""
_MOST_TRIES_FOR_AN_IMAGE = 3
_PORTS_DISCARDED = (
    "Port mappings have been discarded as one of the Host, Container, Pod, and None network modes are in use"
)


def create(
    engine: Engine,
    spec: ContainerSpec,
    pull: PullOptions | None = None,
    *,
    replace: bool = False,
    progress: Callable[[], Progress] | None = None,
    also: Callable[[ContainerRow], object] | None = None,
) -> Held:
    """Create a container that isn't started; see Runtime.create. `also`: what else the transaction that adds it does,
    with its row.
    """
    wanted = _Wanted(pull=pull or AS_CONFIGURED, replaces=replace, progress=progress, also=also)
    return _create(engine, spec, wanted, CREATED)


def create_starting(
    engine: Engine,
    spec: ContainerSpec,
    pull: PullOptions | None = None,
    *,
    replace: bool = False,
    progress: Callable[[], Progress] | None = None,
) -> Starting:
    """Create a container for `run`, which starts it at once. Returns a context.

    Its row says `starting` from the beginning, and its lock is held. That saves one transaction; and if this process is
    killed, the next call sees a container that was created but not started.
    """
    from podpy.libpod.containers.starting.start import Starting

    wanted = _Wanted(pull=pull or AS_CONFIGURED, replaces=replace, progress=progress)
    return Starting(_create(engine, spec, wanted, STARTING))


class _Wanted(Record):
    """The arguments of create besides the spec; see Runtime.create."""

    pull: PullOptions
    replaces: bool = False
    progress: Callable[[], Progress] | None = None
    also: Callable[[ContainerRow], object] | None = None


def draft(engine: Engine, spec: ContainerSpec) -> Held:
    """Return the container that `create` would make, for `--explain`; nothing is stored or locked.

    Raises NoSuchImageError if the image isn't in the store: nothing is pulled.
    """
    spec, image = _complete(engine, spec, _Wanted(pull=PullOptions(policy="never")))
    spec = _resolve_userns(engine, spec, _own_ids(engine, spec))
    name = spec.name or names.invent_name()
    row = _new_row(engine, names.new_id(), name, named(spec, name, engine.conf), image, CREATED)
    return Held(engine, row, image=image)


def _complete(engine: Engine, spec: ContainerSpec, wanted: _Wanted) -> tuple[ContainerSpec, ImageRecord | None]:
    """Return the spec with the image's and other containers' additions, except the id maps; and the image."""
    if spec.name and not names.is_valid_name(spec.name):
        raise UsageError(
            "running container create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument",
            hint=f"{spec.name!r} doesn't",
        )
    caller = engine.caller
    if engine.settings.transient_store:
        from podpy.libpod.system.transient import note_boot

        spec = spec.replace(transient_boot=note_boot(engine))
    if spec.pod:
        from podpy.libpod.pods import membership

        spec = membership.join(engine, spec)
    spec = with_defaults(spec, engine.conf, caller.environ, rootless=engine.paths.rootless, directory=caller.directory)
    if UNIT_VARIABLE in caller.environ:
        spec = spec.replace(systemd_unit=caller.environ[UNIT_VARIABLE])
    spec = _with_ports(spec)
    spec = _with_default_mounts(engine, spec)
    if spec.network == "bridge" or spec.networks:
        from podpy.libpod.containers.starting import networks

        spec = networks.complete(engine, spec)
    if spec.network:  # checked before anything is created: no container that could never start is left behind
        from podpy.network import mode

        mode.check(spec, mode.parse(spec.network, engine.conf))
    spec = _join_by_id(engine, spec)
    if spec.requires:
        spec = spec.replace(requires=[_find_to_share(engine, name, "to start first").id for name in spec.requires])
    if spec.labels.get(_AUTO_UPDATE) in _BY_REGISTRY and not spec.rootfs:
        _check_update_reference(spec.image)
    image = None if spec.rootfs else _find_or_pull(engine, spec.image, wanted)
    spec = _with_image_mounts(engine, spec)
    if spec.secrets:
        from podpy.libpod.containers.starting import secrets

        spec = secrets.resolve(engine, spec)
    base = base_environment(engine.conf, engine.caller.environ)
    return _merge_image(_with_volumes_from(engine, spec), image, wanted.pull, base), image


def _create(engine: Engine, spec: ContainerSpec, wanted: _Wanted, status: str) -> Held:
    for _ in range(_MOST_TRIES_FOR_AN_IMAGE - 1):
        try:
            return _create_once(engine, spec, wanted, status)
        except ImageGoneError:
            continue  # removed meanwhile, for example by a prune: it may be pulled again
    return _create_once(engine, spec, wanted, status)


def _create_once(engine: Engine, spec: ContainerSpec, wanted: _Wanted, status: str) -> Held:
    from podpy.libpod.containers.ending.finish import discard_volumes

    spec = _with_absolute_paths(spec, engine.caller.directory)
    if spec.cidfile and os.path.lexists(spec.cidfile):
        raise _cidfile_exists(spec.cidfile)
    asked, image = _complete(engine, spec, wanted)
    if asked.cdi_devices or asked.gpus:
        from podpy.oci import cdi

        cdi.find(asked.cdi_devices, asked.gpus, engine.settings.cdi_spec_dirs or engine.conf.cdi_spec_dirs)
    texts = f"{asked.hostname}{asked.workdir}"
    if asked.mounts or asked.devices or asked.init or not (texts.isascii() and texts.isprintable()):
        from podpy.libpod.containers.starting import preflight

        preflight.check_text(asked)
        preflight.check_sources(asked, engine.conf, rootless=engine.paths.rootless)
    if status == STARTING:
        from podpy.libpod.containers.starting.start import check_command
        from podpy.oci.document.resources import needed

        check_command(asked)
        if needed(asked.resources):
            from podpy.libpod.containers.starting import preflight

            preflight.check_limits(engine, asked)
    container_id = names.new_id()
    spec = _make_volumes(engine, asked)
    lock = engine.lock(container_id)
    lock.acquire()
    try:
        row = _insert(engine, container_id, spec, image, wanted, status)
        engine.mark("the container's row is committed")
        if engine.conf.log_path:
            os.makedirs(os.path.dirname(row.log_path), mode=0o700, exist_ok=True)
        if spec.cidfile:  # the last step: nothing can fail after it
            _write_cidfile(spec.cidfile, container_id)
    except BaseException:
        try:
            if engine.table.has(container_id):
                engine.database.make_room()  # the error may have been a write to a full disk
                engine.table.delete(container_id)
            pairs = zip(asked.mounts, spec.mounts, strict=True)
            discard_volumes(engine, [new.source for old, new in pairs if old.type == "volume" and not old.source])
            lock.remove()
        finally:
            lock.release()  # in any case: a library's process lives on
        raise
    if spec.restart_policy in ("always", "unless-stopped"):
        from podpy.libpod.system.boot import tell_once

        tell_once(engine, row.name)
    if status == CREATED:
        lock.release()
    return Held(engine, row, lock=lock, image=image)


def _with_absolute_paths(spec: ContainerSpec, directory: str) -> ContainerSpec:
    """Make relative paths absolute, from the caller's directory."""
    given = ((name, getattr(spec, name)) for name in ("rootfs", "cidfile", "pidfile", "conmon_pidfile"))
    changes: dict[str, Any] = {n: os.path.join(directory, path) for n, path in given if path and path[0] != "/"}
    if any(mount.type == "bind" and not mount.source.startswith("/") for mount in spec.mounts):
        changes["mounts"] = [
            mount.replace(source=os.path.join(directory, mount.source)) if mount.type == "bind" else mount
            for mount in spec.mounts
        ]
    return spec.replace(**changes) if changes else spec


def _find_or_pull(engine: Engine, name: str, wanted: _Wanted) -> ImageRecord:
    pull = wanted.pull.replace(policy=wanted.pull.policy or engine.conf.pull_policy)
    if pull.policy not in PULL_POLICIES:
        raise ConfigError(f'unsupported pull policy "{pull.policy}"', hint=f"One of {', '.join(PULL_POLICIES)}")
    if pull.policy in ("missing", "never") and not pull.names_platform:
        try:
            from podpy.image.names.lookup import find_image

            return find_image(engine.store, engine.paths, name)
        except NoSuchImageError:
            if pull.policy == "never":
                raise
    from podpy.image.incoming.pull import pull as pull_image
    from podpy.libpod.images.transfer import patient, transfer

    pull = patient(engine, pull)
    return transfer(
        engine,
        lambda reporter: pull_image(engine.store, engine.paths, name, pull, progress=reporter),
        wanted.progress() if wanted.progress else None,
    )


def _with_default_mounts(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Return the spec with the mounts of mounts.conf, except at targets where it has its own. Directories are overlays
    and files read-only, so a container can't change the host's.
    """
    from podpy.config.mounts_conf import load

    taken = {mount.target for mount in spec.mounts}
    added = []
    for source, target in load(engine.paths, engine.settings.default_mounts_file):
        if not os.path.exists(source):
            from podpy.notice import warn

            warn(f"Path {source} of mounts.conf doesn't exist, skipping")
        elif target not in taken:
            from podpy.spec.container import Mount

            options = ["O"] if os.path.isdir(source) else ["ro"]
            added.append(Mount(type="bind", source=source, target=target, options=options))
    return spec.replace(mounts=[*spec.mounts, *added]) if added else spec


def _with_image_mounts(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Replace names by ids in mounts of type image. Artifacts are looked up again at each start, as they may change.

    Raises NoSuchImageError, NoSuchArtifactError, ImageError, UsageError.
    """
    found = {}
    for mount in spec.mounts:
        if mount.type == "image":
            from podpy.image.names.lookup import find_image

            try:
                found[mount.target] = find_image(engine.store, engine.paths, mount.source).id
            except NoSuchImageError as error:
                told = f'creating image volume "{mount.source}":"{mount.target}": {error.message}'
                raise NoSuchImageError(told, hint=f"podpy pull {mount.source}") from None
        elif mount.type == "artifact":
            from podpy.libpod.containers.starting.artifacts import chosen

            chosen(engine, mount)
    return spec.replace(image_mounts=found) if found else spec


def _with_ports(spec: ContainerSpec) -> ContainerSpec:
    """Return the spec with each port once; if its network can't publish ports, without them and with a warning."""
    if spec.network not in ("host", "none") and not spec.network.startswith("container:"):
        if len(spec.ports) < 2:
            return spec
        from podpy.spec.text.ports import merged

        return spec.replace(ports=merged(spec.ports))
    if spec.ports:
        from podpy.notice import Plain, warn

        warn(Plain(_PORTS_DISCARDED))
    return spec.replace(ports=[], publish_all=False)


def _merge_image(
    spec: ContainerSpec, image: ImageRecord | None, pull: PullOptions, base: dict[str, str]
) -> ContainerSpec:
    from podpy.image.documents.config import ImageConfig, warn_of_other_machine
    from podpy.spec.merge import merge

    config = ImageConfig()
    if image:
        config = ImageConfig.parse(image.config)
        warn_of_other_machine(config, pull.wanted())
    return merge(spec, config, base)


def _join_by_id(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Replace the names of containers whose namespaces are joined by their ids: names may change.

    If such a container has the host's namespace, the new one gets the host's. Raises NoSuchContainerError, StateError.
    """
    changes = {}
    for kind, name in spec.joins():
        if name:
            other = _find_to_share(engine, name, f"to share {_NAMESPACES.get(kind, kind)} namespace with")
            mode = getattr(other.spec, kind)
            if kind == "ipc" and mode in ("private", "none"):
                raise StateError(
                    f"joining IPC of container {other.id} is not allowed: non-shareable IPC "
                    "(hint: use IpcMode:shareable for the donor container)"
                )
            changes[kind] = "host" if mode == "host" else f"container:{other.id}"
    return spec.replace(**changes) if changes else spec


def _other_relations(spec: ContainerSpec) -> list[tuple[str, str]]:
    """Return a container's other relations, besides joined namespaces: pairs of a kind and an id or a name."""
    images = [("image", used) for used in set(spec.image_mounts.values())]
    networks = [("network-used", each.network) for each in spec.networks]
    return [*images, *networks, *(("requires", needed) for needed in set(spec.requires))]


def _check_update_reference(name: str) -> None:
    """Raise UsageError for an image name without a registry: auto-update couldn't know where to pull from."""
    from podpy.image.names import reference

    try:
        is_short = reference.parse(name.removeprefix("docker://")).is_short
    except ImageError:
        return  # the look-up of the image will report the error
    if is_short:
        raise UsageError(
            f'short name: auto updates require fully-qualified image reference: "{name}"',
            hint=f"With the registry: docker.io/library/{name}",
        )


def _find_to_share(engine: Engine, name: str, why: str) -> Held:
    """Return the container; the error for a missing one says what it was looked up for. Raises as `find`."""
    try:
        return find(engine, name)
    except NoSuchContainerError as error:
        raise NoSuchContainerError(f"looking up container {why}: {error.message}", hint=error.hint) from None


def _with_volumes_from(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    if not spec.volumes_from:
        return spec
    from podpy.spec import volumes_from

    return volumes_from.resolve(spec, lambda name: _find_to_share(engine, name, f'"{name}" for volumes-from').spec)


def _own_ids(engine: Engine, spec: ContainerSpec) -> tuple[Lines, Lines] | None:
    """Return the id maps of podpy's own user namespace if the container's must be made from them."""
    if spec.userns in ("", "host") or spec.uid_maps:
        return None
    from podpy import rootless

    return engine.privileged(rootless.idmaps)


def _resolve_userns(engine: Engine, spec: ContainerSpec, own: tuple[Lines, Lines] | None) -> ContainerSpec:
    """Choose the id maps of a container with its own user namespace; they stay the same over restarts.

    Called in the transaction that adds the container, so the ids that are free for `auto` stay free.
    """
    if own is None:
        return spec
    from podpy.spec import userns
    from podpy.spec.container import ContainerSpec as Spec

    taken = []
    if spec.userns.startswith("auto"):
        others = (Spec.from_dict(fastjson.loads(row.spec)) for row in engine.table.all())
        taken = [mapping for other in others if other.userns.startswith("auto") for mapping in other.uid_maps]
    return userns.resolve(spec, own=own, rootless=engine.paths.rootless, taken=taken)


def _make_volumes(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Give every volume mount its volume: create missing named ones, give anonymous ones a random name."""
    if not any(mount.type == "volume" for mount in spec.mounts):
        return spec

    def with_volume(mount: Mount) -> Mount:
        if mount.type != "volume":
            return mount
        if NO_CREATE in mount.options and not engine.volume_table.exists(mount.source):
            raise NoSuchVolumeError(
                f"volume {mount.source} does not exist and nocreate option is set: no such volume",
                hint=f"podpy volume create {mount.source}",
            )
        return mount.replace(source=_ensure_volume(engine, mount, mount.source or names.new_id()))

    return spec.replace(mounts=[with_volume(mount) for mount in spec.mounts])


def _ensure_volume(engine: Engine, mount: Mount, name: str) -> str:
    """Create the volume of a mount unless it exists, and return its name."""
    options = volume_options(mount)

    def ensure() -> str:
        return engine.volume_table.ensure(name, anonymous=not mount.source, options=options).name

    return engine.privileged(ensure) if "o" in options else ensure()  # it may say an owner


def _note_volumes(engine: Engine, container_id: str, spec: ContainerSpec) -> None:
    for mount in spec.mounts:
        if mount.type == "volume":
            # Again: a prune may have removed it meanwhile. A name like an id is an anonymous volume's (_make_volumes).
            engine.volume_table.ensure(mount.source, anonymous=names.is_id(mount.source), options=volume_options(mount))
            engine.volume_table.use(container_id, mount.source)


def _insert(
    engine: Engine,
    container_id: str,
    spec: ContainerSpec,
    image: ImageRecord | None,
    wanted: _Wanted,
    status: str,
) -> ContainerRow:
    from podpy.libpod.system.repair import repair_if_needed

    if wanted.replaces and spec.name:
        _remove_owner_of(engine, spec.name)
    own = _own_ids(engine, spec)
    table = engine.table  # only now: a library's helper process gets an engine whose database is closed
    for _ in range(_MOST_TRIES_FOR_A_NAME):
        name = spec.name or names.invent_name()
        with engine.database.transaction():
            owner = table.name_owner(name)
            if not owner:
                _check_images(engine, [*([image.id] if image else []), *spec.image_mounts.values()])
                _check_joined(engine, spec)
                if spec.pod:
                    from podpy.libpod.pods import membership

                    membership.check(engine, spec)
                if spec.networks:
                    from podpy.libpod.containers.starting import networks

                    networks.check(engine, spec)
                whole = named(_resolve_userns(engine, spec, own), name, engine.conf)
                row = _new_row(engine, container_id, name, whole, image, status)
                table.insert(row, [*spec.joins(), *_other_relations(spec)])
                _note_volumes(engine, container_id, spec)
                if wanted.also is not None:
                    wanted.also(row)
                return row
        # An ended --rm container doesn't keep its name.
        if spec.name and not repair_if_needed(engine):
            raise InUseError(
                f'creating container storage: the container name "{name}" is already in use by {owner}. You have to '
                "remove that container to be able to reuse that name: that name is already in use, or use --replace "
                "to instruct podpy to do so",
                hint=f"podpy {'' if table.state_of(owner) else 'pod '}rm {name}",
            )
    raise InUseError("no free name was found for the container", hint="Give one with --name")


def _check_images(engine: Engine, ids: list[str]) -> None:
    """Raise ImageGoneError if an image was removed after it was found. Called in the transaction that adds the
    container: from then on the image can't be removed.
    """
    for image_id in ids:
        if not engine.store.images_table.has(image_id):
            raise ImageGoneError(f"image {image_id[:12]} was just removed: image not known", hint="Try again")


def _check_joined(engine: Engine, spec: ContainerSpec) -> None:
    """Raise NoSuchContainerError if a container whose namespaces are joined is being removed. Called in the transaction
    that adds this one: from then on that one can't be removed before this one.
    """
    for kind, owner in spec.joins():
        status = engine.table.state_of(owner)
        if status is None or status[0] == REMOVING:
            raise NoSuchContainerError(
                f"looking up container to share {_NAMESPACES.get(kind, kind)} namespace with: "
                f'no container with name or ID "{owner}" found: no such container',
                hint="It was just removed",
            )


def _new_row(
    engine: Engine,
    container_id: str,
    name: str,
    spec: ContainerSpec,
    image: ImageRecord | None,
    status: str,
) -> ContainerRow:
    # The typed name may be short; `ps` shows the image's full name, as with Podman.
    image_name = spec.image
    if image is not None and image.names and not spec.image.startswith("sha256:"):
        image_name = _full_name(image, spec.image)
    return ContainerRow(
        id=container_id,
        name=name,
        spec=fastjson.dumps(spec.as_dict()),
        image_id=image.id if image else "",
        image_name=image_name,
        command=fastjson.dumps(_shown_command(spec)),
        labels=fastjson.dumps(spec.shown_labels),
        ports=fastjson.dumps([port.as_dict() for port in spec.ports]),
        exposed=fastjson.dumps(spec.expose),
        log_path=spec.log_options.get("path", "") or _log_path(engine, container_id),
        created=time_ns(),
        status=status,
        boot_id=engine.paths.boot_id,
        remove_at_exit=int(spec.remove),
        restart_policy=spec.restart_policy,
        pod=spec.pod,
    )


def _log_path(engine: Engine, container_id: str) -> str:
    """Return the log's path; containers.conf's log_path gets a directory for each container."""
    place = engine.conf.log_path
    return os.path.join(place, container_id, "ctr.log") if place else f"{engine.directory(container_id)}/ctr.log"


def _full_name(image: ImageRecord, typed: str) -> str:
    bare, _, digest = typed.partition("@")
    if digest in image.digests:
        from podpy.image.names.reference import parse

        wanted = parse(typed).name
        repositories = [parse(name).name for name in image.names]
        return next((name for name in repositories if f"/{name}".endswith(f"/{wanted}")), wanted) + f"@{digest}"
    tagged = bare if ":" in bare.rpartition("/")[2] else bare + ":latest"
    for name in image.names:
        if name == tagged or name.endswith("/" + tagged):
            return name
    return image.names[0]


def _shown_command(spec: ContainerSpec) -> list[str]:
    """Return the command as `ps` shows it: without the entrypoint."""
    entrypoint = spec.entrypoint or []
    return spec.command[len(entrypoint) :] if spec.command[: len(entrypoint)] == entrypoint else spec.command


def _remove_owner_of(engine: Engine, name: str) -> None:
    from podpy.libpod.containers.ending.remove import remove

    try:
        owner = find(engine, name)
        engine.privileged(lambda: remove(owner, force=True, volumes=False, timeout=None))
    except NoSuchContainerError:
        pass


def _write_cidfile(path: str, container_id: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            try:
                file.write(container_id)
                file.flush()
            except OSError:
                os.unlink(path)  # the disk is full: an empty file would block the next try
                raise
    except FileExistsError:
        raise _cidfile_exists(path) from None
    except OSError as error:
        raise UsageError(f"--cidfile {path}: {error.strerror}") from error


def _cidfile_exists(path: str) -> UsageError:
    return UsageError(f"container id file exists. Ensure another container is not using it or delete {path}")
