"""What `image inspect`, `images`, `history` and `image tree` show: plain data with Podman 5's names."""

from __future__ import annotations

from podpy.errors import ImageError
from podpy.image.documents.config import ImageConfig
from podpy.image.names.reference import parse
from podpy.record import Record
from podpy.times import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store


class Step(Record):
    """One entry of an image's history, the newest first. `size` in bytes; `image_id` only for the image itself."""

    image_id: str
    created: str
    created_by: str
    size: int
    comment: str
    names: list[str] = []

    @property
    def created_at(self) -> int:
        """When the image was made, in nanoseconds since 1970; 0 if it doesn't say."""
        return max(0, nanoseconds(self.created))


class LayerLine(Record):
    """One layer of `image tree`: its diff id, its bytes, and the names of images whose topmost layer it is.

    `children`: the layers that are built on it, where these were asked for.
    """

    diff_id: str
    size: int
    names: list[str]
    children: list[LayerLine] = []


def parse_config(record: ImageRecord) -> ImageConfig:
    """Return an image's configuration; an empty one if it can't be read (what is in the store must be listable)."""
    try:
        return ImageConfig.parse(record.config)
    except ImageError:
        return ImageConfig()


def repo_digests(record: ImageRecord) -> list[str]:
    """Return `name@digest` for each repository that the image has a name of and each manifest, sorted, as Podman."""
    repositories = {parse(name).name for name in record.names}
    return sorted(f"{name}@{digest}" for name in repositories for digest in record.digests)


def repo_tags(record: ImageRecord) -> list[str]:
    """Return the names that have a tag."""
    return [name for name in record.names if "@" not in name]


def inspect(store: Store, record: ImageRecord) -> dict[str, Any]:
    """Return what `podman image inspect` says about an image, fields in its order."""
    config = ImageConfig.parse(record.config)
    manifest = _manifest_facts(record)
    data: dict[str, Any] = {
        "Id": record.id,
        "Digest": record.podman_digest,
        "RepoTags": repo_tags(record),
        "RepoDigests": repo_digests(record),
        "Parent": "",
        "Comment": config.comment or (config.history[-1].comment if config.history else ""),
        "Created": config.created or None,
        "Config": _settings(config),
        "Version": "",
        "Author": config.author,
        "Architecture": config.architecture,
        "Os": config.os,
        "Size": record.size,
        "VirtualSize": record.size,
        "GraphDriver": {"Name": "overlay", "Data": _driver_data(store, record)},
        "RootFS": {"Type": "layers", "Layers": config.diff_ids},
        "Labels": config.labels or None,
        "Annotations": manifest[1],
        "ManifestType": manifest[0],
        "User": config.user,
        "History": [_history_entry(entry) for entry in config.history],
        "NamesHistory": store.images_table.name_history().get(record.id, []),
    }
    if config.healthcheck is not None:
        data["Healthcheck"] = _health(config)
    return data


def _settings(config: ImageConfig) -> dict[str, Any]:
    """Return the OCI `config` object, absent what is empty (Go's omitempty)."""
    values = {
        "User": config.user,
        "ExposedPorts": {port: {} for port in config.exposed_ports},
        "Env": config.env,
        "Entrypoint": config.entrypoint,
        "Cmd": config.cmd,
        "Volumes": {volume: {} for volume in config.volumes},
        "WorkingDir": config.workdir,
        "Labels": config.labels,
        "StopSignal": config.stop_signal,
    }
    return {name: value for name, value in values.items() if value}


def _health(config: ImageConfig) -> dict[str, Any]:
    check = config.healthcheck
    assert check is not None
    values = {
        "Test": check.test,
        "StartPeriod": check.start_period,
        "StartInterval": check.start_interval,
        "Interval": check.interval,
        "Timeout": check.timeout,
        "Retries": check.retries,
    }
    return {name: value for name, value in values.items() if value}


def _history_entry(entry: Any) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in ("created", "created_by", "author", "comment", "empty_layer")}
    return {name: value for name, value in values.items() if value}


def _manifest_facts(record: ImageRecord) -> tuple[str, dict[str, str]]:
    from podpy.image.documents import schema

    try:
        manifest = schema.parse(record.manifest)
    except ImageError:
        return "", {}
    return manifest.media_type, manifest.annotations


def _driver_data(store: Store, record: ImageRecord) -> dict[str, str] | None:
    if not record.layers:
        return None
    numbers = store.layer_numbers(record.layers)
    paths = [f"{store.graphroot}/layers/{number}" for number in numbers]
    data = {"UpperDir": paths[-1]}
    if len(paths) > 1:
        data = {"LowerDir": ":".join(reversed(paths[:-1])), **data}
    return data


def layer_sizes(store: Store, record: ImageRecord) -> list[int]:
    """Return the bytes of each layer, lowest first."""
    known = store.all_layers()
    return [known[chain_id].size if chain_id in known else 0 for chain_id in record.layers]


def history(store: Store, record: ImageRecord) -> list[Step]:
    """Return how the image was made, the last step first."""
    config = parse_config(record)
    sizes = layer_sizes(store, record)
    entries = config.history
    if not entries:
        return [
            Step(image_id=record.id if number == len(sizes) - 1 else "", created=config.created, created_by="",
                 size=size, comment="", names=repo_tags(record) if number == len(sizes) - 1 else [])
            for number, size in reversed(list(enumerate(sizes)))
        ]  # fmt: skip
    steps = []
    layer = 0
    for entry in entries:
        size = 0
        if not entry.empty_layer and layer < len(sizes):
            size = sizes[layer]
            layer += 1
        steps.append(
            Step(image_id="", created=entry.created, created_by=entry.created_by, size=size, comment=entry.comment)
        )
    steps[-1] = steps[-1].replace(image_id=record.id, names=repo_tags(record))
    return steps[::-1]


def tree(store: Store, record: ImageRecord) -> list[LayerLine]:
    """Return the image's layers, lowest first, each with the names of all images that end in it."""
    tops = _names_by_top_layer(store)
    config = parse_config(record)
    sizes = layer_sizes(store, record)
    lines = zip(config.diff_ids, sizes, record.layers, strict=False)
    return [LayerLine(diff_id=diff_id, size=size, names=tops.get(chain, [])) for diff_id, size, chain in lines]


def built_on(store: Store, record: ImageRecord) -> list[LayerLine]:
    """Return the image's topmost layer with all layers of the store that are built on it; nothing if it has none."""
    if not record.layers:
        return []
    tops = _names_by_top_layer(store)
    known = store.all_layers()
    children: dict[str, list[str]] = {}
    for chain, layer in known.items():
        if layer.parent:
            children.setdefault(layer.parent, []).append(chain)
    # From the leaves down, as a recursion would go too deep for the 500 layers that an image may have.
    order = [record.layers[-1]]
    for chain in order:
        order += children.get(chain, [])
    made: dict[str, LayerLine] = {}
    for chain in reversed(order):
        above = [made[child] for child in children.get(chain, [])]
        made[chain] = LayerLine(
            diff_id=known[chain].diff_id, size=known[chain].size, names=tops.get(chain, []), children=above
        )
    return [made[record.layers[-1]]]


def _names_by_top_layer(store: Store) -> dict[str, list[str]]:
    tops: dict[str, list[str]] = {}
    for other in store.images():
        if other.layers:
            tops.setdefault(other.layers[-1], []).extend(other.names)
    return tops
