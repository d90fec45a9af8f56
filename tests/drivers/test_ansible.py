"""The calls of Ansible's collection containers.podman 1.18.0 (ansible-core 2.19.14), as a wrapper saw them.

The modules themselves were run, too (docs/programs.md); they are 50 MB, so here are their calls and what they read.
"""

from __future__ import annotations

import json

from tests.drivers.conftest import Machine

IMAGE = "localhost/busybox:latest"
LOOP = "trap 'exit 0' TERM; while :; do sleep 0.1; done"


def test_podman_container_makes_one_finds_it_as_it_should_be_and_removes_it(machine: Machine) -> None:
    """It compares CreateCommand with the call that it would make, and what `inspect` says elsewhere."""
    machine.ok("volume", "create", "vol2", "--driver", "local")
    machine.ok("secret", "create", "--label", "l1=v1", "sec1", "-", input="topsecret")
    options = [
        *("--name", "web", "--annotation", "x=y", "--cap-drop", "NET_RAW", "--env", "A=1", "--env", "B=two words"),
        *("--add-host", "db:10.0.0.1", "--healthcheck-command", "true", "--healthcheck-interval", "30s"),
        *("--hostname", "webhost", "--init", "--label", "app=web", "--log-driver", "k8s-file", "--read-only=True"),
        *("--restart=on-failure", "--secret", "sec1", "--secret", "sec1,type=env,target=SEC", "--shm-size", "2m"),
        *("--stop-signal", "15", "--stop-timeout", "3", "--tz=UTC", "--tmpfs", "/scratch:rw,size=1m"),
        *("--umask", "0027", "--user", "1000:1000", "--workdir", "/tmp", "--ulimit", "nofile=100:200"),
        *("--network", "none", "--volume", "vol2:/data", "--volume", "/tmp:/host:ro", "--detach=True"),
    ]
    call = ["container", "run", *options, IMAGE, "sh", "-c", LOOP]
    machine("container", "inspect", "web").fails(125, "no such container")
    identifier = machine.ok(*call)
    (found,) = json.loads(machine.ok("container", "inspect", "web"))
    assert found["Id"] == identifier
    assert found["Config"]["CreateCommand"][1:] == call
    assert found["Config"]["Healthcheck"]["Test"] == ["CMD-SHELL", "true"]
    assert found["Config"]["StopSignal"] == "SIGTERM" and found["Config"]["Timezone"] == "UTC"
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "on-failure"
    (image,) = json.loads(machine.ok("image", "inspect", IMAGE))
    assert image["Id"] == found["Image"]

    arguments = ("--env", "A=b", "--user", "root", "--workdir", "/tmp", "web", "sh", "-c", "echo $A; id -u; pwd")
    assert machine.ok("container", "exec", *arguments).split() == ["b", "0", "/tmp"]
    machine("container", "exec", "web", "sh", "-c", "exit 3").fails(3)
    units = json.loads(machine.ok("generate", "systemd", "web", "--format", "json", "--name"))
    assert "[Service]" in units["container-web"]
    machine.ok("container", "stop", "--time", "10", "web")
    machine.ok("container", "start", "web")
    machine.ok("container", "restart", "web")
    assert machine.ok("container", "rm", "--depend", "--volumes", "--force", "web") == "web"
    assert machine.ok("container", "prune", "--force", "--filter=until=1h", "--filter=label=a=b") == ""


def test_the_modules_for_volumes_secrets_and_images_read_what_they_made(machine: Machine) -> None:
    machine("volume", "inspect", "vol1").fails(125, "no such volume")
    mount = ("--opt", "device=/tmp", "--opt", "type=none", "--opt", "o=bind")
    machine.ok("volume", "create", "vol1", "--label", "a=b", *mount)
    (volume,) = json.loads(machine.ok("volume", "inspect", "vol1"))
    assert (volume["Labels"], volume["Driver"]) == ({"a": "b"}, "local")
    assert volume["Options"] == {"device": "/tmp", "type": "none", "o": "bind"}
    assert json.loads(machine.ok("volume", "inspect", "--all")) == [volume]

    machine("secret", "rm", "sec2").fails(125, "no such secret")
    machine.ok("secret", "create", "--label", "l1=v1", "sec2", "-", input="topsecret")
    (secret,) = json.loads(machine.ok("secret", "inspect", "--showsecret", "sec2"))
    assert secret["SecretData"] == "topsecret"
    assert (secret["Spec"]["Labels"], secret["Spec"]["Driver"]["Name"]) == ({"l1": "v1"}, "file")

    machine.ok("image", "exists", IMAGE)
    (listed,) = json.loads(machine.ok("image", "ls", IMAGE, "--format", "json"))
    (image,) = json.loads(machine.ok("inspect", IMAGE, "--format", "json"))
    assert listed["Id"] == image["Id"]
    machine.ok("tag", IMAGE, "localhost/bb:one", "localhost/bb:two")
    machine.ok("save", f"-o={machine.home}/bb.tar", "--multi-image-archive", IMAGE, "localhost/bb:one")
    machine.ok("rmi", "localhost/bb:two")
    assert machine.ok("image", "ls", "localhost/bb:two", "--format", "json") == "[]"
    assert "Loaded image: localhost/bb:one" in machine.ok("load", "--input", f"{machine.home}/bb.tar")


def test_the_connection_plugin_puts_modules_into_a_container_and_runs_them(machine: Machine) -> None:
    """It falls back to `cp` where `mount` isn't for this user, as Podman has it."""
    machine.ok("container", "run", "--name", "node", "--network", "none", "--detach=True", IMAGE, "sleep", "1000")
    machine("mount", "node").fails(125, "rootless")
    make = '( umask 77 && mkdir -p "` echo /tmp/.ansible `"&& echo made="` echo /tmp/.ansible `" ) && sleep 0'
    assert machine.ok("exec", "node", "/bin/sh", "-c", make) == "made=/tmp/.ansible"
    module = machine.home / "module"
    module.write_text("read x; echo got $x; exit 4\n")
    machine.ok("cp", str(module), "node:/tmp/.ansible/module.sh")
    machine.ok("exec", "node", "/bin/sh", "-c", "chmod u+rwx /tmp/.ansible/ /tmp/.ansible/module.sh && sleep 0")
    done = machine("exec", "-i", "node", "/bin/sh", "-c", "/bin/sh /tmp/.ansible/module.sh && sleep 0", input="it\n")
    assert (done.returncode, done.stdout) == (4, "got it\n")
    assert machine.ok("exec", "--user", "user", "node", "/bin/sh", "-c", "id -un && sleep 0") == "user"
