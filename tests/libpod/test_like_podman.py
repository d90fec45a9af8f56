"""What scripts that were written for Podman count on: `alias podman=podpy`. Podman 5.4.2 was asked for each answer."""

from __future__ import annotations

import os
import pty
from pathlib import Path

import pytest

from tests.support import images, wait
from tests.support.engine import Podpy, shared_directory

NOT_THERE = 'no container with name or ID "nope" found: no such container'
QUICK = ("run", "--rm", "--network=none")
DISCARDED = "Port mappings have been discarded as one of the Host, Container, Pod, and None network modes are in use"


def test_a_container_has_as_many_open_files_as_the_hard_limit_allows(podpy: Podpy, busybox: str) -> None:
    soft, hard = podpy.ok(*QUICK, busybox, "sh", "-c", "ulimit -Sn; ulimit -Hn").split()
    assert soft == hard


def test_tmpfs_and_volumes_are_nosuid_and_nodev(podpy: Podpy, busybox: str) -> None:
    script = "awk '$2 ~ /^.[tv]$/ {print $4}' /proc/mounts"
    for options in podpy.ok(*QUICK, "--tmpfs=/t", "-v=data:/v", busybox, "sh", "-c", script).splitlines():
        assert {"nosuid", "nodev"} <= set(options.split(",")), options


def test_nothing_in_dev_is_noexec_and_without_tmpfs_it_is_read_only(podpy: Podpy, busybox: str) -> None:
    assert "noexec" not in podpy.ok(*QUICK, busybox, "grep", " /dev tmpfs", "/proc/mounts")
    bare = ("--read-only", "--read-only-tmpfs=false")
    podpy(*QUICK, *bare, busybox, "touch", "/dev/shm/x").fails(1, "Read-only file system")


def test_the_cidfile_goes_with_its_container(podpy: Podpy, busybox: str) -> None:
    file = podpy.home / "cid"
    for _ in range(2):
        podpy.ok(*QUICK, f"--cidfile={file}", busybox, "true")
        assert not file.exists()
    podpy.ok("create", f"--cidfile={file}", busybox)
    podpy.ok("rm", f"--cidfile={file}")
    assert not file.exists()
    podpy.ok("create", "--name=old", f"--cidfile={file}", busybox)
    file.write_text("of another container")
    podpy.ok("rm", "old")
    assert file.read_text() == "of another container"


