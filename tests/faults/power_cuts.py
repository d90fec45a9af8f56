#!/usr/bin/env python3
"""Cuts a machine's power while podpy changes images, and compares what is there after the reboot.

    tests/faults/power_cuts.py --run 'COMMAND' --cut 'COMMAND' [--podpy PATH] [--layout DIRECTORY] [CASE…]

Not part of the test suite: it needs a virtual machine whose disk survives, with podpy in it and nothing to lose in the
user's store (all images are removed). `--run` runs the words behind it in the machine, as an unprivileged user with a
login session, and passes standard input, output and the exit code on. `--cut` ends the machine without any warning
(kill -9 of its process, a hypervisor's reset) and returns when it is up again. Only the standard library is used, on
both sides; this file copies itself into the machine.

After each cut: `podpy system check`, as the first call, finds nothing, apart from what it clears up as any first call
does ("storage: removed …"), and later nothing at all; the images are those from before the call or those from after it,
and the latter if the call has said that it is done; every file of every layer is what the layer's tar says, every blob
has its digest, every image can be saved; and the call works when it is made again. In a case's name, `done` is a cut
right after the call's end, a number the part of its usual time, and anything else a step at which the call dies
(PODPY_CRASH_AT), right before the power does.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import random
import shlex
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

BASE = Path.home() / "podpy-power-cuts"
PORT = 5055
PULLED = f"127.0.0.1:{PORT}/big:1"
PULL = ["pull", "-q", "--tls-verify=false", PULLED]
LOAD = ["load", "-q", "-i", "{base}/big.tar"]
SMALL = ["load", "-q", "-i", "{base}/small"]
SAVE = ["save", "-q", "-o", "{base}/saved.tar", PULLED]
LIST = ["images", "--all", "--noheading", "--format", "{{.Repository}}:{{.Tag}}"]
OLDER = "(the database becomes one of schema 7)"


class Case(NamedTuple):
    """`before` are calls that make the state, `call` is the one that the power is cut in or after."""

    call: list[str]
    before: list[list[str]] = []
    moments: str = "done"


CASES = {
    "pull": Case(PULL, moments="0.2 0.5 0.8 commit:synced:before commit:renamed commit:inserted commit:committed done"),
    "load": Case(LOAD, moments="0.3 0.7 commit:renamed done"),
    "save": Case(SAVE, [PULL], "0.5 done"),
    "rmi": Case(["rmi", PULLED], [PULL], "0.5 remove:committed done"),
    "prune": Case(["image", "prune", "--all", "--force"], [PULL, ["rmi", "small:1"]], "0.5 remove:committed done"),
    "tag": Case(["tag", "small:1", "tagged"]),
    "untag": Case(["untag", "tagged"], [["tag", "small:1", "tagged"]]),
    "list": Case(["manifest", "create", "list", "small:1"]),
    "import": Case(["import", "-q", "{base}/import.tar", "imported"]),
    "artifact": Case(["artifact", "add", "localhost/art:1", "{base}/import.tar"]),
    "migrate": Case(["images", "-q"], [PULL, [OLDER]]),
}


# In the machine


def layer_tar(seed: int) -> bytes:
    """Return a tar of many small files and a big one, with odd owners, links and modes; always the same."""
    chance = random.Random(seed)
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as tar:

        def add(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
            entry = tarfile.TarInfo(f"layer{seed}/{name}")
            entry.type, entry.linkname, entry.size, entry.mtime = kind, link, len(data), 1_500_000_000 + seed
            entry.mode = 0o755 if kind == tarfile.DIRTYPE else chance.choice((0o644, 0o600, 0o4755))
            entry.uid, entry.gid = chance.choice((0, 33, 1000)), chance.choice((0, 5))
            tar.addfile(entry, io.BytesIO(data))

        add("", kind=tarfile.DIRTYPE)
        for number in range(1500):
            if number % 100 == 0:
                add(f"{number // 100}", kind=tarfile.DIRTYPE)
            add(f"{number // 100}/file{number}", chance.randbytes(chance.randrange(12000)))
        add("big", chance.randbytes(24 << 20))
        add("symbolic", kind=tarfile.SYMTYPE, link="big")
        add("hard", kind=tarfile.LNKTYPE, link=f"layer{seed}/big")
    return output.getvalue()


def write_layout(directory: Path, name: str, seeds: list[int]) -> None:
    """Write an OCI layout; the layer with the last seed isn't compressed."""
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(data: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    layers, diffs = [], []
    for seed in seeds:
        tar = layer_tar(seed)
        diffs.append("sha256:" + hashlib.sha256(tar).hexdigest())
        last = seed == seeds[-1]
        layers.append(blob(tar if last else gzip.compress(tar, 1, mtime=0), "layer.v1.tar" + ("" if last else "+gzip")))
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diffs}}
    settings = blob(json.dumps(config).encode(), "config.v1+json")
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": settings, "layers": layers}
    entry = blob(json.dumps(manifest).encode(), "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def write_docker_archive(path: Path, layout: Path, name: str) -> None:
    """Write the image of an OCI layout as a docker-archive: podpy keeps recipes of its layers instead of blobs."""
    manifest = manifest_of(layout)
    files = {f"{number}.tar": tar_of(layout, layer) for number, layer in enumerate(manifest["layers"])}
    item = {"Config": "config.json", "RepoTags": [name], "Layers": [*files]}
    files["config.json"] = blob_of(layout, manifest["config"]["digest"])
    files["manifest.json"] = json.dumps([item]).encode()
    with tarfile.open(path, "w") as archive:
        for member, data in files.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def blob_of(layout: Path, digest: str) -> bytes:
    """Return a blob of an OCI layout."""
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()


def manifest_of(layout: Path) -> dict[str, Any]:
    """Return the manifest of an OCI layout's first image."""
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    manifest: dict[str, Any] = json.loads(blob_of(layout, digest))
    return manifest


def tar_of(layout: Path, layer: dict[str, Any]) -> bytes:
    """Return a layer's uncompressed tar."""
    data = blob_of(layout, layer["digest"])
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def expected_trees(layout: Path) -> dict[str, dict[str, list[Any]]]:
    """Return for each layer (by diff id) what its tar says of each name, read without podpy."""
    trees = {}
    for layer in manifest_of(layout)["layers"]:
        data = tar_of(layout, layer)
        tree: dict[str, list[Any]] = {}
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for entry in tar:
                name = os.path.normpath(entry.name)
                if entry.islnk():  # what it says of the owner is then true of all of the file's names
                    tree[name] = tree[os.path.normpath(entry.linkname)]
                    tree[name][2:] = [entry.mode, entry.uid, entry.gid, int(entry.mtime)]
                elif entry.issym():
                    tree[name] = ["link", entry.linkname]
                elif entry.isfile() and not os.path.basename(name).startswith(".wh."):
                    content = hashlib.sha256(tar.extractfile(entry).read()).hexdigest()  # type: ignore[union-attr]
                    tree[name] = ["file", content, entry.mode, entry.uid, entry.gid, int(entry.mtime)]
                elif entry.isdir() and name != ".":
                    tree[name] = ["directory", entry.mode, entry.uid, entry.gid]
        trees["sha256:" + hashlib.sha256(data).hexdigest()] = tree
    return trees


def prepare(layout: str) -> None:
    """Make the images and what their layers must be. All of it is synced."""
    subprocess.run(["rm", "-rf", f"{BASE}/big", f"{BASE}/small"], check=True)
    if layout:
        subprocess.run(["cp", "-rL", layout, f"{BASE}/big"], check=True)
    else:
        write_layout(BASE / "big", "localhost/big:1", [1, 2, 3])
    write_docker_archive(BASE / "big.tar", BASE / "big", "localhost/big:1")
    write_layout(BASE / "small", "localhost/small:1", [4])
    with tarfile.open(BASE / "import.tar", "w") as tar:
        tar.add(BASE / "small/index.json", "imported")
    trees = {**expected_trees(BASE / "big"), **expected_trees(BASE / "small")}
    (BASE / "expected.json").write_text(json.dumps(trees))
    os.sync()


class Handler(BaseHTTPRequestHandler):
    """A registry that has one image."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a blob or the manifest, from the middle if that is asked for."""
        layout = BASE / "big"
        what, digest = self.path.rsplit("/", 2)[-2:]
        kind = "application/octet-stream"
        if what == "manifests":
            entry = json.loads((layout / "index.json").read_text())["manifests"][0]
            digest, kind = entry["digest"], entry["mediaType"]
        data = blob_of(layout, digest) if ":" in digest else b"{}"
        begin = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[begin:])

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def call(podpy: str, words: list[str], crash_at: str = "") -> int:
    """Run podpy with the registry beside it, and return its exit code."""
    if words == [OLDER]:
        return make_older(podpy)
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {**os.environ, **({"PODPY_CRASH_AT": crash_at} if crash_at else {})}
    command = [podpy, *(word.replace("{base}", str(BASE)) for word in words)]
    return subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=False).returncode


