"""`ps`, `inspect`, `port`, `top`: what a user sees of real containers."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable

import pytest

from podpy.cli.declare import containers as container_commands
from podpy.cli.declare import images as image_commands
from podpy.libpod import secrets
from podpy.libpod.containers.table import shown_status
from podpy.libpod.filters import containers, events, images, volumes
from tests.support import wait
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")
COLUMNS = "CONTAINER ID  IMAGE"


@pytest.fixture
def three(podpy: Podpy, busybox: str) -> dict[str, str]:
    """Ids of `up` (runs), `down` (was never started) and `other` (the same, with ports), oldest first."""
    run = ("run", "-d", "--network=none", "--name", "up", "--label", "a=b", "-v", "/tmp:/x:ro", "-e", "X=y", busybox)
    ids = {"up": podpy.ok(*run, *SLEEP)}
    ids["down"] = podpy.ok("create", "--name", "down", busybox, "sh", "-c", "echo a rather long command")
    ids["other"] = podpy.ok(
        "create", "--name", "other", "--annotation=c=d", "-p", "8080:80", "-p", "127.0.0.1:90-91:90-91/udp", busybox
    )
    return ids


def names(podpy: Podpy, *args: str) -> list[str]:
    return podpy.ok("ps", "--format", "{{.Names}}", *args).split()


def test_ps_shows_what_runs_and_with_all_the_rest(podpy: Podpy, three: dict[str, str], busybox: str) -> None:
    heading, line = podpy.ok("ps").splitlines()
    assert heading.split("  ")[0] == "CONTAINER ID"
    assert heading.split()[2:] == ["IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    assert re.match(rf"{three['up'][:12]}  {busybox}  sleep 1000  \S.* ago +Up \S.* +up$", line)
    lines = podpy.ok("ps", "-a").splitlines()
    assert [text.split()[-1] for text in lines] == ["NAMES", "up", "down", "other"]
    assert "sh -c echo a rath...  " in lines[2]
    assert "Created" in lines[2]
    assert "0.0.0.0:8080->80/tcp, 127.0.0.1:90-91->90-91/udp" in lines[3]
    assert "sh -c echo a rather long command" in podpy.ok("ps", "-a", "--no-trunc")


def test_ps_options(podpy: Podpy, three: dict[str, str]) -> None:
    assert podpy.ok("ps", "-aq").split() == [identifier[:12] for identifier in three.values()]
    assert podpy.ok("ps", "-q", "--no-trunc") == three["up"]
    assert names(podpy, "-l") == ["other"]
    assert names(podpy, "-n", "2") == ["down", "other"]
    assert names(podpy, "-a", "--sort", "names") == ["down", "other", "up"]
    assert COLUMNS not in podpy.ok("ps", "--noheading")
    assert podpy.ok("ps", "--ns").split()[:4] == ["CONTAINER", "ID", "NAMES", "PID"]
    assert podpy.ok("ps", "-as").splitlines()[1].endswith("MB)")
    assert podpy.ok("ps", "--pod").splitlines()[0].endswith("NAMES       POD ID      PODNAME")
    podpy("ps", "--ns", "-s").fails(125, "size and namespace options conflict")
    podpy("ps", "-q", "-s").fails(125, "quiet conflicts with size and namespace")
    podpy("ps", "--last", "3", "--latest").fails(125, "last and latest are mutually exclusive")


def test_ps_filters(podpy: Podpy, three: dict[str, str], busybox: str) -> None:
    for filter_text, found in {
        "name=o": ["down", "other"],
        "name=^o": ["other"],
        f"id={three['up'][:6]}": ["up"],
        "label=a": ["up"],
        "label=a=c": [],
        "label!=a=b": ["down", "other"],
        "status=created": ["down", "other"],
        "status=running": ["up"],
        "before=down": ["up"],
        "since=down": ["other"],
        "until=1h": [],
        "volume=/x": ["up"],
        "volume=/tmp": ["up"],
        "volume=/tmp:/x": ["up"],
        "annotation=c": ["other"],
        "annotation=c=d": ["other"],
        "annotation=c=e": [],
        "annotation!=c": ["up", "down"],
        "exited=0": [],
        "pod=nothing": [],
        "command=sh": ["down", "other"],
        "command=sleep": ["up"],
        "network=nothing": [],
        "network=none": ["up"],
        f"ancestor={busybox}": ["up", "down", "other"],
        "ancestor=nothing": [],
        "restart-policy=always": [],
        "should-start-on-boot=false": ["up", "down", "other"],
        "health=healthy": [],
    }.items():
        assert names(podpy, "-a", "--filter", filter_text) == found, filter_text
    assert names(podpy, "-a", "--filter", "name=up", "--filter", "name=other") == ["up", "other"]
    assert names(podpy, "-a", "--filter", "name=o", "--filter", "label=a") == []
    assert names(podpy, "--filter", "status=created") == ["down", "other"]
    podpy("ps", "--filter", "nmae=x").fails(125, "nmae is an invalid filter\nHint: Did you mean name?")
    podpy("ps", "--filter", "status=x").fails(125, "unknown container state: x: invalid argument")
    podpy("ps", "--filter", "before=nope").fails(125, 'no container with name or ID "nope" found')


def test_ps_formats(podpy: Podpy, three: dict[str, str]) -> None:
    table = podpy.ok("ps", "-a", "--format", "table {{.Names}}\t{{.State}}")
    assert table.splitlines() == [
        "NAMES       STATE",
        "up          running",
        "down        created",
        "other       created",
    ]
    assert podpy.ok("ps", "--format", '{{.Label "a"}} {{.Labels}} {{.Mounts}}') == "b a=b [/x]"
    assert podpy.ok("ps", "--format", "{{json .Labels}} {{json .Mounts}}") == '"a=b" ["/x"]'
    rows = podpy.json("ps", "-a", "--format", "json")
    assert [row["Names"] for row in rows] == [["up"], ["down"], ["other"]]
    assert rows[0]["Id"] == three["up"]
    assert (rows[0]["State"], rows[0]["Exited"], rows[0]["Labels"]) == ("running", False, {"a": "b"})
    assert rows[2]["Ports"][0] == {
        "host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp",
    }  # fmt: skip
    assert json.loads(podpy.ok("ps", "--format", "{{json .}}"))["Id"] == three["up"]
    wrong = podpy("ps", "--format", "{{.Nmae}}")
    wrong.fails(125, "--format: line 1, column 3: no field Nmae\nHint: Similar ones are: .Names")
    assert podpy.ok("ps", "-a", "--format", "{{.Labels}}|{{json .ExposedPorts}}", "--filter", "name=down") == "|null"
    assert podpy.ok("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "up") == ""


def test_inspect_has_podmans_fields(podpy: Podpy, three: dict[str, str], busybox: str) -> None:
    (data,) = podpy.json("inspect", "up")
    assert (data["Id"], data["Name"], data["ImageName"]) == (three["up"], "up", busybox)
    assert (data["Path"], data["Args"]) == ("sleep", ["1000"])
    assert data["State"]["Status"] == "running"
    assert data["State"]["Pid"] > 0
    assert data["State"]["FinishedAt"] == "0001-01-01T00:00:00Z"
    assert "X=y" in data["Config"]["Env"]
    assert (data["Config"]["Cmd"], data["Config"]["Entrypoint"]) == (["sleep", "1000"], None)
    assert data["Config"]["StopSignal"] == "SIGTERM"
    assert data["HostConfig"]["NetworkMode"] == "none"
    assert data["HostConfig"]["Binds"] == ["/tmp:/x:ro,rprivate,rbind"]
    assert data["Mounts"] == [
        {
            "Type": "bind", "Source": "/tmp", "Destination": "/x", "Driver": "", "Mode": "", "Options": ["rbind"],
            "RW": False, "Propagation": "rprivate",
        }
    ]  # fmt: skip
    (data,) = podpy.json("container", "inspect", "other", "--size")
    assert data["NetworkSettings"]["Ports"]["80/tcp"] == [{"HostIp": "0.0.0.0", "HostPort": "8080"}]
    assert data["SizeRootFs"] > 100_000


def test_inspect_formats(podpy: Podpy, three: dict[str, str], busybox: str) -> None:
    template = "{{.ID}} {{.State.Status}} {{.Config.Labels.a}} {{range .Mounts}}{{.Destination}}{{end}}"
    assert podpy.ok("inspect", "-f", template, "up") == f"{three['up']} running b /x"
    assert podpy.ok("inspect", "-f", "{{.Name}}", "up", "down").split() == ["up", "down"]
    assert podpy.ok("inspect", "-l", "-f", "{{.Name}}") == "other"
    assert podpy.ok("inspect", "-f", "{{.State.FinishedAt}}", "up") == "0001-01-01 00:00:00 +0000 UTC"
    assert podpy.json("inspect", "-f", "{{json .Config.Cmd}}", "up") == ["sleep", "1000"]
    podpy("inspect", "-f", "{{.Sate}}", "up").fails(125, "no field Sate\nHint: Similar ones are: .State")


def test_empty_maps_and_slices_are_typed_in_templates_and_null_in_json(podpy: Podpy, three: dict[str, str]) -> None:
    for template, text in {
        '{{index .Config.Labels "x"}}': "",
        "{{.Config.Labels.x}}": "<no value>",
        "{{.Config.Labels}} {{json .Config.Labels}} {{len .Config.Labels}}": "map[] null 0",
        "{{.Config.Entrypoint}} {{.Config.Volumes}} {{.Config.OnBuild}}": "[] map[] []",
        "{{json .Config.Entrypoint}} {{json .Config.Volumes}} {{json .Config.OnBuild}}": "null null null",
        '{{index .Config.Volumes "x"}} {{index .NetworkSettings.Ports "80/tcp"}}': "{} []",
        '{{index .NetworkSettings.Networks "x"}} {{.HostConfig.LogConfig.Config}}': "<nil> map[]",
        "{{.HostConfig.VolumesFrom}} {{.HostConfig.Links}} {{.HostConfig.Annotations}}": "[] [] map[]",
        "{{.Config.ExposedPorts}} {{.Config.Healthcheck}} {{.HostConfig.CapAdd}}": "map[] <nil> []",
        "{{range .Config.Labels}}x{{end}}{{if .Config.Labels}}y{{end}}{{with .Config.Entrypoint}}z{{end}}": "",
    }.items():
        assert podpy.ok("inspect", "-f", template, "down") == text, template


def test_inspect_of_an_ended_container_tells_the_variables_that_its_start_has_set(podpy: Podpy, busybox: str) -> None:
    def variables() -> list[str]:
        shown: list[str] = podpy.json("inspect", "c")[0]["Config"]["Env"]
        return [each for each in shown if each.startswith("HO")]

    for options, home in ((("--user=7:7",), "/"), ((), "/root"), (("-e", "HOME=/x"), "/x")):
        podpy.ok("create", "--name=c", "--network=none", *options, busybox, "env")
        assert variables() == [f"HOME={home}"] * (home == "/x")
        shown = podpy.ok("start", "-a", "c").splitlines()
        assert variables() == [f"HOME={home}", f"HOSTNAME={podpy.ok('inspect', '-f', '{{.Id}}', 'c')[:12]}"]
        assert set(variables()) <= set(shown)
        podpy.ok("rm", "c")


def test_inspect_tells_what_a_container_gets(podpy: Podpy, three: dict[str, str], busybox: str) -> None:
    path = "PATH=/bin:/usr/bin:/sbin:/usr/sbin"  # the image's
    podpy.ok("create", "--name", "new", "-t", "--log-opt=max-size=9533k", "--ulimit=core=0", busybox, "true")
    (new,) = podpy.json("inspect", "new")
    assert {path, "container=podman", "TERM=xterm"} <= set(new["Config"]["Env"])
    assert new["HostConfig"]["LogConfig"]["Size"] == "9.533MB"
    assert new["HostConfig"]["Ulimits"] == [{"Name": "RLIMIT_CORE", "Soft": 0, "Hard": 0}]
    assert list(new["NetworkSettings"]["Networks"]) == [new["HostConfig"]["NetworkMode"]]
    (up,) = podpy.json("inspect", "up")
    assert {path, "container=podman", "X=y", f"HOSTNAME={three['up'][:12]}"} <= set(up["Config"]["Env"])
    assert {limit["Name"] for limit in up["HostConfig"]["Ulimits"]} >= {"RLIMIT_NOFILE", "RLIMIT_NPROC"}
    assert up["NetworkSettings"]["Networks"]["none"]["NetworkID"] == "none"
    assert (
        podpy.ok("inspect", "-f", "{{range $name, $net := .NetworkSettings.Networks}}{{$name}}{{end}}", "up") == "none"
    )


def test_inspect_finds_images_too_and_says_what_it_doesnt_find(
    podpy: Podpy, three: dict[str, str], busybox: str
) -> None:
    assert podpy.json("inspect", busybox)[0]["RepoTags"] == [busybox]
    result = podpy("inspect", "up", "nope").fails(125, 'no such object: "nope"')
    assert [data["Name"] for data in json.loads(result.stdout)] == ["up"]
    assert podpy("container", "inspect", busybox).fails(125, "no such container").stdout == "[]\n"
    podpy("inspect", "--type", "pod", "x").fails(125, "no such pod x")


def test_ports_of_what_does_not_run_are_nowhere_yet(podpy: Podpy, three: dict[str, str]) -> None:
    """One that runs: tests/network/test_connect.py."""
    assert [podpy.ok("port", *words) for words in (["other"], ["other", "80"], ["other", "81"], ["-a"])] == [""] * 4
    podpy("port", "other", "x").fails(125, "port formats are port/protocol. 'x' is invalid")


def test_top(podpy: Podpy, three: dict[str, str]) -> None:
    podpy.ok("exec", "-d", "up", "sleep", "2000")
    wait.until(lambda: "sleep 2000" in podpy.ok("top", "up", "args"), what="the second sleep runs")
    heading, *rows = podpy.ok("top", "up").splitlines()
    assert heading.split() == ["USER", "PID", "PPID", "%CPU", "ELAPSED", "TTY", "TIME", "COMMAND"]
    assert [row.split()[-2:] for row in rows] == [["sleep", "1000"], ["sleep", "2000"]]
    assert podpy.ok("top", "up", "pid,comm", "seccomp").splitlines()[1].split() == ["1", "sleep", "filter"]
    host_user = podpy.ok("top", "up", "huser").splitlines()[1]
    assert host_user == str(podpy.user.uid)
    podpy("top", "up", "nope").fails(125, "executing ps(1)")
    podpy("top", "down").fails(125, "top can only be used on running containers")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_says_nothing(podpy: Podpy, closed: str) -> None:
    command = ["sh", "-c", f'exec "$0" ps --all {closed}', str(podpy.launcher)]
    done = subprocess.run(command, env=podpy.environment(), capture_output=True, **podpy.user.as_popen_arguments())
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("started", "shown"), [(0, "created"), (1, "exited")])
def test_what_is_being_started_is_shown_as_what_it_was(started: int, shown: str) -> None:
    assert shown_status("starting", started) == shown
    assert shown_status("running", started) == "running"


# Of podman's manual pages (5.8), with what 6 added.
MANUAL = [
    (
        containers._MAKERS,
        "ancestor annotation before command exited health id label label! name network pod restart-policy"
        " should-start-on-boot since status until volume",
    ),
    (
        images._MAKERS,
        "after before containers dangling digest id intermediate label manifest readonly reference since until",
    ),
    (volumes._MAKERS, "after dangling driver label label! name opt scope since until"),
    (events._KEYS, "container event image label pod type volume"),
    (secrets.FILTERS, "id name"),
    (container_commands._PS_SORT, "command created id image names runningfor size status"),
    (image_commands._SORT, "created id repository size tag"),
]


@pytest.mark.parametrize(("known", "documented"), MANUAL)
def test_what_the_manual_pages_name_is_known(known: Iterable[str], documented: str) -> None:
    assert set(documented.split()) <= set(known)
