"""A command line → a file → a unit: its command line makes the same container."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from podpy.cli.commands.quadlets.from_run import text_of
from podpy.cli.parser.parse import parse
from podpy.cli.parser.tables import load
from podpy.errors import UsageError
from podpy.quadlet.words import split
from tests.quadlet.bundle import PODPY, texts, units_of, value
from tests.support.engine import Podpy

UNITS_OWN = {
    "argv",
    "globals",
    "path",
    "_given",
    "detach",
    "rm",
    "replace",
    "cgroups",
    "sdnotify",
    "restart",
    "name",
    "cidfile",
}

LINES = [
    "run -d --name web -p 8080:80 -p 127.0.0.1:53:53/udp docker.io/library/nginx",
    "run --rm -e A=1 -e 'B=x y' -e C= -e D -e 'E=\"q\"' localhost/t sh -c 'echo \"$A\" 100%; exit 3' '' ';'",
    "run -v /a:/a:ro -v data:/d --mount type=tmpfs,destination=/t --tmpfs /x:size=1m --read-only localhost/t",
    "run --user 1:2 --userns keep-id --cap-add NET_ADMIN --cap-drop all --security-opt no-new-privileges localhost/t",
    "run --security-opt label=disable --security-opt apparmor=x --security-opt seccomp=/s.json localhost/t",
    "run --memory 20m --cpus 0.5 --pids-limit 7 --shm-size 5m --ulimit nofile=1:2 --cpuset-cpus 0 localhost/t",
    "run --health-cmd 'curl -f http://localhost/ || exit 1' --health-interval 5s --no-healthcheck=false localhost/t",
    "run --label a=b --label io.containers.autoupdate=registry --label 'c=x \"y\"' --annotation k=v localhost/t",
    "run --network none --dns 1.1.1.1 --add-host a:1.2.3.4 --hostname h --init --tz local localhost/t sleep 5",
    "run --entrypoint '[\"a\",\"b c\"]' --workdir '/with blank' --stop-signal INT --stop-timeout 3 localhost/t",
    "run --env 'TAB=a\tb' --env 'END=x\\' --workdir 'trailing ' -t -i --privileged localhost/t",
    "run --sysctl net.ipv4.ip_unprivileged_port_start=0 --log-driver none --pull never --umask 0077 localhost/t",
    "create --env-file /e --device /dev/null --expose 80 --group-add 5 --secret s,type=env localhost/t",
]


def meant(words: list[str]) -> dict[str, object]:
    """Return what a command line says, but for what is the unit's business; `create` is as `run`."""
    options, _ = parse(["run", *words[1:]], load())
    found = {name: said for name, said in vars(options).items() if name not in UNITS_OWN}
    for name in ("env", "label", "annotation", "security_opt", "cap_add", "cap_drop"):
        found[name] = sorted(text.lower() if name.startswith("cap") else text for text in found[name])
    return found


@pytest.mark.parametrize("line", LINES)
def test_a_round_trip_gives_the_same_container(line: str, tmp_path: Path) -> None:
    words = shlex.split(line)
    generated = units_of(f"=== x.container\n{text_of(words, '/here')}", tmp_path)
    assert [problem for problem in generated.problems if problem.fatal] == []
    command = split(value(texts(generated)["x.service"], "ExecStart"))
    back = [word.replace("%%", "%").replace("$$", "$") for word in command[1:]]
    assert meant(back) == meant(words)


def test_keys_stand_for_options_where_there_are_any() -> None:
    words = shlex.split(
        "podman run -d --name web --restart always -p 80:80 -v ./site:/s -e A=1 --cpus 2 localhost/t x 'y z'"
    )
    assert text_of(words[1:], "/here") == (
        "[Container]\nImage=localhost/t\nContainerName=web\nEnvironment=A=1\nVolume=/here/site:/s\nPublishPort=80:80\n"
        'PodmanArgs=--cpus=2.0\nExec=x "y z"\n\n[Service]\nRestart=always\n\n[Install]\nWantedBy=default.target\n'
    )


def test_only_containers_are_made_of_command_lines() -> None:
    with pytest.raises(UsageError, match="only run and create make a container"):
        text_of(["ps"], "/")


def test_the_file_of_a_container_that_is_there(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "web", "--network=none", "-e", "A=1", busybox, "sleep", "5")
    text = podpy.ok("generate", "quadlet", "web")
    assert text.startswith(f"[Container]\nImage={busybox}\nContainerName=web\n")
    assert "\nEnvironment=A=1\n" in text
    assert "\nExec=sleep 5\n" in text
    from_run = podpy.ok(
        "quadlet", "from-run", "--", "run", "--name", "web", "--network=none", "-e", "A=1", busybox, "sleep", "5"
    )
    assert from_run == text


