"""A compose file → files of Quadlet → units, whose command lines make the containers that compose would make."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from podpy.compose.convert import Converted, convert
from podpy.compose.dotenv import parse as variables_of
from podpy.compose.interpolation import interpolate
from podpy.compose.project import Request
from podpy.compose.words import split as split_command
from podpy.errors import PodpyError, UsageError
from podpy.quadlet.words import split
from tests.quadlet.bundle import PODPY, units_of, value
from tests.quadlet.test_writing import meant
from tests.support import wait
from tests.support.engine import Podpy

LABELS = (
    "--label com.docker.compose.project=shop --label com.docker.compose.service=web"
    " --label com.docker.compose.container-number=1 --label com.docker.compose.oneoff=False"
)


def converted(directory: Path, text: str, **given: object) -> Converted:
    """Convert a compose file of a project called `shop`."""
    (directory / "compose.yaml").write_text(text)
    fields = {"path": "", "directory": str(directory), "environ": {"HOME": "/home/me"}, "name": "shop", **given}
    return convert(Request(**fields), podpy=PODPY)


def services_of(made: Converted, directory: Path) -> dict[str, str]:
    """Return the units of the files, by their names."""
    bundle = "".join(f"=== {name}\n{text}" for name, text in made.files.items())
    generated = units_of(bundle, directory / "units")
    assert [str(problem) for problem in generated.problems if problem.fatal] == []
    return {unit.name: unit.text for unit in generated.units}


def command_of(unit: str) -> list[str]:
    """Return what a unit's ExecStart runs after `podpy`."""
    return [word.replace("%%", "%").replace("$$", "$") for word in split(value(unit, "ExecStart"))[1:]]


def problems(made: Converted) -> list[str]:
    """Return the problems without the file's name."""
    return [str(problem).removeprefix("compose.yaml:") for problem in made.problems]


