"""Everything that podpy prints as JSON has the keys and types of Podman 5.4.2 and 5.8.6, but for what stands below.

tests/data/podman-VERSION.json are real Podman's, made by scripts/shapes.py; see tests/support/shapes.py.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support import shapes
from tests.support.engine import Podpy, shared_directory
from tests.support.registry import Registry

DATA = Path(__file__).resolve().parents[1] / "data"
VERSIONS = ("5.4.2", "5.8.6")

# (question, path, why): patterns; what is below a path that is different is so, too.
DIFFERENCES = [
    ("inspect*", "*.HostConfig.MemorySwappiness", "as Podman 6: null where nothing was asked for"),
    ("inspect, *", "*.Config.Healthcheck.Retries", "5.8's: the default, where the image says nothing"),
    ("inspect, ended", "*.OCIConfigPath", "the bundle goes when a container ends"),
    ("inspect, ended", "*.HostConfig.Ulimits*", "those that weren't asked for are known from the bundle alone"),
    ("inspect, ended", "*Config.Annotations*", "those that weren't asked for are known from the bundle alone"),
    ("inspect*", "*.GraphDriver.Data*", "mounts lie in the container's namespace: there is no directory of the whole"),
    ("inspect*", "*.State.CgroupPath", "a host without a cgroup of version 2 for the user has none"),
    ("images", "*.RepoTags*", "Podman's API has them here, its command line null"),
    ("images", "*.Repository", "Podman 6 has it"),
    ("images", "*.Tag", "Podman 6 has it"),
    ("images*", "*.Arch", "Podman's API has it, its command line not"),
    ("images*", "*.Os", "Podman's API has it, its command line not"),
    ("images*", "*.IsManifestList", "Podman's API has it, its command line not"),
    ("images .", "*.CreatedAt", "Podman has it with `--format json` alone"),
    ("volume ls*", "*.GID", "a volume gets its owner when a container starts with it, not when one is made"),
    ("volume ls*", "*.UID", "a volume gets its owner when a container starts with it, not when one is made"),
    ("secret ls", "*", "Podman prints the word json for each"),
    ("artifact ls .", "*.Created*", "podpy's own: an artifact has a date"),
    ("artifact ls .", "*.VirtualSize", "5.8's"),
    ("artifact inspect", "*.Manifest.annotations", "5.8's"),
    ("events*", "*.Error", "a pull's that failed: whether there was one is the store's history"),
    ("info*", ".[hH]ost.freeLocks", "locks are files: there is no table that could be full"),
    ("info*", ".[hH]ost.networkBackendInfo.*", "there is no program behind it"),
    ("info*", ".[pP]lugins.network*", "no networks of one's own yet"),
    ("info*", ".[hH]ost.cdiSpecDirs*", "Podman 6's"),
    ("info*", ".[hH]ost.discoveredDevices*", "Podman 6's"),
    ("info*", ".[hH]ost.memAvailable", "Podman 6's"),
    ("info*", ".[hH]ost.cgroupReason", "podpy's own: why limits can't be had"),
    ("info*", ".[hH]ost.versionNotes*", "podpy's own: what programs lack for their age"),
    ("info*", ".[hH]ost.distribution.*", "what the distribution says of itself"),
    ("info*", ".[hH]ost.cgroupControllers*", "what the host gives the user"),
    ("info*", ".[sS]tore.configFile", "5.4's"),
    ("info*", ".[rR]egistries*", "what the host's registries.conf says"),
    ("*", "*.BuildOrigin", "Debian's own"),
    ("ps placeholders", ".Labels", "as Podman 6: k=v,k=v"),
    ("volume ls placeholders", ".Labels", "as Podman 6: k=v,k=v"),
    ("images placeholders", ".Labels", "a manifest list's are an empty map, Podman's null"),
    ("version placeholders", ".Server*", "who asks for the server's version gets this one"),
]


@pytest.fixture
def found(podpy: Podpy, registry: Registry) -> dict[str, shapes.Shape]:
    """What podpy's answers look like."""
    shapes.set_up(podpy.ok, shared_directory(podpy), registry)
    return shapes.answers(podpy.ok, registry, str(podpy.launcher))


def test_json_has_podmans_keys_and_types(found: dict[str, shapes.Shape]) -> None:
    told = []
    for version in VERSIONS:
        real = json.loads((DATA / f"podman-{version}.json").read_text())
        assert list(real) == list(shapes.QUESTIONS), "tests/data is older than the questions: see scripts/shapes.py"
        for kind, tree in real.items():
            told += [f"{version}: {line}" for line in _different(kind, shapes.flat(tree), found[kind])]
    assert not told, "\n".join(told)


def _different(kind: str, real: shapes.Shape, ours: shapes.Shape) -> list[str]:
    """Return what is different; what lies in something that one of the two doesn't have, or has empty, isn't told."""
    told = []
    for path in sorted({*real, *ours}):
        inside = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]
        is_content = path.endswith(("[]", ".*"))
        if is_content and not (path in real and path in ours):
            continue
        if path != "" and not (inside in real and inside in ours):
            continue
        if real.get(path) != ours.get(path) and not _is_meant(kind, path):
            told.append(f"{kind}: {path or 'the whole'} is {ours.get(path)}, Podman's is {real.get(path)}")
    return told


def _is_meant(kind: str, path: str) -> bool:
    return any(fnmatchcase(kind, asked) and fnmatchcase(path, place) for asked, place, _ in DIFFERENCES)
