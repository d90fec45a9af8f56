"""`system df` and the prune commands: numbers that equal `du`, and nothing goes that something uses."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

from podpy.libpod.system.disk_usage import KindUsage
from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support import wait
from tests.support.engine import Podpy, Result
from tests.support.images import Image, Layer
from tests.support.registry import Registry

BASE = Layer().add("base", b"b" * 100_000).add("hard", b"h" * 50_000).add("second", type=b"1", linkname="hard").tar()
FIRST = Image([BASE, Layer().add("deep", mode=0o755).add("deep/first", b"1" * 30_000).tar()], {"Cmd": ["/x"]})
SECOND = Image([BASE, Layer().add("second-only", b"2" * 70_000).tar()], {"Labels": {"keep": "yes"}, "Cmd": ["/x"]})
PLACES = {"Images": ("layers", "blobs/sha256", "recipes", "mapped"), "Containers": ("containers",)}
PLACES["Local Volumes"] = ("volumes",)


@pytest.fixture
def two(podpy: Podpy, session_base: Path) -> Podpy:
    """The images localhost/first and localhost/second, which share their lower layer, one with its blobs."""
    podpy.ok("load", "-qi", str(FIRST.write_docker_archive(session_base / "space-1.tar", "localhost/first:latest")))
    podpy.ok("load", "-qi", str(SECOND.write_oci_archive(session_base / "space-2.tar", "localhost/second:latest")))
    return podpy


def du(podpy: Podpy, *places: str) -> int:
    """What `du` says, inside the user's namespaces, about all that is in directories of the graphroot."""
    paths = [str(path) for place in places for path in sorted((podpy.graphroot / place).glob("*"))]
    if not paths:
        return 0
    return int(podpy.ok("unshare", "du", "-scB1", *paths).splitlines()[-1].split()[0])


def df(podpy: Podpy) -> dict[str, dict[str, int]]:
    return {row["Type"]: row for row in podpy.json("system", "df", "--format", "json")}


def everything(podpy: Podpy) -> int:
    return sum(du(podpy, *places) for places in PLACES.values())


def test_df_says_what_du_says(two: Podpy, busybox: str) -> None:
    two.ok(
        "run", "--name", "wrote", "-v", "data:/data", busybox, "sh", "-c", "head -c 99999 /dev/zero | tee /f >/data/f"
    )
    two.ok("run", "-d", "--userns=keep-id", "--name", "runs", busybox, "sleep", "100")
    for _ in range(2):  # measured, and remembered
        rows = df(two)
        assert {kind: row["RawSize"] for kind, row in rows.items()} == {k: du(two, *v) for k, v in PLACES.items()}
    assert [(row["Total"], row["Active"]) for row in rows.values()] == [(3, 1), (2, 1), (1, 1)]
    assert rows["Local Volumes"]["RawReclaimable"] == 0
    assert rows["Containers"]["RawReclaimable"] == du(two, "containers") - _directory(two, "runs")
    assert two.ok("system", "df").splitlines()[0].split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert two.ok("system", "df", "--format", "{{.Type}}={{.Total}}").splitlines()[0] == "Images=3"


def test_df_and_rmi_of_a_tree_that_is_deeper_than_a_path_is_long(podpy: Podpy, session_base: Path) -> None:
    deep = "/".join(["d" * 200] * 19)
    layer = Layer().add(deep, mode=0o755).symlink("link", deep)
    image = Image([layer.add("link/" + "/".join(["e" * 200] * 5) + "/file", b"x" * 5000).tar()])
    podpy.ok("load", "-qi", str(image.write_docker_archive(session_base / "deep.tar", "localhost/deep:latest")))
    assert df(podpy)["Images"]["RawSize"] == du(podpy, *PLACES["Images"])
    podpy.ok("rmi", "deep")
    assert everything(podpy) == 0


def _directory(podpy: Podpy, name: str) -> int:
    identity = podpy.ok("inspect", "--format", "{{.Id}}", name)
    return int(podpy.ok("unshare", "du", "-sB1", str(podpy.graphroot / "containers" / identity)).split()[0])