ONE_SERVICE = [
    ("command: sh -c 'echo $$A; exit 3'", "", "sh -c 'echo $A; exit 3'"),
    ("command: [sleep, '1 2']", "", "sleep '1 2'"),
    ("entrypoint: /run.sh --now\n    command: []", """--entrypoint '["/run.sh","--now"]'""", ""),
    ("entrypoint: ['']\n    command: [a, b]", """--entrypoint '[""]'""", "a b"),
    ("user: 1000:50\n    working_dir: /w\n    hostname: h", "--user 1000:50 --workdir /w --hostname h", ""),
    ("environment: {A: x y, B: 0755, C: true, D: }", "--env 'A=x y' --env B=493 --env C=true --env D=here", ""),
    ("environment: ['A=b=c', D, 'P=100%']", "--env A=b=c --env D=here --env P=100%", ""),
    ("ports: ['80', '8080:80', '1.2.3.4:53:53/udp', '::1:81:81']", "-p 80 -p 8080:80 -p 1.2.3.4:53:53/udp "
     "-p [::1]:81:81", ""),
    ("ports: ['3000-3002:3000-3002', '127.0.0.1::90']", "-p 3000-3002:3000-3002 -p 127.0.0.1::90", ""),
    ("ports: [{target: 80, published: '8080', host_ip: 127.0.0.1, protocol: udp, mode: host}, {target: 9}]",
     "-p 127.0.0.1:8080:80/udp -p 9", ""),
    ("volumes: ['DIR/here:/a:ro', '/b', '~/c:/c:cached', 'data:/d']",
     "-v DIR/here:/a:ro -v /b -v /home/me/c:/c -v shop_data:/d", ""),
    ("volumes: [{type: bind, source: ., target: /s, read_only: true, bind: {propagation: rslave, selinux: z}}]",
     "--mount type=bind,source=DIR,bind-propagation=rslave,relabel=shared,target=/s,readonly", ""),
    ("volumes: [{type: volume, source: data, target: /d, volume: {subpath: x}}, {type: tmpfs, target: /t, tmpfs: "
     "{size: 1mb, mode: 01777}}]", "--mount type=volume,source=shop_data,subpath=x,target=/d --mount "
     "type=tmpfs,tmpfs-size=1048576,tmpfs-mode=1777,target=/t", ""),
    ("tmpfs: /run:size=1m\n    read_only: true\n    init: true\n    tty: true", "--tmpfs /run:size=1m --read-only "
     "--init -t", ""),
    ("healthcheck: {test: curl -f localhost || exit 1, interval: 1m30s, timeout: 5s, retries: 2, start_period: 1s}",
     "--health-cmd 'curl -f localhost || exit 1' --health-interval 1m30s --health-timeout 5s --health-retries 2 "
     "--health-start-period 1s", ""),
    ("healthcheck: {test: [CMD, a, 'b c'], start_interval: 2s}",
     """--health-cmd '["CMD","a","b c"]' --health-start-interval 2s""", ""),
    ("healthcheck: {disable: true}", "--no-healthcheck", ""),
    ("healthcheck: {test: NONE of it}", """--health-cmd '["CMD-SHELL","NONE of it"]'""", ""),
    ("cap_add: [NET_ADMIN]\n    cap_drop: [ALL]\n    security_opt: ['no-new-privileges:true', 'label:disable', "
     "'seccomp=unconfined', 'apparmor:unconfined']", "--cap-add NET_ADMIN --cap-drop ALL --security-opt "
     "no-new-privileges --security-opt label=disable --security-opt seccomp=unconfined --security-opt "
     "apparmor=unconfined", ""),
    ("mem_limit: 1.5gb\n    cpus: 0.5\n    pids_limit: 9\n    shm_size: 64M\n    cpuset: 0,1\n    oom_score_adj: 5",
     "--memory 1610612736 --cpus 0.5 --pids-limit 9 --shm-size 64m --cpuset-cpus 0,1 --oom-score-adj 5", ""),
    ("deploy: {replicas: 1, resources: {limits: {cpus: '2', memory: 50M, pids: 1}, reservations: {memory: 20M}}}",
     "--cpus 2 --memory 50m --pids-limit 1 --memory-reservation 20m", ""),
    ("deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}}}",
     "--device nvidia.com/gpu=0", ""),
    ("gpus: all\n    devices: ['/dev/a:/dev/b:r', {source: /dev/c}]", "--gpus all --device /dev/a:/dev/b:r --device "
     "/dev/c:/dev/c", ""),
    ("ulimits: {nproc: 65, nofile: {soft: 1, hard: 2}}\n    sysctls: {net.core.somaxconn: 1024}",
     "--ulimit nproc=65 --ulimit nofile=1:2 --sysctl net.core.somaxconn=1024", ""),
    ("extra_hosts: ['a:1.2.3.4', 'b=::1', 'h:host-gateway']\n    dns: 1.1.1.1\n    dns_search: [x.y]\n    dns_opt: "
     "[use-vc]", "--add-host a:1.2.3.4 --add-host b:::1 --add-host h:host-gateway --dns 1.1.1.1 --dns-search x.y "
     "--dns-option use-vc", ""),
    ("extra_hosts: {a: 1.2.3.4}\n    labels: {x: y, z: }\n    annotations: [p=q]", "--add-host a:1.2.3.4 --label x=y "
     "--label z= --annotation p=q", ""),
    ("logging: {driver: json-file, options: {max-size: 10m}}\n    stop_signal: INT\n    stop_grace_period: 1m30s",
     "--log-driver json-file --log-opt max-size=10m --stop-signal INT --stop-timeout 90", ""),
    ("blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 12mb}]}", "--blkio-weight 300 "
     "--device-read-bps /dev/sda:12582912", ""),
    ("ipc: host\n    pid: host\n    userns_mode: host\n    uts: host\n    cgroup: host\n    privileged: true",
     "--ipc host --pid host --userns host --uts host --cgroupns host --privileged", ""),
    ("secrets: [pw, {source: stored, target: t, mode: '0400'}]\n    configs: [{source: conf, target: /etc/c}]",
     "-v DIR/pw.txt:/run/secrets/pw:ro --secret stored,target=/run/secrets/t,mode=0400 -v DIR/pw.txt:/etc/c:ro", ""),
    ("pull_policy: always\n    platform: linux/arm64\n    stdin_open: yes\n    expose: ['80', 90-91/udp]",
     "--pull always --platform linux/arm64 -i --expose 80 --expose 90-91/udp", ""),
]  # fmt: skip


