"""The calls of the Dev Container CLI 0.89.0: `devcontainer up` and `exec` with `--docker-path podman`, and a build
with a feature."""

from __future__ import annotations

import json
import os
import select
import subprocess

from tests.drivers.conftest import Machine
from tests.support import wait

IMAGE = "localhost/busybox:latest"
START = 'echo Container started\ntrap "exit 0" 15\n\nexec "$@"\nwhile sleep 1 & wait $!; do :; done'

EXTENDED = r"""
ARG _DEV_CONTAINERS_BASE_IMAGE=scratch
ARG V
FROM localhost/busybox AS b
ARG V
RUN echo $V > /v && mkdir -p /etc && echo root:x:0:0::/root:/bin/sh > /etc/passwd && echo root:x:0: > /etc/group

FROM dev_container_feature_content_temp as source

ARG _DEV_CONTAINERS_BASE_IMAGE=scratch

FROM $_DEV_CONTAINERS_BASE_IMAGE AS dev_containers_target_stage
USER root
RUN mkdir -p /tmp/features
COPY --chown=root:root --from=source /tmp/build-features/ /tmp/features
RUN chmod -R 0755 /tmp/features/hi_0 \
&& cd /tmp/features/hi_0 \
&& . ../env && . ./install.sh

ARG _DEV_CONTAINERS_IMAGE_USER=root
USER $_DEV_CONTAINERS_IMAGE_USER

LABEL devcontainer.metadata="[ \
{\"id\":\"./hi\"}, \
{\"remoteUser\":\"root\"} \
]"
"""


def hears(machine: Machine, events: subprocess.Popen[bytes]) -> bool:
    """Start a container and return whether `events` has told something by now."""
    machine.ok("run", "--rm", "--network=none", IMAGE, "true")
    return bool(select.select([events.stdout], [], [], 0.1)[0])


def test_a_workspace_comes_up_and_answers_after_the_cli_has_gone(machine: Machine) -> None:
    folder = machine.home / "work"
    folder.mkdir()
    label = f"devcontainer.local_folder={folder}"
    metadata = json.dumps([{"postCreateCommand": "echo it > /tmp/created", "remoteUser": "root"}])
    asked = ("ps", "-q", "-a", "--filter", f"label={label}", "--filter", "label=devcontainer.config_file=x")
    assert machine.ok(*asked) == ""
    (image,) = json.loads(machine.ok("inspect", "--type", "image", IMAGE))
    assert image["Config"]["Env"] and image["Architecture"]

    events = machine.popen("events", "--format", "json", "--filter", "event=start")
    assert events.stdout
    wait.until(lambda: hears(machine, events), what="`events` listens")
    client = machine.popen(
        *("run", "--sig-proxy=false", "-a", "STDOUT", "-a", "STDERR"),
        *(
            "--mount",
            f"type=bind,source={folder},target=/workspaces/work",
            "--mount",
            "type=volume,source=dcv,target=/v",
        ),
        *("-l", label, "-l", "devcontainer.config_file=x", "-e", "A=b", "--security-opt", "label=disable"),
        *("--network=none", "--entrypoint", "/bin/sh", "-l", f"devcontainer.metadata={metadata}"),
        *(IMAGE, "-c", START, "-"),
    )
    assert client.stdout
    wait.for_text(client.stdout, b"Container started\n")
    name = machine.ok(*asked)
    told = wait.for_text(events.stdout, name.encode())
    assert b'"Status":"start"' in told
    client.kill()  # the CLI ends; the container doesn't
    events.kill()
    for process in (client, events):
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]

    (found,) = json.loads(machine.ok("inspect", "--type", "container", name))
    assert found["State"]["Status"] == "running" and found["Config"]["Labels"]["devcontainer.metadata"] == metadata
    assert {mount["Destination"] for mount in found["Mounts"]} == {"/workspaces/work", "/v"}
    session = ("exec", "-i", "-u", "root", "-e", "VSCODE_REMOTE_CONTAINERS_SESSION=1576a1d3")
    script = "( command -v getent >/dev/null ); echo -n mark; echo done >&2\n"
    done = machine(*session, name, "/bin/sh", input=script)
    assert (done.ok(), done.stderr) == ("mark", "done\n")
    here = ("-w", "/workspaces/work", name, "/bin/sh", "-c", "pwd; echo $A; exit 3")
    done = machine("exec", "-i", "-u", "root", "-e", "A=c", *here)
    assert (done.returncode, done.stdout) == (3, "/workspaces/work\nc\n")
    assert os.listdir(folder) == []
    machine.ok("stop", name)
    machine.ok("start", name)
    assert machine.ok(*asked) == name


def test_a_feature_is_built_into_the_image_of_a_dockerfile(machine: Machine) -> None:
    """First the feature's files become an image, then a stage of the workspace's Dockerfile, extended by the CLI."""
    content = machine.home / "features"
    (content / "hi_0").mkdir(parents=True)
    (content / "Dockerfile.buildContent").write_text("FROM scratch\nCOPY . /tmp/build-features/\n")
    (content / "hi_0/install.sh").write_text("echo feature $WORD > /feature\n")
    (content / "env").write_text("WORD=servus\n")
    temporary = "dev_container_feature_content_temp"
    machine.ok("build", "-t", temporary, "-f", str(content / "Dockerfile.buildContent"), str(content))
    (machine.home / "Dockerfile-with-features").write_text(EXTENDED)
    arguments = {"V": "7", "_DEV_CONTAINERS_BASE_IMAGE": "b", "_DEV_CONTAINERS_IMAGE_USER": "root"}
    words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    target = ("--target", "dev_containers_target_stage")
    machine.ok("build", "-f", "Dockerfile-with-features", "-t", "vsc-work", *target, *words, ".")
    assert machine.ok("run", "--rm", "--network=none", "vsc-work", "cat", "/feature", "/v").split() == [
        "feature",
        "servus",
        "7",
    ]
    (found,) = json.loads(machine.ok("inspect", "--type", "image", "vsc-work"))
    assert json.loads(found["Config"]["Labels"]["devcontainer.metadata"]) == [{"id": "./hi"}, {"remoteUser": "root"}]
