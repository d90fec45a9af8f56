"""Keywords about a container's files and ports → Mounts and PortMappings, by the readers of the options' texts."""

from __future__ import annotations

from collections.abc import Mapping

from podpy.errors import UsageError
from podpy.spec.container import Mount, PortMapping
from podpy.spec.text.mounts import parse_mount
from podpy.spec.text.ports import parse_publish
from podpy.spec.text.volumes import parse_tmpfs, parse_volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podpy.library.options import HostPort

    Volumes = Mapping[str, str | Mapping[str, str]] | Sequence[str]
    Ports = Mapping[int | str, HostPort] | Sequence[str]


def mounts(
    volumes: Volumes,
    more: Sequence[Mount | str],
    tmpfs: Mapping[str, str] | Sequence[str],
    directory: str,
    rootless: bool,
) -> list[Mount]:
    """Return what is mounted; relative paths begin at `directory`. Raises UsageError, also for one place twice."""
    found = [parse_volume(text, rootless=rootless, directory=directory) for text in _volume_texts(volumes)]
    for one in more:
        read = [one] if isinstance(one, Mount) else parse_mount(one, rootless=rootless, directory=directory)
        found += read
    for text in _tmpfs_texts(tmpfs):
        found.append(parse_tmpfs(text, rootless=rootless))
    targets = [mount.target for mount in found]
    for target in targets:
        if targets.count(target) > 1:
            raise UsageError(f"{target}: duplicate mount destination", hint="Give each place one mount")
    return found


def _volume_texts(volumes: Volumes) -> Iterator[str]:
    if not isinstance(volumes, Mapping):
        yield from volumes
        return
    for source, place in volumes.items():
        if isinstance(place, str):
            yield f"{source}:{place}"
        elif "bind" not in place:
            raise UsageError(
                f"volumes: {source}: no place is named", hint='{"/here": {"bind": "/there", "mode": "ro"}}'
            )
        else:
            yield ":".join(filter(None, (source, place["bind"], place.get("mode", ""))))


def _tmpfs_texts(tmpfs: Mapping[str, str] | Sequence[str]) -> Iterator[str]:
    if isinstance(tmpfs, Mapping):
        yield from (f"{target}:{options}" if options else target for target, options in tmpfs.items())
    else:
        yield from tmpfs


def ports(asked: Ports) -> list[PortMapping]:
    """Return the published ports. Raises UsageError."""
    if not isinstance(asked, Mapping):
        return [port for text in asked for port in parse_publish(text)]
    texts = (text for inside, outside in asked.items() for text in _port_texts(str(inside), outside))
    return [port for text in texts for port in parse_publish(text)]


def _port_texts(inside: str, outside: HostPort) -> Iterator[str]:
    if outside is None:
        yield inside
    elif isinstance(outside, int | str):
        yield f"{outside}:{inside}"
    elif isinstance(outside, tuple) and len(outside) == 2 and isinstance(outside[0], str):
        address = f"[{outside[0]}]" if ":" in outside[0] else outside[0]
        yield f"{address}:{outside[1]}:{inside}"
    else:
        yield from (f"{port}:{inside}" for port in outside)
