"""Packages of another suite of Debian than this host's, for programs that run without being installed."""

from __future__ import annotations

import subprocess
from pathlib import Path


def download(scratch: Path, suite: str, *packages: str) -> list[Path]:
    """Return the packages, from the mirrors that this host uses for its own suite. Raises
    subprocess.CalledProcessError if they can't be had.
    """
    own = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirrors = dict.fromkeys(subprocess.run(own, capture_output=True, text=True, check=True).stdout.split())
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    lines = [f"deb [signed-by={keys}] {mirror} {suite} main\n" for mirror in mirrors if "security" not in mirror]
    (scratch / "sources.list").write_text("".join(lines))
    for name in ("state/lists/partial", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True)
    options = [
        f"Dir::State={scratch}/state",
        f"Dir::Cache={scratch}/cache",
        f"Dir::Etc::sourcelist={scratch}/sources.list",
    ]
    options += ["Dir::Etc::sourceparts=-", "APT::Sandbox::User=root", "Acquire::Check-Valid-Until=false"]
    apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "download", *packages], check=True, cwd=scratch)
    return list(scratch.glob("*.deb"))