def test_df_verbose_tells_shared_from_own(two: Podpy) -> None:
    lines = two.ok("system", "df", "-v").splitlines()
    assert lines[0] == "Images space usage:"
    assert lines[2].split("  ")[0] == "REPOSITORY"
    rows = {line.split()[0]: line.split() for line in lines if line.startswith("localhost/")}
    assert rows["localhost/first"][-3] == rows["localhost/second"][-3] != "0B"
    two("system", "df", "-v", "--format", "json").fails(125, "cannot combine --format and --verbose")


def test_prune_frees_what_it_says(two: Podpy) -> None:
    before, rows = everything(two), df(two)
    assert rows["Images"]["RawReclaimable"] == before
    for group in ("system", "image"):
        plain = two(group, "prune", "--dry-run")
        assert plain.ok() == "Total reclaimable space: 0B"
        assert plain.stderr.startswith("Hint: --all takes 2 more that no container uses (")
    dry = two.ok("system", "prune", "--all", "--dry-run").splitlines()
    assert dry[0] == "Would delete Images"
    assert everything(two) == before
    done = two.ok("system", "prune", "--all", "--force").splitlines()
    assert done[0] == "Deleted Images"
    assert done[1:3] == dry[1:3]
    assert done[-1].replace("reclaimed", "reclaimable") == dry[-1]
    assert everything(two) == 0
    assert done[-1].startswith("Total reclaimed space: ")


def test_a_shared_layer_is_freed_with_its_last_image(two: Podpy) -> None:
    two.ok("create", "--name", "user-of-it", "first")
    before = everything(two)
    reclaimable = df(two)["Images"]["RawReclaimable"]
    two.ok("image", "prune", "-a", "-f", "--filter", "label!=keep")
    assert everything(two) == before
    assert two.ok("image", "prune", "-a", "--filter", "label=keep", "--dry-run").splitlines()[-1].endswith("kB")
    two.ok("image", "prune", "-af")
    assert before - everything(two) == reclaimable
    assert two.ok("images", "-n", "--format", "{{.Repository}}") == "localhost/first"


def test_system_prune_takes_containers_then_volumes_then_images(podpy: Podpy, busybox: str) -> None:
    stopped = podpy.ok("create", "-v", "mine:/data", busybox, "true")
    podpy.ok("run", "--rm", "-v", "other:/data", busybox, "sh", "-c", "echo x >/data/f")
    before = everything(podpy)
    question = podpy("system", "prune", "-a", "--volumes", input="n\n").ok()
    assert "\t- all volumes not used by at least one container\n\t- all images without" in question
    assert question.endswith("Are you sure you want to continue? [y/N] ")
    for command in ("system", "image", "container"):
        podpy(command, "prune", input="").fails(125, "no answer on standard input", "--force")
    dry = podpy.ok("system", "prune", "-a", "--volumes", "--dry-run").splitlines()
    assert dry[:-1] == [
        "Would delete Containers", stopped, "Would delete Volumes", "mine", "other", "Would delete Images", dry[-2]
    ]  # fmt: skip
    assert everything(podpy) == before
    done = podpy.ok("system", "prune", "-af").splitlines()
    assert done[:2] == ["Deleted Containers", stopped]
    assert done[2] == "Deleted Images"
    assert "Total reclaimed space:" in podpy.ok("system", "prune", "-f", "--volumes")
    assert everything(podpy) == 0
    podpy("system", "prune", "--external", "-a").fails(125, "--external cannot be combined")
    assert podpy.ok("system", "prune", "--external") == ""


def test_what_an_interrupted_pull_has_received_is_seen_and_can_be_removed(podpy: Podpy, odd: OddRegistry) -> None:
    odd.add("x", "latest", Image([Layer().add("big", os.urandom(1 << 20)).tar()]))
    odd.cuts = [400_000] + [0] * 10
    configure(podpy, insecure(odd.address))
    podpy("pull", "--retry-delay", "10ms", f"{odd.address}/x").fails(125, "stopped at")
    received = du(podpy, "tmp/blobs")
    assert received > 300_000
    row = df(podpy)["Images"]
    assert row["RawSize"] == row["RawReclaimable"] == received + du(podpy, *PLACES["Images"])
    assert podpy.ok("image", "prune", "--dry-run") == "Total reclaimable space: 0B"
    podpy.ok("image", "prune", "-f")
    podpy.ok("image", "prune", "-af", "--filter", "until=1h")
    assert du(podpy, "tmp/blobs") == received, "the next pull would go on from there"
    dry = podpy.ok("image", "prune", "--all", "--dry-run")
    done = podpy.ok("system", "prune", "--all", "--force")
    assert done.removeprefix("Total reclaimed") == dry.removeprefix("Total reclaimable") != " space: 0B"
    assert du(podpy, "tmp/blobs") == df(podpy)["Images"]["RawSize"] == 0


