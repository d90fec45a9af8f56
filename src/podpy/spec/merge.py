"""The image's configuration fills what the options left open: environment, command, user, volumes, labels … Pure."""

from __future__ import annotations

from podpy.signals import number_of
from podpy.spec.container import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.image.documents.config import ImageConfig
    from podpy.spec.container import ContainerSpec
    from podpy.spec.health import Health

_SIGTERM = 15
_SIGRTMIN_3 = 37  # systemd(1): shut down; at SIGTERM it re-executes itself


def merge(spec: ContainerSpec, image: ImageConfig, base: Mapping[str, str]) -> ContainerSpec:
    """Return the spec with the image's configuration in the fields that no option set.

    `base`: the variables that the image's override (`spec.defaults.base_environment`). Raises UsageError, ImageError.
    """
    command = _command(spec, image)
    usual_signal = _SIGRTMIN_3 if spec.replace(command=command).is_for_systemd else _SIGTERM
    return spec.replace(
        command=command,
        entrypoint=_entrypoint(spec, image),
        env=_environment(spec, image, base),
        user=spec.user or image.user,
        workdir=spec.workdir or _absolute(image.workdir),
        # podpy creates only the image's directory, so `-w /typo` is an error.
        create_workdir=spec.create_workdir or not spec.workdir,
        image_labels=dict(image.labels),
        mounts=[*spec.mounts, *_volumes(spec, image)],
        expose=_exposed(spec, image),
        stop_signal=spec.stop_signal or number_of(image.stop_signal) or usual_signal,
        health=_health(spec, image),
    )


def _health(spec: ContainerSpec, image: ImageConfig) -> Health | None:
    if spec.health is None and image.healthcheck is None:
        found = None
    else:
        from podpy.spec import health

        found = health.merged(spec.health, image.healthcheck)
    if spec.sdnotify == "healthy" and (found is None or not found.is_checked):
        from podpy.errors import UsageError

        raise UsageError(
            'invalid argument: sdnotify policy "healthy" requires a healthcheck to be set',
            hint="Give one with --health-cmd, or an image that has one",
        )
    return found


def _exposed(spec: ContainerSpec, image: ImageConfig) -> list[str]:
    if not image.exposed_ports:
        return list(dict.fromkeys(spec.expose))
    from podpy.spec.text.expose import of_image

    return list(dict.fromkeys([*spec.expose, *of_image(image.exposed_ports)]))


def _command(spec: ContainerSpec, image: ImageConfig) -> list[str]:
    """Return entrypoint and arguments. A user's entrypoint drops the image's arguments, too."""
    arguments = spec.command
    if not arguments and not spec.entrypoint:
        arguments = image.cmd
    return [*_entrypoint(spec, image), *arguments]


def _entrypoint(spec: ContainerSpec, image: ImageConfig) -> list[str]:
    entrypoint = image.entrypoint if spec.entrypoint is None else spec.entrypoint
    return [] if entrypoint == [""] else entrypoint


def _environment(spec: ContainerSpec, image: ImageConfig, base: Mapping[str, str]) -> dict[str, str]:
    merged = {**base, **dict(item.partition("=")[::2] for item in image.env)}
    if spec.env_merge:
        from podpy.spec.text.words import expand

        for name, text in spec.env_merge.items():
            merged[name] = expand(text, merged)
    if spec.unset_env_all:
        merged = {}
    for name in spec.unset_env:
        merged.pop(name, None)
    return {**merged, **spec.env}


def _volumes(spec: ContainerSpec, image: ImageConfig) -> list[Mount]:
    if spec.image_volume == "ignore":
        return []
    taken = {mount.target.rstrip("/") for mount in spec.mounts}
    targets = [_absolute(path) for path in image.volumes]
    free = [target for target in targets if target.rstrip("/") not in taken]
    if spec.image_volume == "tmpfs":
        return [Mount(type="tmpfs", target=t, options=["rw", "nosuid", "nodev"], from_image=True) for t in free]
    return [
        Mount(type="volume", target=t, options=["rprivate", "nosuid", "nodev", "rbind"], from_image=True) for t in free
    ]


def _absolute(path: str) -> str:
    return path if path.startswith("/") else "/" + path