def graphroot(podpy: str) -> Path:
    """Return where podpy's store is."""
    command = [podpy, "info", "--format", "{{.Store.GraphRoot}}"]
    return Path(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def make_older(podpy: str) -> int:
    """Undo the eighth migration (storage/schema.py, _MANIFESTS)."""
    database = sqlite3.connect(graphroot(podpy) / "podpy.sqlite", isolation_level=None)
    database.executescript(
        """BEGIN;
        ALTER TABLE images ADD COLUMN manifest BLOB NOT NULL DEFAULT x'';
        UPDATE images SET manifest = (SELECT manifest FROM image_manifests AS one
            WHERE one.image_id = images.id AND one.digest = images.digest);
        DROP TABLE image_manifests;
        PRAGMA user_version=7;
        COMMIT;"""
    )
    database.close()
    os.sync()
    return 0


def facts_of(path: Path) -> list[Any]:
    """Return what `expected_trees` says of a name, as it is on the disk."""
    status = path.lstat()
    if path.is_symlink():
        return ["link", str(path.readlink())]
    owner = [status.st_mode & 0o7777, status.st_uid, status.st_gid]
    if path.is_dir():
        return ["directory", *owner]
    if not path.is_file():
        return ["other"]
    return ["file", hashlib.sha256(path.read_bytes()).hexdigest(), *owner, int(status.st_mtime)]


def compare_store(root: Path) -> None:
    """Print what is wrong with layers and blobs, and how much was compared. For `podpy unshare`."""
    trees = json.loads((BASE / "expected.json").read_text())
    database = sqlite3.connect(f"file:{root}/podpy.sqlite?mode=ro", uri=True)
    wrong, compared = [], 0
    for number, diff in database.execute("SELECT number, diff_id FROM layers"):
        tree = trees.get(diff)
        if tree is None:
            continue
        top = root / "layers" / str(number)
        compared += len(tree)
        for name, facts in tree.items():
            path = top / name
            if not os.path.lexists(path):
                wrong.append(f"layers/{number}/{name} is missing")
            elif facts_of(path) != facts:
                wrong.append(f"layers/{number}/{name}: {facts_of(path)}, not {facts}")
        files = (os.path.relpath(os.path.join(at, f), top) for at, _, names in os.walk(top) for f in names)
        wrong += [f"layers/{number}/{f}: not in its tar" for f in files if f not in tree and (top / f).is_file()]
    for (digest,) in database.execute("SELECT digest FROM blobs"):
        compared += 1
        data = (root / "blobs" / digest.replace(":", "/")).read_bytes()
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            wrong.append(f"blob {digest}: {len(data)} bytes with another digest")
    print(json.dumps({"wrong": wrong[:20], "compared": compared}))


def look(podpy: str) -> None:
    """Print all that is to be known about the store, as JSON."""

    def output(*words: str) -> str:
        pipe = subprocess.PIPE
        result = subprocess.run([podpy, *words], stdout=pipe, stderr=subprocess.STDOUT, text=True, check=False)
        return result.stdout + (f"(exit code {result.returncode})\n" if result.returncode else "")

    found: dict[str, Any] = {"check": output("system", "check"), "names": sorted(output(*LIST).split())}
    found["names"] += sorted(output("artifact", "ls", "--noheading", "--format", "{{.Repository}}:{{.Tag}}").split())
    comparison = output("unshare", "python3", __file__, "compare", str(graphroot(podpy)))
    try:
        found |= json.loads(comparison)
    except ValueError:
        found |= {"wrong": [comparison], "compared": 0}
    for name in found["names"]:
        if name.endswith((":1", "/imported:latest", "/tagged:latest")) and "/art:" not in name:
            text = output("save", "-q", "-o", "/dev/null", name)
            found["wrong"] += [f"save {name}: {text}"] if text else []
    saved = BASE / "saved.tar"
    found["saved"] = hashlib.sha256(saved.read_bytes()).hexdigest() if saved.exists() else ""
    print(json.dumps(found))


# Outside


class Machine:
    """The machine and the podpy in it."""

    def __init__(self, run: str, cut: str, podpy: str) -> None:
        self._run = shlex.split(run)
        self._cut = shlex.split(cut)
        self.podpy = podpy
        self.file = ""

    def copy_into(self) -> None:
        """Put this file into the machine."""
        place = 'mkdir -p "$HOME"/podpy-power-cuts && cd "$HOME"/podpy-power-cuts && cat > cuts.py && sync && pwd'
        result = subprocess.run(
            [*self._run, "sh", "-c", place], input=Path(__file__).read_bytes(), stdout=subprocess.PIPE, check=True
        )
        self.file = result.stdout.decode().strip() + "/cuts.py"

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start one of this file's own commands in the machine."""
        command = [*self._run, "python3", self.file, "--podpy", self.podpy, *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def ask(self, *words: str) -> str:
        """Run one of them, and return its output. Raises SystemExit with it if it fails."""
        process = self.start(*words)
        output, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{shlex.join(words)}: exit code {process.returncode}\n{output}")
        return output

    def look(self) -> dict[str, Any]:
        """Return what `look` prints."""
        found: dict[str, Any] = json.loads(self.ask("look").splitlines()[-1])
        return found

    def cut(self) -> None:
        """Cut the power, and wait until the machine is up again."""
        subprocess.run(self._cut, stdout=subprocess.DEVNULL, check=True)


def make_state(machine: Machine, case: Case) -> dict[str, Any]:
    """Empty the store but for one small image and what the case wants, and look at it."""
    machine.ask("call", "--", "rmi", "--all", "--force")
    machine.ask("call", "--", "artifact", "rm", "--all")
    machine.ask("forget")
    for words in (SMALL, *case.before):
        machine.ask("call", "--", *words)
    return machine.look() if OLDER not in (case.before or [[""]])[-1] else {}


def usual(machine: Machine, case: Case) -> tuple[list[dict[str, Any]], float]:
    """Return the state before and after the call, and when SMALL is loaded after that, and the seconds that the call
    takes, without any cut.
    """
    before = make_state(machine, case)
    begin = time.monotonic()
    machine.ask("call", "--", *case.call)
    seconds = time.monotonic() - begin
    after = machine.look()
    machine.ask("call", "--", *SMALL)
    return [before or after, after, machine.look()], seconds


def cut_at(machine: Machine, case: Case, moment: str, seconds: float) -> bool:
    """Make the call and cut the power at that moment; tell whether the call had said that it is done."""
    if moment[0].isdigit():
        process = machine.start("call", "--", *case.call)
        try:
            process.wait(float(moment) * seconds)
        except subprocess.TimeoutExpired:
            pass
        done = process.poll() == 0
        machine.cut()
        process.communicate()
        return done
    crash = "" if moment == "done" else moment
    process = machine.start("call", "--crash-at", crash, "--", *case.call)
    process.wait()
    machine.cut()
    if (process.returncode == 0) != (moment == "done"):
        output, _ = process.communicate()
        raise SystemExit(f"{shlex.join(case.call)}: exit code {process.returncode} at {moment}\n{output}")
    return moment == "done"


def state_of(found: dict[str, Any]) -> tuple[list[str], str]:
    """Return of what `look` has found what must be as before the call or as after it."""
    return found["names"], found["saved"]


def complaints(machine: Machine, case: Case, states: list[dict[str, Any]], done: bool) -> tuple[list[str], str]:
    """Look at the store after the reboot, make the call again, look again. Return what is wrong, and a summary."""
    before, after, later = map(state_of, states)
    found = machine.look()
    left = [line for line in found["check"].splitlines() if not line.startswith("storage: removed ")]
    wrong = [f"system check: {line}" for line in left]
    wrong += found["wrong"]
    if state_of(found) not in ([after] if done else [before, after]):
        wrong.append(f"{state_of(found)}; before: {before}; after: {after}")
    summary = "after" if state_of(found) == after else "before"
    process = machine.start("call", "--", *case.call)
    output, _ = process.communicate()
    if process.returncode and state_of(found) != after:  # what is done needn't work twice: rmi, manifest create
        wrong.append(f"again: {output}")
    machine.ask("call", "--", *SMALL)  # it stages something: what the cut has left goes
    again = machine.look()
    wrong += [f"system check, later: {again['check']}"] if again["check"] else []
    wrong += again["wrong"]
    if state_of(again) != later:
        wrong.append(f"again: {state_of(again)}; as it should be: {later}")
    return wrong, f"{summary}, {found['compared']} files and blobs compared"


def outside(options: argparse.Namespace) -> int:
    """Run the cases; return the exit code."""
    machine = Machine(options.run, options.cut, options.podpy)
    machine.copy_into()
    machine.ask("prepare", options.layout)
    failed = 0
    for name, case in CASES.items():
        moments = [m for m in case.moments.split() if not options.cases or {name, f"{name}:{m}"} & {*options.cases}]
        if not moments:
            continue
        states, seconds = usual(machine, case)
        print(f"{name}: {seconds:.1f} s", flush=True)
        for moment in moments:
            make_state(machine, case)
            done = cut_at(machine, case, moment, seconds)
            wrong, summary = complaints(machine, case, states, done)
            failed += bool(wrong)
            print(f"{'WRONG' if wrong else 'ok   '} {name}:{moment}: {summary}", *wrong, sep="\n      ", flush=True)
    return 1 if failed else 0


def inside(options: argparse.Namespace) -> int:
    """Run one of the commands that are for the machine; return the exit code."""
    if options.cases[0] == "call":
        return call(options.podpy, options.cases[1:], options.crash_at)
    if options.cases[0] == "prepare":
        prepare(options.cases[1])
    elif options.cases[0] == "compare":
        compare_store(Path(options.cases[1]))
    elif options.cases[0] == "forget":
        (BASE / "saved.tar").unlink(missing_ok=True)
    else:
        look(options.podpy)
    return 0


def main() -> int:
    """Outside with --run, in the machine without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="", help="runs the words behind it in the machine")
    parser.add_argument("--cut", default="", help="cuts the machine's power and boots it again")
    parser.add_argument("--podpy", default="podpy", help="podpy in the machine")
    parser.add_argument("--layout", default="", help="an OCI layout in the machine to pull and load, gzip or plain tar")
    parser.add_argument("--crash-at", default="", help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}, or one moment: pull:done")
    options = parser.parse_intermixed_args()
    return outside(options) if options.run else inside(options)


if __name__ == "__main__":
    sys.exit(main())
