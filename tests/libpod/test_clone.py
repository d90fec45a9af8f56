"""`container clone`, `container runlabel`, `generate spec`, and what is refused of checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import images
from tests.support.engine import Podpy


def test_a_clone_is_asked_for_like_the_container_it_is_made_of(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    words = ("-e=A=1", "-v=named:/named", "-v=/anonymous", "--label=l=1", "--entrypoint=sh", "--secret=s")
    podpy.ok("secret", "create", "s", "-", input="hunter2")
    script = "echo $A $B; cat /run/secrets/s; ls /named"
    podpy.ok("create", "--name=web", "--network=none", f"--cidfile={podpy.home}/cid", *words, busybox, "-c", script)
    clone = podpy.ok("container", "clone", "web")
    found, old = podpy.json("inspect", clone)[0], podpy.json("inspect", "web")[0]
    assert found["Name"] == "web-clone" and found["HostConfig"]["ContainerIDFile"] == ""
    for key in ("Env", "Cmd", "Entrypoint", "Labels", "Secrets"):
        assert found["Config"][key] == old["Config"][key], key
    sources = [{mount["Destination"]: mount["Name"] for mount in one["Mounts"]} for one in (found, old)]
    assert sources[0]["/named"] == sources[1]["/named"] and sources[0]["/anonymous"] != sources[1]["/anonymous"]
    assert podpy.ok("start", "-a", "web-clone") == podpy.ok("start", "-a", "web") == "1\nhunter2"
    assert podpy.ok("inspect", podpy.ok("container", "clone", "web"), "--format={{.Name}}") == "web-clone1"

    podpy("container", "clone", "--force", "web").fails(125, "cannot set --force without --destroy")
    last = podpy.ok("container", "clone", "--destroy", "--run", "web", "other", busybox)
    assert podpy.ok("wait", last) == "0"
    assert set(podpy.ok("ps", "-a", "--format={{.Names}}").split()) == {"web-clone", "web-clone1", "other"}
    podpy("container", "clone", "nosuch").fails(125, 'no container with name or ID "nosuch" found')


def test_a_container_is_told_as_the_body_of_podmans_api_call(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=web", "-p=8080:80", "-e=A=1", "--cap-add=NET_ADMIN", "-t", busybox, "top")
    found = podpy.json("generate", "spec", "web")
    assert (found["name"], found["image"], found["command"], found["terminal"]) == ("web-clone", busybox, ["top"], True)
    assert found["env"]["A"] == "1" and found["cap_add"] == ["CAP_NET_ADMIN"]
    assert [(port["host_port"], port["container_port"]) for port in found["portmappings"]] == [(8080, 80)]
    assert "\n" not in podpy.ok("generate", "spec", "--compact", "--name=n", "web")
    assert podpy.ok("generate", "spec", "-f", f"{podpy.home}/spec.json", "web") == f"{podpy.home}/spec.json"
    assert (podpy.home / "spec.json").read_text().startswith("{")


def test_an_images_command_is_shown_and_needs_consent(
    podpy: Podpy, busybox_image: images.Image, session_base: Path
) -> None:
    labels = {"RUN": "/usr/bin/podman run --name NAME -e I=IMAGE $OPT1 IMAGE echo ok", "other": "rm -r /"}
    settings = {**busybox_image.settings, "Labels": labels}
    archive = images.Image(busybox_image.layers, settings).write_docker_archive(session_base / "labelled.tar", "l/app")
    podpy.ok("load", "-i", str(archive))
    name = podpy.ok("images", "--format={{.Repository}}:{{.Tag}}")
    shown = podpy.ok("container", "runlabel", "--display", "--name=me", "run", name, "more")
    assert shown == f"command: podpy run --name me -e I={name} '' {name} echo ok more"
    refused = podpy("container", "runlabel", "run", name).fails(125, "not run: an image's command needs your consent")
    assert f"The image wants to run: podpy run --name app -e I={name}" in refused.stderr
    podpy("container", "runlabel", "other", name).fails(125, "start no program of the host but podpy")
    podpy("container", "runlabel", "none", name).fails(125, "cannot find the value of label: none in image")
    assert podpy.ok("ps", "-aq") == ""


@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
def test_checkpoints_are_refused_with_the_reason(podpy: Podpy, verb: str) -> None:
    podpy("container", verb, "nosuch").fails(125, "a container requires root")