def test_an_empty_variable_is_none(podpy: Podpy, busybox: str) -> None:
    assert podpy.ok(*QUICK, "-e", "", "-e", "A=1", busybox, "sh", "-c", "echo $A") == "1"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stop nope", NOT_THERE),
        ("exec here ls", "can only create exec sessions on running containers: container state improper"),
        ("attach here", "you can only attach to running containers"),
        ("top here", "top can only be used on running containers"),
        ("pause here", '"created" is not running, can\'t pause: container state improper'),
        ("rename here b/c", "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"),
        ("rm --time 3 here", "--force option must be specified to use the --time option"),
        ("start --sig-proxy here", "you cannot use sig-proxy without --attach: invalid argument"),
        ("logs --since foo here", 'parsing "foo": unable to interpret time value'),
        ("diff nope", "nope not found: layer not known"),
        ("ps --filter foo", 'invalid filter "foo"'),
        ("create --memory abc IMAGE", "invalid value for memory: invalid size: 'abc'"),
        ("create --shm-size abc IMAGE", "unable to translate --shm-size: invalid size: 'abc'"),
        ("create --cpu-period 1000 --cpus 1 IMAGE", "--cpu-period and --cpus cannot be set together"),
        ("create -v /a:/b:foo IMAGE", 'invalid option type "foo"'),
        (
            "create -p 99999:80 IMAGE",
            "parsing host port: port numbers must be between 1 and 65535 (inclusive), got 99999",
        ),
        ("create --pid foo IMAGE", "unrecognized namespace mode foo passed"),
        ("create --cap-add foo IMAGE", '"CAP_FOO": unknown capability'),
        ("create --cap-add all --cap-drop all IMAGE", "adding all caps and removing all caps not allowed"),
        ("create --env-file /nope IMAGE", 'parsing env file "/nope": open /nope: no such file or directory'),
        ("create --label-file /nope IMAGE", "unable to process labels: open /nope: no such file or directory"),
        ("create --sysctl foo IMAGE", "foo is invalid, sysctl values must be in the form of KEY=VALUE"),
        ("create --annotation foo IMAGE", "annotations must be formatted KEY=VALUE"),
        ("create --add-host foo IMAGE", 'bad format for add-host: "foo"'),
        ("create --add-host foo:bar IMAGE", 'invalid IP address in add-host: "bar"'),
        (
            "create --dns none --dns 192.0.2.1 IMAGE",
            "none is not allowed to be specified with other DNS ip addresses",
        ),
        ("create --dns-search _ IMAGE", "_ is not a valid domain"),
        (
            "create --tz Foo/Bar IMAGE",
            "running container create option: finding timezone: unknown time zone Foo/Bar",
        ),
        ("create -v : IMAGE", "host directory cannot be empty"),
        ("create -v /a:/b:ro,rw IMAGE", "invalid options \"ro, rw\", can only specify 1 'rw' or 'ro' option"),
        ("create --tmpfs /x:foo IMAGE", 'unknown mount option "foo": invalid mount option'),
        *(
            (
                f"create --{option} container:nope IMAGE",
                f"looking up container to share {name} namespace with: {NOT_THERE}",
            )
            for option, name in [
                ("network", "net"),
                ("pid", "pid"),
                ("ipc", "ipc"),
                ("uts", "uts"),
                ("userns", "user"),
                ("cgroupns", "cgroup"),
            ]
        ),
        ("create --volumes-from nope IMAGE", f'looking up container "nope" for volumes-from: {NOT_THERE}'),
        ("container inspect nope", "no such container nope"),
        ("create --pull foo IMAGE", 'unsupported pull policy "foo"'),
        (
            "create --name here IMAGE",
            'creating container storage: the container name "here" is already in use by ID. You have to remove that '
            "container to be able to reuse that name: that name is already in use, or use --replace to instruct podpy "
            "to do so",
        ),
        (
            "run -a foo IMAGE",
            'invalid stream "foo" for --attach - must be one of stdin, stdout, or stderr: invalid argument',
        ),
        (
            "create --rm --restart always IMAGE",
            'the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"',
        ),
        ("logout", "no registries found in registries.conf, a registry must be provided"),
    ],
)
def test_an_error_has_podmans_words(podpy: Podpy, busybox: str, line: str, told: str) -> None:
    here = podpy.ok("create", "--name", "here", busybox)
    done = podpy(*(busybox if word == "IMAGE" else word for word in line.split()))
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == f"Error: {told.replace('by ID.', f'by {here}.')}"


def test_rm_says_it_the_other_way_round(podpy: Podpy) -> None:
    podpy("rm", "nope").fails(1, 'Error: no container with ID or name "nope" found: no such container\n')


def test_replace_needs_a_name(podpy: Podpy, busybox: str) -> None:
    podpy(*QUICK, "--replace", busybox, "true").fails(125, "cannot replace container without --name being set")


