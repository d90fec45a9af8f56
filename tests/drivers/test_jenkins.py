"""Calls like those of Jenkins' docker-workflow plugin (`docker.inside`), and of runners that pipe scripts to `exec`.

The first are read from the plugin's sources (DockerClient.java and WithContainerStep.java of March 2026), the others
written after what GitHub's and GitLab's runners do: none of these programs runs here.
"""

from __future__ import annotations

import os

from tests.drivers.conftest import Machine
from tests.support import wait

IMAGE = "localhost/busybox:latest"


def test_docker_inside_runs_steps_as_its_own_user_in_the_workspace(machine: Machine) -> None:
    user, space = machine.podpy.user, machine.home / "workspace"
    for directory in (space, machine.home / "workspace@tmp"):
        directory.mkdir()
        os.chown(directory, user.uid, user.gid)

    def docker(*args: str) -> str:
        return machine.run(["docker", *args]).ok()

    assert docker("inspect", "-f", ".", IMAGE) == "."
    volumes = ("-v", f"{space}:{space}:rw,z", "-v", f"{space}@tmp:{space}@tmp:rw,z")
    own = ("--userns=keep-id", "--network=none")  # what a Jenkinsfile must add: docker.inside('--userns=keep-id')
    name = docker(
        *("run", "-t", "-d", "-u", f"{user.uid}:{user.gid}", *own, "-w", str(space), *volumes),
        *("-e", "BUILD_TAG=jenkins-1", "-e", "EMPTY=", IMAGE, "cat"),
    )
    listed = ("top", name, "-eo", "pid,comm")
    wait.until(lambda: ["1", "cat"] in [line.split() for line in docker(*listed).splitlines()], what="cat runs")
    environment = docker("inspect", "-f", "{{range $index, $value := .Config.Env}}{{println $value}}{{end}}", name)
    assert {"BUILD_TAG=jenkins-1", "EMPTY="} <= set(environment.splitlines())
    mounts = docker("inspect", "-f", "{{range.Mounts}}{{.Destination}}\n{{end}}", name).split()
    assert sorted(mounts) == [str(space), f"{space}@tmp"]
    script = 'echo "$A"; id -u; pwd; touch made'
    assert docker("exec", "--workdir", str(space), "--env", "A=b  c", name, "sh", "-c", script).splitlines() == [
        "b  c",
        str(user.uid),
        str(space),
    ]
    assert (space / "made").stat().st_uid == user.uid
    assert docker("inspect", "-f", "{{.State.Running}}", name) == "true"
    docker("stop", "--time=1", name)
    docker("rm", "-f", "--volumes", name)
    docker("rm", "-f", name)
    machine.run(["docker", "inspect", "-f", ".", "nosuch:image"]).fails(125, "no such object")


def test_scripts_come_through_the_standard_input_of_exec(machine: Machine) -> None:
    machine.ok(
        *("run", "-d", "--name=runner", "--entrypoint", "", "--label=com.gitlab.job=1", "--network=none"),
        *("-v", "/builds", "-w", "/builds", IMAGE, "sh", "-c", "while :; do sleep 1; done"),
    )
    script = 'set -e\ncd /builds && echo a > a\nfalse | true; echo "ok $(cat a)"\n'
    assert machine.ok("exec", "-i", "runner", "sh", input=script) == "ok a"
    machine("exec", "-i", "runner", "sh", input="exit 7\n").fails(7)
    long = "cat <<X | wc -c\n" + "a" * 300_000 + "\nX\n"
    assert machine.ok("exec", "-i", "runner", "sh", "-s", input=long).strip() == "300001"
    assert (
        machine.ok("exec", "--interactive", "--env", "CI=true", "runner", "sh", "-c", "echo $CI; pwd")
        == "true\n/builds"
    )
    named = machine.ok(
        "ps", "--all", "--filter=label=com.gitlab.job=1", "--format={{.Names}} {{.Status}}", "--no-trunc"
    )
    assert named.startswith("runner Up ")
    health = "--format={{if .Config.Healthcheck}}{{print .State.Health.Status}}{{end}}"
    assert machine.ok("inspect", health, "runner") == ""
    assert machine.ok("rm", "--force", "--volumes", "--time=0", "runner") == "runner"