@pytest.mark.parametrize(("body", "options", "command"), ONE_SERVICE)
def test_a_services_unit_makes_the_same_container(body: str, options: str, command: str, tmp_path: Path) -> None:
    for name in ("here", "pw.txt"):
        (tmp_path / name).touch()
    text = (
        f"services:\n  web:\n    image: localhost/t\n    {body.replace('DIR', str(tmp_path))}\nvolumes: {{data: }}\n"
        "secrets: {pw: {file: pw.txt}, stored: {external: true}}\nconfigs: {conf: {file: ./pw.txt}}\n"
    )
    made = converted(tmp_path, text, environ={"HOME": "/home/me", "D": "here"})
    assert problems(made) == []
    unit = services_of(made, tmp_path)["shop-web.service"]
    network = "" if "pid: host" in body and "network_mode" in body else "--network shop_default:alias=web"
    line = f"run {LABELS} {network} {options.replace('DIR', str(tmp_path))} localhost/t {command}"
    expected = meant(shlex.split(line))
    assert {k: v for k, v in meant(command_of(unit)).items() if v != expected[k]} == {}
    assert " --name shop-web-1 " in value(unit, "ExecStart")


def test_networks_and_volumes_have_the_names_that_compose_gives(tmp_path: Path) -> None:
    text = """
services:
  web:
    image: nginx
    networks: {front: {aliases: [www], ipv4_address: 10.1.0.5}, back: , theirs: }
    volumes: [data:/d, theirs:/t, named:/n]
  db: {image: quay.io/a/b:1, networks: [back], container_name: store}
  lone: {image: a/b, network_mode: "service:db"}
networks:
  front: {ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.9, ip_range: 10.1.0.128/25}]}, labels: [a=b]}
  back: {internal: true, driver_opts: {mtu: "1400"}, name: backbone}
  theirs: {external: true, name: there-already}
volumes:
  data: {driver_opts: {type: tmpfs, device: tmpfs, o: size=1m}, labels: {x: y}}
  theirs: {external: true}
  named: {name: own}
"""
    made = converted(tmp_path, text)
    assert problems(made) == []
    assert list(made.files) == [
        "shop-back.network",
        "shop-data.volume",
        "shop-db.container",
        "shop-front.network",
        "shop-lone.container",
        "shop-named.volume",
        "shop-web.container",
    ]
    units = services_of(made, tmp_path)
    web = command_of(units["shop-web.service"])
    networks = [word for at, word in enumerate(web) if web[at - 1] == "--network"]
    front = "shop_front:alias=web,alias=www,ip=10.1.0.5"
    assert networks == [front, "backbone:alias=web", "there-already:alias=web"]
    assert [word for at, word in enumerate(web) if web[at - 1] == "-v"] == ["shop_data:/d", "theirs:/t", "own:/n"]
    assert web[-1] == "docker.io/library/nginx"
    assert "--name store --replace" in value(units["shop-db.service"], "ExecStart")
    assert "--network container:store" in value(units["shop-lone.service"], "ExecStart")
    assert value(units["shop-front-network.service"], "ExecStart") == (
        f"{PODPY} network create --ignore --subnet 10.1.0.0/24 --gateway 10.1.0.9 --ip-range 10.1.0.128/25"
        " --label a=b --label com.docker.compose.network=front --label com.docker.compose.project=shop shop_front"
    )
    assert " --internal --opt mtu=1400 " in value(units["shop-back-network.service"], "ExecStart")
    assert " --opt device=tmpfs --opt type=tmpfs --opt o=size=1m shop_data" in value(
        units["shop-data-volume.service"], "ExecStart"
    )