def run_units(podpy: Podpy, text: str, directory: Path) -> None:
    """Do what systemd would do at the start of a pod's unit and those of its containers."""
    bundle = text.replace("---\n", "").split("# FileName=")[1:]
    parts = [(part.partition("\n")[0], part.partition("\n")[2]) for part in bundle]
    names = [f"{name}.{'pod' if part.startswith('[Pod]') else 'container'}" for name, part in parts]
    generated = units_of("".join(f"=== {n}\n{part}" for n, (_, part) in zip(names, parts, strict=True)), directory)
    assert [str(problem) for problem in generated.problems if problem.fatal] == []
    for unit in sorted(generated.units, key=lambda unit: "-pod.service" not in unit.name):
        lines = [line.partition("=") for line in unit.text.splitlines()]
        for wanted in ("ExecStartPre", "ExecStart"):
            for command in [command for key, _, command in lines if key == wanted and command.startswith(PODPY)]:
                words = [word for word in split(command)[1:] if word != "--cgroups=split" and "%t" not in word]
                podpy.ok(*[word.replace("%%", "%").replace("$$", "$") for word in words])


def shown(podpy: Podpy, name: str) -> tuple[set[str], list[str], dict[str, str]]:
    """Return a container's variables, its command and its labels."""
    config = podpy.json("inspect", name)[0]["Config"]
    return set(config["Env"]), config["Cmd"], config["Labels"] or {}


def pod_facts(podpy: Podpy, name: str) -> list[object]:
    """Return what must be the same of a pod."""
    found = podpy.json("pod", "inspect", name)
    facts = found[0] if isinstance(found, list) else found
    fields = ("Name", "Hostname", "Labels", "ExitPolicy", "SharedNamespaces", "NumContainers")
    infra = ("PortBindings", "HostAdd", "HostNetwork", "Networks")
    return [*[facts.get(key) for key in fields], *[facts["InfraConfig"].get(key) for key in infra]]


def test_a_pods_files_make_the_same_pod_and_containers(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    podpy.ok("pod", "create", "--name=shop", "--share=+pid", "-p", "8080:80", "--label=a=b c", "--add-host=x:1.2.3.4",
             "--exit-policy=stop")  # fmt: skip
    podpy.ok("create", "--pod=shop", "--name=web", "-e", "A=x $HOME 100%", busybox, "sleep", "100")
    member = podpy.ok("create", "--pod", "shop", "--label=k=v", "-v/tmp:/t:ro", busybox, "sleep", "200")
    db = podpy.ok("inspect", "--format={{.Name}}", member)
    before = pod_facts(podpy, "shop")
    members = {name: shown(podpy, name) for name in ("web", db)}
    text = podpy.ok("generate", "quadlet", "shop") + "\n"
    assert text.startswith("# FileName=shop\n[Pod]\nPodName=shop\nExitPolicy=stop\n")
    assert f"# FileName={db}\n[Container]\n" in text and text.count("\nPod=shop.pod\n") == 2
    assert text.count("[Install]") == 1
    podpy.ok("pod", "rm", "-f", "shop")
    run_units(podpy, text, tmp_path)
    assert pod_facts(podpy, "shop") == before
    for name, (variables, command, labels) in members.items():
        now = shown(podpy, name)
        assert variables - {f"HOSTNAME={name}"} <= now[0] and now[1] == command and labels.items() <= now[2].items()
    podpy.ok("pod", "rm", "-f", "-t0", "shop")


def test_files_of_several_containers_in_one_call(podpy: Podpy, busybox: str) -> None:
    for name in ("a", "b"):
        podpy.ok("create", f"--name={name}", "--network=none", busybox, "sleep", name)
    text = podpy.ok("generate", "quadlet", "a", "b")
    marks = [line for line in text.splitlines() if line[:2] in ("# ", "--")]
    assert marks == ["# FileName=a", "---", "# FileName=b"]
    podpy("generate", "quadlet", "a", "none").fails(125, "no such container", "none")
    units = podpy.home / "units"
    written = podpy.ok("generate", "quadlet", "-o", str(units), "a", "b").split()
    assert written == [f"{units}/a.container", f"{units}/b.container"]
    assert podpy.ok("quadlet", "verify", str(units)) == ""
    podpy("generate", "quadlet", "-o", str(units), "a").fails(125, "a.container already exists", "Hint: --replace")


def test_a_pod_that_run_has_made(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--pod=new:made", "--name=one", "--network=none", "--add-host=x:1.2.3.4", "-e", "A=1",
             busybox, "sleep", "100")  # fmt: skip
    text = podpy.ok("generate", "quadlet", "made")
    pod, _, container = text.partition("---\n")
    assert "Network=none\n" in pod and "AddHost=x:1.2.3.4\n" in pod and "Environment" not in pod
    assert "Pod=made.pod\n" in container and "Network" not in container and "Environment=A=1\n" in container
    podpy("generate", "quadlet", "one").fails(125, "one belongs to a pod, and needs its file", "Hint: ")
    podpy.ok("pod", "rm", "-f", "-t0", "made")
    podpy.ok("pod", "create", "--infra=false", "--share=", "--name=bare")
    podpy("generate", "quadlet", "bare").fails(125, "bare: a pod without an infra container has no process")
    podpy.ok("pod", "rm", "bare")