def test_ports_are_discarded_where_the_network_has_none_of_its_own(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name=one", busybox, "sleep", "100")
    for network in ("none", "host", "container:one"):
        result = podpy("run", "--rm", f"--network={network}", "-p", "8080:80", busybox, "true")
        assert (result.returncode, result.stderr) == (0, DISCARDED + "\n"), result.describe()


def test_a_terminal_without_input_is_nothing_to_warn_of(podpy: Podpy, busybox: str) -> None:
    assert podpy(*QUICK, "-t", busybox, "true").stderr == ""
    assert "not a TTY" in podpy(*QUICK, "-it", busybox, "true").stderr


def test_descriptors_that_are_not_there_can_not_be_preserved(podpy: Podpy, busybox: str) -> None:
    podpy(*QUICK, "--preserve-fds=9", busybox, "true").fails(125, "file descriptor 3 is not available")
    podpy.ok("run", "-d", "--network=none", "--name=one", busybox, "sleep", "100")
    podpy("exec", "--preserve-fds=9", "one", "true").fails(125, "file descriptor 3 is not available")


def test_systempaths_is_dockers_name_for_unmask_all(podpy: Podpy, busybox: str) -> None:
    listing = podpy.ok(*QUICK, "--security-opt=systempaths=unconfined", busybox, "cat", "/proc/mounts")
    assert " /proc/keys " not in listing and " /proc/sys " not in listing


def test_a_pidfile_that_can_not_be_written_is_named(podpy: Podpy, busybox: str) -> None:
    for _ in range(3):  # whoever cleans up first
        podpy(*QUICK, "--pidfile=/no/such/pid", busybox, "sleep", "9").fails(126, "/no/such/pid")
    assert podpy.ok("ps", "-aq") == ""


def test_newer_is_content_with_what_is_here_under_a_short_name(podpy: Podpy, busybox: str) -> None:
    podpy.ok("tag", busybox, "127.0.0.1:1/only-here")
    assert podpy.ok(*QUICK, "--pull=newer", "only-here", "echo", "ok") == "ok"
    podpy(*QUICK, "--pull=always", "only-here", "true").fails(125, "127.0.0.1:1")


def test_a_working_directory_that_is_not_there_is_a_command_not_found(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name=one", busybox, "sleep", "100")
    podpy("exec", "-w", "/nosuch", "one", "pwd").fails(127, "/nosuch")


def test_the_images_entrypoint_is_not_part_of_the_command(
    podpy: Podpy, busybox_image: images.Image, session_base: Path
) -> None:
    settings = {"Entrypoint": ["/bin/echo", "e"], "Cmd": ["c"], "ExposedPorts": {"53/udp": {}}}
    image = images.Image(busybox_image.layers, settings)
    podpy.ok("load", "-i", str(image.write_docker_archive(session_base / "entry.tar", "localhost/entry:latest")))
    podpy.ok("create", "--name=one", "-p", "8080:80", "entry", "x")
    data = podpy.json("inspect", "one")[0]
    assert (data["Path"], data["Args"]) == ("/bin/echo", ["e", "x"])
    assert (data["Config"]["Entrypoint"], data["Config"]["Cmd"]) == (["/bin/echo", "e"], ["x"])
    assert data["Config"]["ExposedPorts"] == {"53/udp": {}, "80/tcp": {}}
    assert podpy.ok("ps", "-a", "--format={{.Command}}") == "x"


def test_what_is_known_of_the_environment_before_the_first_start_is_shown(podpy: Podpy, busybox: str) -> None:
    def shown(name: str) -> set[str]:
        return {item.partition("=")[0] for item in podpy.json("inspect", name)[0]["Config"]["Env"]}

    podpy.ok("create", "--name=plain", "--network=none", busybox, "sleep", "300")
    podpy.ok("create", "--name=named", "-t", "--network=none", "--hostname=hh", busybox, "sleep", "300")
    assert shown("plain") == {"PATH", "container"}
    assert shown("named") == {"PATH", "container", "TERM", "HOSTNAME"}
    podpy.ok("start", "plain")
    assert shown("plain") == {"PATH", "container", "HOME", "HOSTNAME"}


def test_fields_that_inspect_leaves_out_are_there_for_templates(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=one", "--cpus=1.5", busybox)
    template = (
        "{{if .State.Health}}healthy{{end}}{{len .Config.ExposedPorts}}{{.Config.Timezone}}{{.Config.Healthcheck}}"
    )
    assert podpy.ok("inspect", "-f", template, "one") == "0<nil>"
    data = podpy.json("inspect", "one")[0]
    assert "Health" not in data["State"] and "ExposedPorts" not in data["Config"]
    assert data["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert (data["HostConfig"]["CpuQuota"], data["HostConfig"]["CpuPeriod"]) == (150000, 100000)


def test_a_container_whose_namespaces_others_use_is_removed_after_them(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name=base", busybox, "sleep", "100")
    podpy.ok("create", "--name=user", "--network=container:base", busybox)
    podpy("rm", "base").fails(2, "running")
    podpy("rm", "-f", "-t0", "base").fails(125, "has dependent containers", "podpy rm --depend base")
    assert podpy.ok("ps", "--format={{.Names}}") == "base"  # nothing was stopped
    podpy.ok("rm", "-f", "-t0", "base", "user")
    podpy.ok("create", "--name=base", busybox)
    podpy.ok("create", "--name=user", "--network=container:base", busybox)
    podpy.ok("rm", "--depend", "base")
    podpy.ok("create", "--name=base", busybox)
    podpy.ok("create", "--name=user", "--pid=container:base", busybox)
    podpy.ok("rm", "--all")
    assert podpy.ok("ps", "-aq") == ""


def test_bytes_that_are_not_utf8_become_question_marks(podpy: Podpy, busybox: str) -> None:
    odd = os.fsdecode(b"a\xff\xe9")
    script = 'printf "%s%s" "$X" "$1" | od -An -tx1'
    expected = "61 ef bf bd ef bf bd " * 2
    assert podpy.ok(*QUICK, "-e", f"X={odd}", busybox, "sh", "-c", script, "sh", odd).strip() == expected.strip()
    podpy.ok("run", "-d", "--network=none", "--name=one", busybox, "sleep", "100")
    assert podpy.ok("exec", "-e", f"X={odd}", "one", "sh", "-c", script, "sh", odd).strip() == expected.strip()


def test_what_is_told_of_a_path_that_is_not_utf8_has_question_marks(podpy: Podpy, busybox: str) -> None:
    odd = os.fsdecode(b"a\xff\xe9")
    podpy.ok("save", "-o", os.fspath(shared_directory(podpy) / odd), busybox)
    assert "/a\ufffd\ufffd" in podpy.ok("events", "--stream=false", "--filter", "event=save")
    podpy(*QUICK, "-w", f"/{odd}", busybox, "true").fails(125, "isn't UTF-8")
    podpy("why", odd).fails(125, "no such container")


def test_systemd_is_stopped_by_its_own_signal(podpy: Podpy, busybox: str) -> None:
    def signal(*options: str) -> str:
        podpy.ok("create", "--replace", "--name=one", *options)
        return podpy.ok("inspect", "-f", "{{.Config.StopSignal}}", "one")

    assert signal("--systemd=always", busybox) == "SIGRTMIN+3"
    assert signal(busybox, "/sbin/init") == "SIGRTMIN+3"
    assert signal("--systemd=false", busybox, "/sbin/init") == "SIGTERM"
    assert signal("--stop-signal=INT", busybox, "/sbin/init") == "SIGINT"
    assert podpy.ok("inspect", "-f", "{{.Config.SystemdMode}}", "one") == "true"


def test_the_hosts_name_is_in_the_file_too(podpy: Podpy, busybox: str) -> None:
    assert podpy.ok(*QUICK, "--uts=host", busybox, "cat", "/etc/hostname") == os.uname().nodename


def test_a_name_server_is_an_address(podpy: Podpy, busybox: str) -> None:
    podpy(*QUICK, "--dns=foo", busybox, "true").fails(125, "foo is not an ip address")


def test_an_image_without_a_command_can_be_created_and_not_started(
    podpy: Podpy, busybox_image: images.Image, session_base: Path
) -> None:
    archive = images.Image(busybox_image.layers, {}).write_docker_archive(session_base / "bare.tar", "localhost/bare")
    podpy.ok("load", "-i", str(archive))
    podpy(*QUICK, "bare").fails(127, "no command or entrypoint provided", "podpy run bare COMMAND")
    assert podpy.ok("ps", "-aq") == ""
    podpy.ok("create", "--name=one", "bare")
    assert podpy.json("inspect", "one")[0]["Config"]["Cmd"] is None
    podpy("start", "-a", "one").fails(127, "no command or entrypoint provided")
    assert podpy.ok("ps", "-a", "--format={{.Names}} {{.State}}") == "one created"
    assert podpy.ok("rm", "one", "one") == "one"


@pytest.mark.parametrize("driver", ["overlay", "vfs"])
def test_an_image_whose_root_only_root_may_enter_runs_for_everybody(
    podpy: Podpy, busybox_image: images.Image, session_base: Path, driver: str
) -> None:
    closed = images.Layer().add("./", mode=0o700).tar()
    archive = images.Image([closed, *busybox_image.layers], {}).write_docker_archive(
        session_base / "closed.tar", "closed"
    )
    store = (f"--storage-driver={driver}",)
    podpy.ok(*store, "load", "-i", str(archive))
    assert podpy.ok(*store, *QUICK, "-u", "1000", "closed", "sh", "-c", "id -u; stat -c %a /") == "1000\n755"


def test_a_user_namespace_of_its_own_waits_for_the_way_out_of_the_login_session(podpy: Podpy, busybox: str) -> None:
    steps = podpy.ok("run", "--explain", "--network=none", "--userns=keep-id", busybox)
    assert "wait until this process is out of the login session's cgroup" in steps
    assert "login session" not in podpy.ok("run", "--explain", "--network=none", busybox)


def test_top_knows_numbers_of_users_and_start_times(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--network=none", "--name=one", "-u", "7", busybox, "sleep", "100")
    wait.until(lambda: "sleep" in podpy.ok("top", "one", "args"), what="the runtime has become the command")
    heading, row = podpy.ok("top", "one", "uid", "huid", "stime").splitlines()
    assert heading.split() == ["UID", "HUID", "STIME"]
    assert row.split()[0] == "7" and row.split()[1] != "7"


def test_top_takes_a_user_with_the_callers_own_number_for_that_user(podpy: Podpy, busybox: str) -> None:
    """Jenkins' docker.inside runs containers so: `-u $(id -u):$(id -g)`."""
    own = podpy.user
    podpy.ok("run", "-d", "--network=none", "--name=one", f"-u={own.uid}:{own.gid}", busybox, "sleep", "100")
    wait.until(lambda: "sleep" in podpy.ok("top", "one", "args"), what="it runs")
    name = podpy.ok("exec", "one", "id", "-un")
    assert podpy.ok("top", "one", "uid", "user").splitlines()[1].split() == [str(own.uid), name]


@pytest.mark.parametrize("options", [["-ef"], ["aux"], ["-eo", "pid,comm"], ["-eo pid,comm"], ["-o", "pid,args", "-e"]])
def test_top_hands_what_is_no_descriptor_to_ps(podpy: Podpy, busybox: str, options: list[str]) -> None:
    """Jenkins' docker.inside calls `top CONTAINER -eo pid,comm`."""
    podpy.ok("run", "-d", "--name=one", "--network=none", busybox, "sleep", "300")
    wait.until(lambda: "sleep" in podpy.ok("top", "one", "args"), what="the runtime has become the command")
    heading, *rows = podpy.ok("top", "one", *options).splitlines()
    assert "PID" in heading.split()
    assert any(row.split()[0 if "eo" in options[0] or "-o" in options else 1] == "1" and "sleep" in row for row in rows)
    assert not any("podpy" in row for row in rows)


def test_top_says_what_ps_says(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=one", "--network=none", busybox, "sleep", "300")
    podpy("top", "one", "-eo", "nosuch").fails(125, "Error: executing ps(1) for the container: ")


def test_start_with_names_and_a_filter_takes_what_both_mean(podpy: Podpy, busybox: str) -> None:
    for name in ("x", "y"):
        podpy.ok("create", f"--name={name}", f"--label=kind={name}", "--network=none", busybox, "sleep", "300")
    podpy.ok("start", "--filter", "label=kind=x", "y")
    assert podpy.ok("ps", "-q") == ""
    podpy.ok("start", "--filter", "label=kind=x", "x", "y")
    assert podpy.ok("ps", "--format", "{{.Names}}") == "x"


def test_attached_to_stdin_alone_run_prints_the_id(podpy: Podpy, busybox: str) -> None:
    shown = podpy.ok("run", "-a", "stdin", "-i", "--name=c", "--network=none", busybox, "cat", input="hidden\n")
    assert shown == podpy.ok("inspect", "--format", "{{.Id}}", "c")
    assert podpy.ok("logs", "c") == "hidden"


def test_passthrough_hands_each_stream_over(podpy: Podpy, busybox: str) -> None:
    script = "cat; echo out; echo err >&2"
    done = podpy(
        "run", "-i", "--rm", "--log-driver=passthrough", "--network=none", busybox, "sh", "-c", script, input="in\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "in\nout\n", "err\n")


def test_passthrough_tty_hands_the_terminal_over(podpy: Podpy, busybox: str) -> None:
    master, slave = pty.openpty()
    how = ["--rm", "--log-driver=passthrough-tty", "--network=none", busybox]
    process = podpy.popen(
        "run", *how, "sh", "-c", "test -t 1 && echo terminal", stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    with os.fdopen(master, "rb", buffering=0) as stream:
        wait.for_text(stream, b"terminal")
        assert process.wait(60) == 0


def test_a_container_killed_by_its_timeout_has_no_code(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--network=none", "--timeout=1", "--name=one", busybox, "sleep", "100").fails(255)
    podpy.ok("run", "-d", "--network=none", "--timeout=1", "--name=two", busybox, "sleep", "100")
    assert podpy.ok("wait", "two") == "-1"
    for name in ("one", "two"):
        assert podpy.json("inspect", name)[0]["State"]["ExitCode"] == -1
        assert podpy.ok("ps", "-a", "--filter", f"name={name}", "--format", "{{.Status}}").startswith("Exited (-1)")


def test_an_oom_score_below_the_callers_own_is_raised_with_a_warning(podpy: Podpy, busybox: str) -> None:
    done = podpy(*QUICK, "--oom-score-adj=-500", busybox, "cat", "/proc/1/oom_score_adj")
    own = int(done.ok())
    assert own > -500
    assert f"Requested oom_score_adj=-500 is lower than the current one, changing to {own}" in done.stderr
