"""Pull and load, podpy beside Podman, in turns, from a registry on 127.0.0.1.

    bench/pull.py --images DIR --base DIR [--rounds N] [--podpy CMD] [--only NAME]

DIR of images: OCI layouts `busybox`, `deb-gzip`, `deb-zstd` … (docs/performance.md says what is in them). `--base` must
be on a file system with a journal (a loop-mounted ext4 will do): on one without, an unpack after an `rm -rf` measures
the file system. Both sides begin with an empty store that is synced before each run. Needs docker-registry and skopeo.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from interleave import check_drivers

_LISTENING = re.compile(r"listening on (?:127\.0\.0\.1|\[::\]):(\d+)")


@dataclass
class Run:
    """One run: seconds of wall clock, seconds of CPU with its children."""

    wall: float
    cpu: float


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command to its end. Raises RuntimeError with its error text if it fails."""
    before, began = cpu_of_children(), time.perf_counter()
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)}: {done.returncode}: {done.stderr.decode()}")
    return Run(wall, cpu_of_children() - before)


def start_registry(base: Path, *, with_tls: bool = False) -> tuple[subprocess.Popen[bytes], str]:
    """Start Debian's docker-registry; return it and its address. With TLS, its authority is in base/certs."""
    directory = base / ("registry-tls" if with_tls else "registry")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    tls = make_certificate(directory, base / "certs") if with_tls else ""
    (directory / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: info}}\nhttp:\n  addr: 127.0.0.1:0\n{tls}"
        f"storage:\n  filesystem: {{rootdirectory: {directory}/data}}\n"
    )
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(["docker-registry", "serve", directory / "config.yml"], stdout=output, stderr=output)
    while not (found := _LISTENING.search(log.read_text())):
        if process.poll() is not None:
            sys.exit(log.read_text())
        time.sleep(0.05)
    return process, f"127.0.0.1:{found.group(1)}"


def make_certificate(directory: Path, authorities: Path) -> str:
    """Make a certificate for 127.0.0.1, its own authority; return the registry's setting for it."""
    certificate, key = directory / "cert.pem", directory / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    authorities.mkdir(exist_ok=True)
    shutil.copy(certificate, authorities / "ca.crt")
    return f"  tls: {{certificate: {certificate}, key: {key}}}\n"


def copy(source: str, target: str) -> None:
    subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", source, target], check=True)


def cases(images: Path, base: Path, address: str) -> dict[str, list[str]]:
    """Return each case's arguments; the registry and the archives are filled on the way."""
    found: dict[str, list[str]] = {}
    for layout in sorted(path for path in images.iterdir() if (path / "index.json").exists()):
        copy(f"oci:{layout}:latest", f"docker://{address}/{layout.name}:latest")
        found[f"pull {layout.name}"] = ["pull", "-q", "--tls-verify=false", f"{address}/{layout.name}:latest"]
        if not layout.name.endswith("zstd"):
            archive = base / f"{layout.name}.docker.tar"
            archive.unlink(missing_ok=True)
            copy(f"oci:{layout}:latest", f"docker-archive:{archive}:localhost/{layout.name}:latest")
            found[f"load {layout.name}, docker-archive"] = ["load", "-q", "-i", str(archive)]
    return found


def measure(
    arguments: list[str],
    sides: dict[str, list[str]],
    environment: dict[str, str],
    rounds: int,
    base: Path,
    *,
    empty: bool = True,
) -> dict[str, list[Run]]:
    """Run a case in turns; each side's store is emptied (unless it shall be as it is) and synced before its turn."""
    runs: dict[str, list[Run]] = {side: [] for side in sides}
    for number in range(-1, rounds):
        for side, command in sides.items():
            if empty:
                subprocess.run([*command, "rmi", "-af"], env=environment, check=False, capture_output=True)
            subprocess.run(["sync", "-f", base], check=True)
            run = timed([*command, *arguments], environment)
            if number >= 0:
                runs[side].append(run)
    return runs


def row(name: str, runs: dict[str, list[Run]]) -> str:
    """Return a line of the table in docs/performance.md."""
    cells = [name]
    for kind in ("wall", "cpu"):
        medians = []
        for side_runs in runs.values():
            values = [getattr(run, kind) for run in side_runs]
            medians.append(statistics.median(values))
            cells.append(f"{min(values):.2f} / **{medians[-1]:.2f}** / {max(values):.2f}")
        cells.append(f"{medians[-1] / medians[0]:.2f}")
    return "| " + " | ".join(cells) + " |"


@dataclass
class Bench:
    """What the command line of an image bench says: `sides` are the two engines' commands."""

    images: Path
    base: Path
    rounds: int
    only: str
    sides: dict[str, list[str]]
    environment: dict[str, str]

    @classmethod
    def of_command_line(cls, description: str) -> Bench:
        """Read the command line."""
        parser = argparse.ArgumentParser(description=description.partition("\n")[0])
        parser.add_argument("--images", type=Path, required=True)
        parser.add_argument("--base", type=Path, required=True)
        parser.add_argument("--rounds", type=int, default=5)
        parser.add_argument("--podpy", default="podpy")
        parser.add_argument("--podman", default="podman")
        parser.add_argument("--only", default="")
        given = parser.parse_args()
        sides = {"podman": shlex.split(given.podman), "podpy": shlex.split(given.podpy)}
        environment = {**os.environ, "XDG_DATA_HOME": str(given.base / "data")}
        check_drivers(sides, environment)
        return cls(
            images=given.images,
            base=given.base,
            rounds=given.rounds,
            only=given.only,
            sides=sides,
            environment=environment,
        )

    def layouts(self) -> list[Path]:
        """Return the images that are wanted."""
        found = (path for path in self.images.iterdir() if (path / "index.json").exists())
        return sorted(path for path in found if self.only in path.name)


def print_heading() -> None:
    """Print the head of the table that `row` makes lines of."""
    heading = ["what", "podman wall s", "podpy wall s", "ratio", "podman CPU s", "podpy CPU s", "ratio"]
    print("| " + " | ".join(heading) + " |\n|" + "---|" * len(heading), flush=True)


def main() -> None:
    """Measure and print a Markdown table."""
    options = Bench.of_command_line(__doc__)
    registries = [start_registry(options.base), start_registry(options.base, with_tls=True)]
    (_, plain), (_, secure) = registries
    try:
        print_heading()
        for name, arguments in cases(options.images, options.base, plain).items():
            if options.only not in name:
                continue
            run = measure(arguments, options.sides, options.environment, options.rounds, options.base)
            print(row(name, run), flush=True)
            if name.startswith("pull"):
                measure_again(options, name.removeprefix("pull "), plain, secure)
    finally:
        for registry, _ in registries:
            registry.kill()
            registry.wait()


def measure_again(options: Bench, image: str, plain: str, secure: str) -> None:
    """Measure pulls of an image that is there, from the registry without TLS and from the one with it."""
    copy(f"oci:{options.images / image}:latest", f"docker://{secure}/{image}:latest")
    for access, address, title in (
        ("--tls-verify=false", plain, f"pull again {image}"),
        (f"--cert-dir={options.base}/certs", secure, f"pull again {image}, HTTPS"),
    ):
        arguments = ["pull", "-q", access, f"{address}/{image}:latest"]
        again = measure(arguments, options.sides, options.environment, 20, options.base, empty=False)
        print(row(title, again), flush=True)


if __name__ == "__main__":
    main()
