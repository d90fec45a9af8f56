"""Small images, made in pure Python from Debian's static busybox: no registry, no other engine needed."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUSYBOX_PATHS = ("/usr/bin/busybox", "/bin/busybox")
BUSYBOX = "localhost/busybox:latest"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
CREATED = "2026-01-01T00:00:00Z"
PASSWD = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nuser:x:1000:1000::/home/user:/bin/sh\n"
GROUP = "root:x:0:\ndaemon:x:1:\nuser:x:1000:\nextra:x:2000:user\n"


def sha256(data: bytes) -> str:
    """Return the digest as the OCI writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def compact(value: object) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


class Layer:
    """A layer's tar, entry by entry."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._buffer, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, name: str, data: bytes | None = None, *, mode: int = 0o644, **attributes: Any) -> Layer:
        """Add an entry: a file with `data`; without, a directory, or what `type=` (of tarfile) says."""
        entry = tarfile.TarInfo(name)
        entry.mode = mode
        if data is None:
            entry.type = tarfile.DIRTYPE
        else:
            entry.size = len(data)
        for key, value in attributes.items():
            setattr(entry, key, value)
        self._tar.addfile(entry, io.BytesIO(data) if data else None)
        return self

    def symlink(self, name: str, target: str) -> Layer:
        """Add a symbolic link."""
        return self.add(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777)

    def tar(self) -> bytes:
        """Return the whole tar."""
        self._tar.close()
        return self._buffer.getvalue()


@dataclass
class Image:
    """An image: uncompressed layer tars and the `config` part of its configuration."""

    layers: list[bytes]
    settings: dict[str, Any] = field(default_factory=dict)
    architecture: str = ARCHITECTURE

    def config(self) -> bytes:
        """Return the configuration as JSON."""
        return compact(
            {
                "architecture": self.architecture,
                "os": "linux",
                "created": CREATED,
                "config": self.settings,
                "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in self.layers]},
                "history": [{"created": CREATED, "created_by": "tests"} for _ in self.layers],
            }
        )

    def blobs(self, *, compressed: bool = True) -> tuple[bytes, dict[str, bytes]]:
        """Return the manifest and every blob by digest (the manifest included)."""
        config = self.config()
        blobs = {sha256(config): config}
        layers = []
        for layer in self.layers:
            data = gzip.compress(layer, compresslevel=1, mtime=0) if compressed else layer
            blobs[sha256(data)] = data
            kind = LAYER_TYPE + ("+gzip" if compressed else "")
            layers.append({"mediaType": kind, "digest": sha256(data), "size": len(data)})
        description = {"mediaType": CONFIG_TYPE, "digest": sha256(config), "size": len(config)}
        manifest = compact(
            {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": description, "layers": layers},
        )
        blobs[sha256(manifest)] = manifest
        return manifest, blobs

    def write_docker_archive(self, path: Path, name: str = BUSYBOX) -> Path:
        """Write what `docker save` writes and return `path`."""
        config = self.config()
        config_name = sha256(config).removeprefix("sha256:") + ".json"
        names = [sha256(layer).removeprefix("sha256:") + ".tar" for layer in self.layers]
        entries = {config_name: config, **dict(zip(names, self.layers, strict=True))}
        entries["manifest.json"] = compact([{"Config": config_name, "RepoTags": [name], "Layers": names}])
        write_tar(path, entries)
        return path

    def write_oci_archive(self, path: Path, name: str = BUSYBOX, *, compressed: bool = True) -> Path:
        """Write a tarred OCI layout and return `path`."""
        write_tar(path, self.oci_layout(name, compressed=compressed))
        return path

    def write_oci_directory(self, path: Path, name: str = BUSYBOX) -> Path:
        """Write an OCI layout and return `path`."""
        for relative, data in self.oci_layout(name).items():
            target = path / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return path

    def oci_layout(self, name: str, *, compressed: bool = True) -> dict[str, bytes]:
        """Return the files of an OCI layout by path."""
        manifest, blobs = self.blobs(compressed=compressed)
        description = {
            "mediaType": MANIFEST_TYPE,
            "digest": sha256(manifest),
            "size": len(manifest),
            "annotations": {"org.opencontainers.image.ref.name": name},
        }
        files = {"oci-layout": compact({"imageLayoutVersion": "1.0.0"})}
        files["index.json"] = compact({"schemaVersion": 2, "manifests": [description]})
        files.update({f"blobs/sha256/{digest.removeprefix('sha256:')}": data for digest, data in blobs.items()})
        return files


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    """Write files into a tar that everybody may read."""
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    path.chmod(0o644)


def find_busybox() -> Path:
    """Return Debian's static busybox. Raises FileNotFoundError that names the package."""
    for path in map(Path, BUSYBOX_PATHS):
        if path.exists():
            return path
    raise FileNotFoundError("no static busybox here: apt install busybox-static")


def busybox_image() -> Image:
    """Return an image with busybox, its applets, a root user, `user` (1000) and a PATH."""
    busybox = find_busybox()
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    layer = Layer()
    for name in ("bin", "dev", "etc", "proc", "root", "run", "sys", "usr", "var"):
        layer.add(name, mode=0o755)
    layer.add("home", mode=0o755).add("home/user", mode=0o755, uid=1000, gid=1000)
    layer.add("tmp", mode=0o1777)
    layer.add("etc/passwd", PASSWD.encode()).add("etc/group", GROUP.encode())
    layer.add("bin/busybox", busybox.read_bytes(), mode=0o755)
    for applet in applets:
        if applet != "busybox":
            layer.symlink(f"bin/{applet}", "busybox")
    return Image([layer.tar()], {"Cmd": ["sh"], "Env": ["PATH=/bin:/usr/bin:/sbin:/usr/sbin"]})