def test_conditions_of_dependencies_are_kept(tmp_path: Path) -> None:
    text = """
services:
  web:
    image: localhost/t
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
      cache: {condition: service_started, required: false}
      other: {condition: service_started}
  db: {image: localhost/t, healthcheck: {test: "true"}, restart: always}
  job: {image: localhost/t, restart: "on-failure:3"}
  cache: {image: localhost/t}
  other: {image: localhost/t, volumes_from: [db], ipc: "service:cache"}
"""
    made = converted(tmp_path, text)
    assert problems(made) == []
    units = services_of(made, tmp_path)
    web = units["shop-web.service"]
    assert "Requires=shop-db.service shop-job.service shop-other.service\n" in web
    assert "Wants=shop-cache.service\n" in web
    assert "After=shop-db.service shop-job.service shop-cache.service shop-other.service\n" in web
    assert "--sdnotify=healthy" in value(units["shop-db.service"], "ExecStart")
    assert "Restart=always\nRestartSec=1\n" in units["shop-db.service"]
    assert "StartLimitIntervalSec=0\n" in units["shop-db.service"]
    job = units["shop-job.service"]
    assert "Type=oneshot\nRemainAfterExit=yes\n" in job and "TimeoutStartSec=infinity\n" in job
    assert "StartLimitBurst=4\n" in job and " -d " not in value(job, "ExecStart")
    other = units["shop-other.service"]
    assert "Requires=shop-db.service shop-cache.service\n" in other
    assert "--volumes-from=shop-db-1" in value(other, "ExecStart")
    assert "--ipc=container:shop-cache-1" in value(other, "ExecStart")


def test_a_build_becomes_a_file_of_its_own(tmp_path: Path) -> None:
    text = """
services:
  web: {build: ./app}
  api:
    image: api:2
    build: {context: app, dockerfile: Other, target: t, args: {V: "1", W: }, no_cache: true, tags: [localhost/x]}
  twin: {image: "api:2"}
"""
    made = converted(tmp_path, text, environ={"W": "w"})
    assert problems(made) == []
    assert made.files["shop-web.build"].startswith(
        f"[Build]\nImageTag=localhost/shop-web\nSetWorkingDirectory={tmp_path}/app\n"
    )
    units = services_of(made, tmp_path)
    assert value(units["shop-api-build.service"], "ExecStart") == (
        f"{PODPY} build --target t --tag localhost/api:2 --tag localhost/x --build-arg V=1 --build-arg W=w"
        f" --file {tmp_path}/app/Other --no-cache {tmp_path}/app"
    )
    for name in ("api", "twin"):
        assert "Requires=shop-api-build.service" in units[f"shop-{name}.service"]
        assert command_of(units[f"shop-{name}.service"])[-1] == "localhost/api:2"


def test_services_of_profiles_wait_until_they_are_asked_for(tmp_path: Path) -> None:
    text = "services:\n  web: {image: localhost/t}\n  debug: {image: localhost/t, profiles: [debug, x]}\n"
    made = converted(tmp_path, text)
    assert list(made.files) == ["shop-default.network", "shop-web.container"]
    assert problems(made) == ["3: warning: services.debug: left out: it is of the profile debug, x (--profile debug)"]
    assert "shop-debug.container" in converted(tmp_path, text, profiles=["x"]).files
    assert "shop-debug.container" in converted(tmp_path, text, environ={"COMPOSE_PROFILES": "a,debug"}).files
    needed = converted(tmp_path, text.replace("localhost/t}\n  d", "localhost/t, depends_on: [debug]}\n  d"))
    assert (
        "2: services.web.depends_on[0]: the service debug is left out: its profile isn't asked for"
        in problems(needed)[0]
    )