def test_what_a_killed_pull_leaves_is_counted_and_goes(podpy: Podpy, odd: OddRegistry) -> None:
    odd.add("x", "latest", Image([Layer().add("big", os.urandom(1 << 20)).tar()]))
    configure(podpy, insecure(odd.address))
    odd.hold = threading.Event()
    process = podpy.popen("pull", f"{odd.address}/x", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait.until(lambda: du(podpy, "tmp/blobs") > 0, what="part of the blob is kept")
    busy = df(podpy)["Images"]
    assert busy["RawReclaimable"] == 0 < busy["RawSize"]
    podpy.ok("image", "prune", "-af")
    assert du(podpy, "tmp/blobs") > 0, "it is being received"
    process.kill()
    process.wait()
    odd.hold.set()
    odd.hold = None
    left = du(podpy, "tmp") - int(podpy.ok("unshare", "stat", "-c", "%b", str(podpy.graphroot / "tmp/blobs"))) * 512
    assert df(podpy)["Images"]["RawReclaimable"] == left
    podpy.ok("image", "prune", "-af")
    assert df(podpy)["Images"]["RawSize"] == du(podpy, "tmp/blobs") == 0


def test_artifacts_count_as_images_and_stay(podpy: Podpy) -> None:
    file = podpy.home / "file"
    file.write_bytes(b"x" * 100_000)
    file.chmod(0o644)
    podpy.ok("artifact", "add", "localhost/thing:1", str(file))
    row = df(podpy)["Images"]
    assert row["RawSize"] == du(podpy, *PLACES["Images"]) > 100_000
    assert row["RawReclaimable"] == 0
    assert podpy.ok("system", "prune", "-af") == "Total reclaimed space: 0B"


def test_prune_keeps_what_is_newer_or_has_got_a_name(two: Podpy) -> None:
    assert two.ok("image", "prune", "-af", "--filter", "until=2020-01-01") == ""
    assert two.ok("image", "prune", "-f") == ""
    assert len(two.ok("images", "-q").split()) == 2
    two.ok("create", "--name", "old", "first")
    assert two.ok("container", "prune", "--dry-run", "--filter", "until=1h") == "Total reclaimable space: 0B"
    assert two.ok("container", "prune", "--dry-run").splitlines()[0] == two.ok("ps", "-aq", "--no-trunc")


def test_containers_start_while_everything_unused_is_pruned(
    podpy: Podpy, registry: Registry, busybox_image: Image
) -> None:
    registry.push("busybox", "1", busybox_image)
    name = f"{registry.address}/busybox:1"
    over = threading.Event()
    pruned: list[Result] = []

    def prune() -> None:
        while not over.is_set():
            pruned.append(podpy("system", "prune", "-af", "--volumes"))

    thread = threading.Thread(target=prune)
    thread.start()
    try:
        runs = [
            podpy("run", "-q", "--rm", "--network=none", "--tls-verify=false", "-v", "v:/data", name, "true")
            for _ in range(5)
        ]
    finally:
        over.set()
        thread.join()
    for result in [*runs, *pruned]:
        result.ok()
    assert podpy.ok("system", "check") == ""


@pytest.mark.parametrize(
    ("size", "reclaimable", "percent"), [(0, 0, 0), (200, 200, 100), (200, 0, 0), (3, 1, 33), (3, 2, 67), (8, 1, 13)]
)
def test_reclaimable_is_a_rounded_share_of_the_size(size: int, reclaimable: int, percent: int) -> None:
    assert KindUsage(kind="Images", total=3, active=1, size=size, reclaimable=reclaimable).percent == percent
