"""What is on the disk before a row speaks of it, and files that change while they are read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from podpy.config.paths import Paths
from podpy.errors import ImageError
from podpy.image.incoming.staged import stage_file
from podpy.storage.database.database import Database
from podpy.storage.store import Store
from tests.image.test_import import write
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, Image, Layer


def traced(podpy: Podpy, *arguments: str) -> list[tuple[str, str]]:
    """Return the calls that sync the store, or give what is in it its place: (call, what it is about), in order."""
    trace = podpy.home / "trace"
    calls = "trace=syncfs,rename,renameat,renameat2,fdatasync,fsync"
    podpy.run(["strace", "-f", "-y", "-e", calls, "-o", str(trace), *podpy.command(*arguments)]).ok()
    found = []
    for line in trace.read_text().splitlines():
        call, _, rest = line.split(None, 1)[1].partition("(")
        if call.startswith(("sync", "rename", "fsync", "fdatasync")) and str(podpy.graphroot) in rest:
            found.append((call, rest))
    return found


def placed(podpy: Podpy, calls: list[tuple[str, str]]) -> list[int]:
    """Return which of the calls give a layer or a blob its place in the store."""
    places = tuple(f"{podpy.graphroot}/{name}/" for name in ("layers", "blobs"))
    return [
        n
        for n, (call, rest) in enumerate(calls)
        if call.startswith("rename") and rest.split('"')[-2].startswith(places)
    ]


@pytest.mark.parametrize("kind", ["image", "artifact"])
def test_everything_is_on_the_disk_before_it_is_visible(
    podpy: Podpy, busybox_image: Image, session_base: Path, kind: str
) -> None:
    """After a power cut a row must not speak of files that are empty: syncfs, then renames, then the commit."""
    podpy.ok("unshare", "true")  # a traced newuidmap has no privileges
    if kind == "image":
        archive = busybox_image.write_oci_archive(session_base / f"sync-{os.urandom(4).hex()}.tar", BUSYBOX)
        calls = traced(podpy, "load", "-q", "-i", str(archive))
    else:
        calls = traced(podpy, "artifact", "add", "localhost/a:1", str(write(session_base, b"x" * 1000)))
    renamed = placed(podpy, calls)
    synced = [n for n, (call, _) in enumerate(calls) if call == "syncfs"]
    committed = [n for n, (call, rest) in enumerate(calls) if "sync" in call and "podpy.sqlite" in rest]
    directories = [n for n, (call, rest) in enumerate(calls) if call == "fsync" and rest.rstrip().endswith("= 0")]
    assert renamed, calls
    assert synced and max(synced) < min(renamed), calls
    assert [n for n in directories if n > max(renamed)], calls
    assert committed and max(committed) > max(renamed), calls


def test_a_volumes_first_files_are_on_the_disk_before_they_are_in_it(podpy: Podpy, busybox: str) -> None:
    """A volume that isn't empty is never filled again: after a power cut it must not hold empty files."""
    podpy.ok("unshare", "true")  # a traced newuidmap has no privileges
    calls = traced(podpy, "run", "--rm", "--network=none", "-v", "data:/etc", busybox, "true")
    renamed = [n for n, (call, rest) in enumerate(calls) if call.startswith("rename") and "/volume" in rest]
    synced = [n for n, (call, _) in enumerate(calls) if call == "syncfs"]
    assert renamed and synced, calls
    assert min(synced) < min(renamed), calls


CHANGING = """
import sys
sys.path.insert(0, {package!r})
from podpy import Runtime
from podpy.errors import ImageError
from podpy.image.progress import Progress
from podpy.libpod.access import Here

class Changing(Progress):
    def layer_started(self, digest, size, offset):
        with open({path!r}, "r+b") as file:
            file.seek({at})
            file.write(b"changed")

with Runtime(access=Here()) as runtime:
    try:
        runtime.images.import_({path!r}, "x", progress=Changing())
    except ImageError as error:
        print(error.message)
    print([record.names for record in runtime.images.list()])
"""


def test_a_tar_that_changes_between_its_two_readings(podpy: Podpy, session_base: Path) -> None:
    path = write(session_base, Layer().add("a", b"x" * 4096).tar())
    path.chmod(0o666)
    script = CHANGING.format(package=str(podpy.launcher.parents[2]), path=str(path), at=1024)
    done = podpy.run([sys.executable, "-c", script])
    assert done.ok().splitlines() == [f"{path}: changed while it was read", "[]"]
    assert podpy.ok("system", "check") == ""


def test_an_artifacts_file_that_changes_between_its_two_readings(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first" * 100)

    class Changing(Store):
        """A store that is asked between the two readings, and then the file is another one."""

        def has_blob(self, digest: str) -> bool:
            path.write_bytes(b"later" * 100)
            return super().has_blob(digest)

    paths = Paths.find(str(tmp_path / "root"), str(tmp_path / "run"))
    store = Changing(paths, Database.open(paths))
    with pytest.raises(ImageError, match="changed while it was read"):
        stage_file(store, str(path))
    store.close()
    assert [*tmp_path.glob("root/blobs/sha256/*")] == []