def test_missing_directories_are_made_as_compose_makes_them(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    made = converted(
        tmp_path, "services: {web: {image: localhost/t, volumes: ['./there:/a', './new one:/b:ro', '$D:/c']}}\n",
        environ={"D": "/there/100%$x"},
    )  # fmt: skip
    assert problems(made) == []
    unit = services_of(made, tmp_path)["shop-web.service"]
    lines = [line for line in unit.splitlines() if line.startswith("ExecStartPre=")]
    assert lines == [
        f'ExecStartPre=/bin/mkdir -p "{tmp_path}/new one"',
        "ExecStartPre=/bin/mkdir -p /there/100%%$$x",
    ]


def test_files_of_variables_are_read_by_the_unit_if_it_reads_the_same(tmp_path: Path) -> None:
    (tmp_path / "plain.env").write_text("A=1\n# no\nB=x y\n")
    (tmp_path / "quoted.env").write_text("export A='1 $X'\nB=\"x\\ty\"  # tab\nC=$A\nOWN=no\n")
    service = "services: {web: {image: localhost/t, environment: {OWN: yes}, env_file: "
    made = converted(tmp_path, service + "plain.env}}\n")
    assert f"EnvironmentFile={tmp_path}/plain.env\n" in made.files["shop-web.container"]
    assert problems(made) == []
    made = converted(tmp_path, service + "[plain.env, {path: quoted.env}, {path: no.env, required: false}]}}\n")
    command = command_of(services_of(made, tmp_path)["shop-web.service"])
    variables = [word for at, word in enumerate(command) if command[at - 1] == "--env"]
    assert variables == ["A=1 $X", "B=x\ty", "C=1 $X", "OWN=yes"]
    assert "--env-file" not in command
    assert ["the unit has the values of now" in line or "is left out" in line for line in problems(made)] == [True] * 2
    missing = converted(tmp_path, service + "no.env}}\n")
    assert problems(missing) == [f"1: services.web.env_file: {tmp_path}/no.env: no such file or directory"]


def test_a_config_in_the_file_goes_beside_the_unit(tmp_path: Path) -> None:
    text = "services: {web: {image: localhost/t, configs: [conf]}}\nconfigs: {conf: {content: 'port ${P}'}}\n"
    made = converted(tmp_path, text, environ={"P": "80"})
    assert made.files["shop-conf.config"] == "port 80"
    assert f" -v {tmp_path}/units/shop-conf.config:/conf:ro " in services_of(made, tmp_path)["shop-web.service"]
    fields = {"path": "compose.yaml", "directory": str(tmp_path), "environ": {"P": "80"}}
    assert not convert(Request(**fields), podpy=PODPY, in_one=True).is_whole


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("imgae: x", "3: services.web.imgae: there is no such key (did you mean image?)"),
        ("image: x\n    extends: {service: y}",
         "4: services.web.extends: services of other files aren't read (docker compose config writes one file of"),
        ("image: x\n    ports: ['80:x']", "4: services.web.ports[0]: parsing container port: invalid port number"),
        ("image: x\n    ports: ['3000-3005:80']", "4: services.web.ports[0]: podpy can't choose one of the ports 3000"),
        ("image: x\n    ports: ['1:2/sctp']", "4: services.web.ports[0]: -p 1:2/sctp: sctp can't be forwarded"),
        ("image: x\n    volumes: ['dat:/d']", "4: services.web.volumes[0]: no volume dat is there (did you mean data"),
        ("image: x\n    networks: [frnt]", "4: services.web.networks[0]: no network frnt is there (did you mean front"),
        ("image: x\n    depends_on: [wbe]", "4: services.web.depends_on[0]: no service wbe is there (did you mean web"),
        ("image: x\n    secrets: [s]", "4: services.web.secrets[0]: no secret s is there"),
        ("image: x\n    read_only: maybe", '4: services.web.read_only: "maybe" is neither true nor false'),
        ("image: x\n    deploy: {replicas: 3}", "4: services.web.deploy.replicas: a unit runs one container, not 3"),
        ("image: x\n    mem_limit: lots", '4: services.web.mem_limit: "lots" is no size'),
        ("image: x\n    restart: sometimes", "4: services.web.restart: there is no restart policy sometimes"),
        ("image: x\n    links: ['db:store']", "4: services.web.links[0]: no service db is there"),
        ("image: x\n    healthcheck: {interval: 5}", '4: services.web.healthcheck.interval: "5" is no duration'),
        ("image: x\n    command: []", "4: services.web.command: an empty command: podpy can't take the image's away"),
        ("image: x\n    hostname: [a]", "4: services.web.hostname: must be a text"),
        ("image: ${X:?say which}", "3: services.web.image: required variable X is missing a value: say which"),
        ("image: ${X", "3: services.web.image: ${X: the brace isn't closed"),
        ("image: ${X/a/b}", "3: services.web.image: ${X/a/b}: there is no such form"),
        ("hostname: x", "2: services.web: neither image nor build is given"),
    ],
)  # fmt: skip
def test_what_has_no_form_in_a_unit_is_told_with_its_place(body: str, complaint: str, tmp_path: Path) -> None:
    made = converted(tmp_path, f"services:\n  web:\n    {body}\nvolumes: {{data: }}\nnetworks: {{front: }}\n")
    assert not made.is_whole
    assert complaint in "\n".join(problems(made))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    made = converted(tmp_path, "include: [x]\nservices: {a: {image: x, prots: []}, b: [], 'c d': {}}\nvlumes: {}\n")
    assert [line.partition(" (")[0] for line in problems(made)] == [
        "1: include: other compose files aren't read",
        "2: services[c d]: a service's name has only letters, digits, and ._-",
        "2: services.a.prots: there is no such key",
        "2: services.b: the service b must be a mapping",
        "3: vlumes: there is no such key",
    ]


