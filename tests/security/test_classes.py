"""One test for each class of hole that engines had and that could come back here: what an image says decides nothing.

Links in volumes, working directories and /dev, and tmpfs below volumes are in tests/oci/test_confinement.py, socket
families in tests/oci/test_sockets.py, ids in test_ids.py, digests in test_digests.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import images
from tests.support.engine import Podpy

PLAIN, STEERING = images.BUSYBOX, "localhost/steering:latest"
# What one engine or another has read from images, or reads from its users' labels and annotations.
WORDS = {
    "PODMAN_SYSTEMD_UNIT": "steered.service",
    "com.docker.compose.project": "steered",
    "io.container.manager": "steered",
    "io.containers.autoupdate": "registry",
    "io.containers.autoupdate.authfile": "/etc/hostname",
    "io.containers.capabilities": "SYS_ADMIN",
    "io.containers.seccomp.profile": '{"defaultAction": "SCMP_ACT_ALLOW"}',
    "io.containers.trace-syscall": "of:/tmp/steered",
    "io.podman.annotations.autoremove": "TRUE",
    "io.podman.annotations.checkpoint.name": "steered",
    "io.podman.annotations.init": "TRUE",
    "io.podman.annotations.privileged": "TRUE",
    "io.podman.annotations.seccomp": "unconfined",
    "io.podman.annotations.userns": "host",
    "io.podman.annotations.volumes-from": "steered",
    "io.podpy.describe-container": "",
    "org.systemd.property.TimeoutStopUSec": "uint64 1",
    "run": "podman run --privileged IMAGE",
    "run.oci.handler": "steered",
    "run.oci.hooks.stderr": "/dev/null",
    "run.oci.keep_original_groups": "1",
    "run.oci.mount_context_type": "rootcontext",
    "run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup",
}


def annotated(image: images.Image) -> dict[str, bytes]:
    """Return an OCI layout of an image whose manifest, its entry in the index and the index say all the WORDS."""
    files = image.oci_layout(STEERING)
    index = json.loads(files["index.json"])
    entry = index["manifests"][0]
    manifest = json.loads(files.pop("blobs/sha256/" + entry["digest"].removeprefix("sha256:")))
    data = images.compact({**manifest, "annotations": WORDS})
    entry.update(digest=images.sha256(data), size=len(data))
    entry["annotations"].update(WORDS)
    files["blobs/sha256/" + entry["digest"].removeprefix("sha256:")] = data
    files["index.json"] = images.compact({**index, "annotations": WORDS})
    return files


@pytest.fixture
def steering(podpy: Podpy, busybox: str, busybox_image: images.Image, session_base: Path) -> str:
    """The busybox image with everything that might steer an engine in its labels, annotations and variables."""
    names = ["SECRET_ON_HOST", "SECRET_*", "*", "=x"]
    environment = [*busybox_image.settings["Env"], *names]
    settings = {**busybox_image.settings, "Labels": WORDS, "Env": environment}
    archive = session_base / "steering.oci.tar"
    images.write_tar(archive, annotated(images.Image(busybox_image.layers, settings)))
    podpy("load", "-i", str(archive)).ok()
    return STEERING


def oci_config(podpy: Podpy, image: str, *options: str) -> Any:
    """Return config.json of a container that runs, without what is another in each container: its ids and places."""
    environment = {"SECRET_ON_HOST": "secret"}
    container = podpy.ok(
        "run", "-d", "--hostname=h", "--network=none", *options, image, "sleep", "100", env=environment
    )
    facts = podpy.json("inspect", container)[0]
    return json.loads(Path(facts["OCIConfigPath"]).read_text().replace(container, "ID"))


@pytest.mark.parametrize("options", [(), ("--userns=keep-id",), ("--read-only", "--init")])
def test_image_label_annotation_and_env_change_nothing_of_a_start(
    podpy: Podpy, steering: str, options: tuple[str, ...]
) -> None:
    oci_config(podpy, PLAIN, *options)  # the seccomp filter that crun has compiled for it is given to those below
    assert oci_config(podpy, steering, *options) == oci_config(podpy, PLAIN, *options)


def test_image_label_is_shown_and_filtered_by_but_the_users_goes_before_it(podpy: Podpy, steering: str) -> None:
    container = podpy.ok("create", "--label=io.containers.autoupdate=local", "--label=mine=1", steering)
    labels = podpy.json("inspect", container)[0]["Config"]["Labels"]
    assert labels == {**WORDS, "io.containers.autoupdate": "local", "mine": "1"}
    for text in ("PODMAN_SYSTEMD_UNIT=steered.service", "io.containers.autoupdate=local", "mine"):
        assert podpy.ok("ps", "-aq", "--no-trunc", "--filter", f"label={text}") == container
    assert podpy.ok("ps", "-aq", "--filter", "label=io.containers.autoupdate=registry") == ""


def test_image_label_tells_a_container_nothing_of_the_host(podpy: Podpy, steering: str) -> None:
    words = ("run", "--rm", "--network=none")
    assert podpy.ok(*words, steering, "cat", "/run/.containerenv") == ""
    told = podpy.ok(*words, "--label=io.podpy.describe-container", steering, "cat", "/run/.containerenv")
    assert 'image="localhost/steering:latest"' in told


def test_image_env_without_a_value_is_not_the_callers(podpy: Podpy, steering: str) -> None:
    environment = {"SECRET_ON_HOST": "secret", "SECRET_TOO": "secret"}
    assert "secret" not in podpy.ok("run", "--rm", "--network=none", steering, "env", env=environment)


def test_image_profile_for_seccomp_is_not_used_and_who_asks_for_it_is_told(podpy: Podpy, steering: str) -> None:
    words = ("run", "--rm", "--network=none")
    assert podpy.ok(*words, steering, "grep", "Seccomp:", "/proc/1/status").split() == ["Seccomp:", "2"]
    refused = podpy(*words, "--seccomp-policy=image", steering, "true")
    refused.fails(125, "an image doesn't choose the filter that it is confined by", "--security-opt seccomp=FILE")
    podpy("create", "--seccomp-policy=nosuch", steering).fails(125, 'invalid seccomp policy "nosuch"')


@pytest.mark.parametrize("signal", ["NOSUCH", "0", "65", "9" * 5000, "²"])
def test_image_stop_signal_that_is_none_is_refused_in_one_line(
    podpy: Podpy, busybox_image: images.Image, session_base: Path, signal: str
) -> None:
    settings = {**busybox_image.settings, "StopSignal": signal}
    archive = images.Image(busybox_image.layers, settings).write_docker_archive(session_base / "signal.tar", STEERING)
    podpy("load", "-i", str(archive)).ok()
    done = podpy("create", STEERING).fails(125, "invalid signal")
    assert len(done.stderr.splitlines()) <= 2