def test_services_that_compose_would_not_start_are_told(tmp_path: Path) -> None:
    text = (
        "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, ipc: 'service:c'}\n"
        "  c: {image: x, depends_on: [a]}\n  d: {image: x, container_name: one, depends_on: [c]}\n"
        "  e: {image: x, container_name: one}\n"
    )
    assert problems(converted(tmp_path, text)) == [
        "2: services.a: services that wait for each other: a, b, c",
        "6: services.e: its container has the name of that of d: one",
    ]


def test_an_override_beside_the_file_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "compose.override.yaml").write_text("services: {}\n")
    made = converted(tmp_path, "services: {a: {image: localhost/t}}\n")
    assert not made.is_whole and "compose.override.yaml is beside it" in problems(made)[0]


COMMANDS = [
    ("""echo "a;b" 'c|d' e\\;f 'it''s' "" ''""", ["echo", "a;b", "c|d", "e;f", "its", "", ""], ""),
    ("""sh -c "echo \\"x\\" \\n" '\\n'""", ["sh", "-c", 'echo "x" n', "\\n"], ""),
    ("echo a; echo b", ["echo", "a"], "; echo b"),
    ("echo a && b", ["echo", "a"], "&& b"),
    ("echo 2>x", ["echo"], ">x"),
    ("echo a# $(date -u) `date -u`", ["echo", "a#", "$(date -u)", "`date -u`"], ""),
]


@pytest.mark.parametrize(("text", "found", "rest"), COMMANDS)
def test_a_command_is_split_as_compose_does(text: str, found: list[str], rest: str) -> None:
    assert split_command(text) == (found, rest)


@pytest.mark.parametrize("text", ["echo 'a", 'echo "a', "echo (a)", "echo a\\"])
def test_a_command_that_compose_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        split_command(text)


def test_what_compose_leaves_out_of_a_command_is_told(tmp_path: Path) -> None:
    made = converted(tmp_path, "services: {web: {image: localhost/t, command: echo a && b}}\n")
    assert made.is_whole and "leaves out what begins with &" in problems(made)[0]


FORMS = [
    ("$A-${A}", "a-a"),
    ("$$A ${E} $1 $", "$A  $1 $"),
    ("${E:-x}${E-x}${N-y}${N:-z}", "xyz"),
    ("${A:+x}${E:+x}${E+y}${N+y}", "xy"),
    ("${N:-${N2:-$A}}!", "a!"),
    ("${A?no}${E?no}${A:?no}", "aa"),
    ("${N:-a}b}", "ab}"),
]


@pytest.mark.parametrize(("text", "result"), FORMS)
def test_variables_have_all_forms_of_compose(text: str, result: str) -> None:
    unset: list[str] = []
    assert interpolate(text, {"A": "a", "E": ""}, unset.append) == result
    assert unset == []


def test_a_variable_that_is_not_set_is_told_once(tmp_path: Path) -> None:
    made = converted(tmp_path, "services: {web: {image: 'localhost/t:x$NO', hostname: h$NO}}\n")
    told = [line for line in problems(made) if "NO is not set" in line]
    assert told == ["1: warning: services.web.image: the variable NO is not set: it counts as empty"]


def test_a_file_of_variables_is_read_as_compose_does() -> None:
    text = (
        '# no\nA=1 # one\nexport B=\'x # $A\'\nC="$A ${N:-n} \\$A\\n"\n\nD: y\nE=\nF=a#b\nG=${A}2\nH\nI="two\nlines"\n'
    )
    assert variables_of(text, {"H": "h", "A": "own"}) == {
        "A": "1", "B": "x # $A", "C": "own n $A\n", "D": "y", "E": "", "F": "a#b", "G": "own2", "H": "h",
        "I": "two\nlines",
    }  # fmt: skip
    for wrong in ("A='x\n", "a b=c\n", "=x\n"):
        with pytest.raises(ValueError, match="line 1: "):
            variables_of(wrong, {})


def test_the_projects_name_and_variables_are_found_as_compose_finds_them(tmp_path: Path) -> None:
    project = tmp_path / "My Shop_1"
    project.mkdir()
    (project / ".env").write_text("TAG=env\nOTHER=o\n")
    (tmp_path / "other.env").write_text("TAG=other\n")
    text = "services: {web: {image: 'localhost/t:${TAG}'}}\n"
    made = converted(project, text, name="")
    assert "Image=localhost/t:env\nContainerName=myshop_1-web-1\n" in made.files["myshop_1-web.container"]
    made = converted(project, text, name="", environ={"TAG": "own", "COMPOSE_PROJECT_NAME": "b"})
    assert "Image=localhost/t:own\nContainerName=b-web-1\n" in made.files["b-web.container"]
    made = converted(project, "name: c\n" + text, name="", env_files=["../other.env"])
    assert "Image=localhost/t:other\nContainerName=c-web-1\n" in made.files["c-web.container"]
    with pytest.raises(UsageError, match='invalid project name "Up"'):
        converted(project, text, name="Up")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a compose file is one mapping"),
        ("- a\n", "a compose file is one mapping"),
        ("services: {a: b: c}\n", "compose.yaml:1: "),
        ("services:\n  a: {image: x}\n  a: {image: y}\n", 'compose.yaml:3: mapping key "a" already defined at line 2'),
    ],
)
def test_what_is_no_compose_file_is_refused(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(PodpyError) as caught:
        converted(tmp_path, text)
    assert told in caught.value.message


def test_the_command_prints_files_that_can_be_installed(podpy: Podpy) -> None:
    project = podpy.home / "shop"
    project.mkdir()
    (project / "compose.yaml").write_text(
        "services: {web: {image: localhost/t, volumes: ['data:/d']}}\nvolumes: {data: }\n"
    )
    os.chmod(project, 0o755)
    printed = podpy("quadlet", "from-compose", str(project)).stdout
    assert [line for line in printed.splitlines() if line.startswith("# ")] == [
        "# FileName=shop-data",
        "# FileName=shop-default",
        "# FileName=shop-web",
    ]
    several = podpy.home / "shop.quadlets"
    several.write_text(printed)
    podpy.ok("quadlet", "install", "--reload-systemd=false", str(several))
    assert podpy.ok("quadlet", "list", "--format", "{{.Name}}").split() == [
        "shop-data.volume",
        "shop-default.network",
        "shop-web.container",
    ]
    target = podpy.home / "units"
    paths = podpy.ok("quadlet", "from-compose", "-o", str(target), str(project / "compose.yaml"))
    assert paths.split() == [f"{target}/shop-{name}" for name in ("data.volume", "default.network", "web.container")]
    podpy("quadlet", "from-compose", "-o", str(target), str(project)).fails(125, "already exists", "Hint: --replace")
    podpy.ok("quadlet", "from-compose", "-r", "-o", str(target), str(project))


def test_a_service_that_went_is_told(podpy: Podpy) -> None:
    project, target = podpy.home / "compose.yaml", podpy.home / "units"
    service = "image: localhost/t, network_mode: none"
    project.write_text(f"services: {{web: {{{service}}}, old: {{{service}}}}}\n")
    words = ["quadlet", "from-compose", "-r", "-p", "shop", "-o", str(target), str(project)]
    install = ["quadlet", "install", "--replace", "--reload-systemd=false", "--application", "shop", str(target)]
    for command in (words, install):
        assert podpy(*command).stderr == ""
    project.write_text(f"services: {{web: {{{service}}}}}\n")
    (target / "shop-other.container").write_text("[Container]\nImage=localhost/t\n")
    told = podpy(*words)
    assert told.returncode == 0
    why = "is of the same project, but nothing in the compose file asks for it any more: it stays"
    old = f"{target}/shop-old.container"
    assert told.stderr == f"{old}: warning: {why} (rm {old})\n"
    for name in ("old", "other"):
        (target / f"shop-{name}.container").unlink()
    told = podpy(*install)
    assert told.returncode == 0
    assert "shop-old.container: warning: is of the application, but not among the new files: it stays" in told.stderr
    command = told.stderr[told.stderr.index(", and rm ") + len(", and ") :].rstrip().removesuffix(")")
    podpy.run(command.split()).ok()
    assert podpy(*install).stderr == ""


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_compose_file_names_the_file(tmp_path: Path, place: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/app.yaml").write_text("services: {web: {image: localhost/t}}\n")
    variables = {"COMPOSE_FILE": "sub/app.yaml"}
    if place == ".env":
        (tmp_path / ".env").write_text("COMPOSE_FILE=sub/app.yaml\n")
        variables = {}
    request = Request(path="", directory=str(tmp_path), environ=variables, name="shop")
    assert "shop-web.container" in convert(request, podpy=PODPY).files
    several = request.replace(environ={"COMPOSE_FILE": "a.yaml,b.yaml", "COMPOSE_PATH_SEPARATOR": ","})
    with pytest.raises(UsageError, match="COMPOSE_FILE names 2 files, and podpy reads one"):
        convert(several, podpy=PODPY)


def test_the_command_writes_nothing_if_something_has_no_form(podpy: Podpy) -> None:
    path = podpy.home / "compose.yaml"
    path.write_text("services: {web: {image: localhost/t, domainname: x}}\n")
    failed = podpy("quadlet", "from-compose", str(path))
    failed.fails(125, "one thing has no form in Quadlet's files: none is written", "Hint: --partial")
    assert f"{path}:1: services.web.domainname: podpy has no domain name" in failed.stderr
    assert failed.stdout == ""
    partial = podpy("quadlet", "from-compose", "--partial", "-p", "shop", str(path))
    assert partial.returncode == 0 and "ContainerName=shop-web-1" in partial.stdout
    podpy("quadlet", "from-compose", "/nothing.yaml").fails(125, "/nothing.yaml: no such file or directory")


def test_services_find_each_other_by_their_names(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    text = f"""
services:
  web:
    image: {busybox}
    command: [nc, -ll, -p, "80", -e, hostname]
    hostname: shop
    networks: {{back: {{aliases: [www]}}}}
  db: {{image: {busybox}, command: [sleep, "1000"], networks: [back], depends_on: [web], volumes: ["data:/d"]}}
networks: {{back: {{internal: true}}}}
volumes: {{data: }}
"""
    made = converted(tmp_path, text)
    units = services_of(made, tmp_path)
    for name in ("shop-back-network", "shop-data-volume", "shop-web", "shop-db"):
        podpy.ok(*[word for word in command_of(units[f"{name}.service"]) if word != "--cgroups=split"])
    for name in ("web", "www", "shop-web-1"):
        ask = ("exec", "shop-db-1", "nc", "-w3", name, "80")
        wait.until(lambda ask=ask: podpy(*ask).stdout == "shop\n", what=f"{name} answers")
    assert podpy.ok("volume", "ls", "-q", "--filter", "label=com.docker.compose.project=shop") == "shop_data"
    podpy.ok("rm", "-f", "-t0", "shop-web-1", "shop-db-1")
    podpy.ok("network", "rm", "shop_back")
    podpy.ok("volume", "rm", "shop_data")
