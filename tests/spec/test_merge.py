"""The image fills what the options left open; id maps; what the runtimes' words mean; child processes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from podpy import process
from podpy.errors import (
    CommandNotExecutableError,
    CommandNotFoundError,
    NotFoundError,
    NotSupportedError,
    RuntimeFailedError,
    UsageError,
)
from podpy.image.documents.config import ImageConfig
from podpy.notice import sending_to
from podpy.oci.failures import explain_runtime_error, logged_error
from podpy.spec import merge as merging
from podpy.spec import userns, volumes_from
from podpy.spec.container import ContainerSpec, IdMapping, Mount

IMAGE = ImageConfig(
    entrypoint=["/entry"], cmd=["arg"], env=["A=1", "B=2"], user="u", workdir="w", volumes=["/v"], labels={"x": "1"},
    exposed_ports=["80/tcp"], stop_signal="SIGINT",
)  # fmt: skip


def merge(spec: ContainerSpec, image: ImageConfig, base: dict[str, str] | None = None) -> ContainerSpec:
    """Return the completed spec; `base`: the variables of containers.conf, none if not given."""
    return merging.merge(spec, image, base or {})


def test_the_image_fills_every_open_field() -> None:
    spec = merge(ContainerSpec(), IMAGE)
    assert (spec.command, spec.env, spec.user, spec.workdir) == (["/entry", "arg"], {"A": "1", "B": "2"}, "u", "/w")
    assert (spec.shown_labels, spec.expose, spec.stop_signal) == ({"x": "1"}, ["80/tcp"], 2)
    assert [(mount.type, mount.target, mount.from_image) for mount in spec.mounts] == [("volume", "/v", True)]
    assert spec.create_workdir


def test_env_merge_works_like_a_dockerfiles_env_and_env_overrides_it() -> None:
    image = ImageConfig(env=["PATH=/bin", "A=1"])
    asked = {"PATH": "/mine:${PATH}", "B": "$A-${NONE}-${NONE:-x}-${A:+y}", "C": "'$A' \\$A", "D": "$B!"}
    spec = merge(ContainerSpec(env_merge=asked, env={"PATH": "/given"}), image)
    assert spec.env == {"PATH": "/given", "A": "1", "B": "1--x-y", "C": "$A $A", "D": "1--x-y!"}
    without = merge(ContainerSpec(env_merge={"PATH": "${PATH}:/more"}), ImageConfig(), {"PATH": "/usual"})
    assert without.env == {"PATH": "/usual:/more"}


def test_the_options_win() -> None:
    asked = ContainerSpec(command=["x"], env={"A": "9"}, user="0", workdir="/o", labels={"x": "2"}, stop_signal=9)
    spec = merge(asked, IMAGE)
    assert (spec.command, spec.env["A"], spec.user, spec.workdir) == (["/entry", "x"], "9", "0", "/o")
    assert (spec.shown_labels, spec.stop_signal, spec.create_workdir) == ({"x": "2"}, 9, False)


def test_an_images_labels_are_never_the_users() -> None:
    spec = merge(ContainerSpec(labels={"mine": "1"}), IMAGE)
    assert (spec.labels, spec.image_labels) == ({"mine": "1"}, {"x": "1"})


def test_invalid_ports_of_an_image_are_omitted() -> None:
    odd = ["0", "65536/tcp", "\x1b[1m", "80/nosuch", "-1", "²", "9" * 5000, "82-81", "1-65535/udp"]
    told: list[str] = []
    with sending_to(told.append):
        assert merge(ContainerSpec(), IMAGE.replace(exposed_ports=odd)).expose == ["1-65535/udp"]
        assert merge(ContainerSpec(), IMAGE).expose == ["80/tcp"]
    assert [str(line) for line in told] == [
        r"The image exposes what is no port, which is left out: '0', '65536/tcp', '\x1b[1m', …"
    ]


def test_a_users_entrypoint_drops_the_images_arguments() -> None:
    assert merge(ContainerSpec(entrypoint=["/mine"]), IMAGE).command == ["/mine"]
    assert merge(ContainerSpec(entrypoint=[""], command=["sh"]), IMAGE).command == ["sh"]
    assert merge(ContainerSpec(entrypoint=[]), IMAGE).command == ["arg"]


def test_variables_are_unset_and_merged() -> None:
    assert merge(ContainerSpec(unset_env=["A"]), IMAGE).env == {"B": "2"}
    assert merge(ContainerSpec(unset_env_all=True, env={"C": "3"}), IMAGE).env == {"C": "3"}
    assert merge(ContainerSpec(env_merge={"A": "${A}:${B}:x"}), IMAGE).env["A"] == "1:2:x"


def test_mounts_replace_the_images_volumes_which_may_be_tmpfs() -> None:
    own = ContainerSpec(mounts=[Mount(type="tmpfs", target="/v")])
    assert [mount.type for mount in merge(own, IMAGE).mounts] == ["tmpfs"]
    assert merge(ContainerSpec(image_volume="ignore"), IMAGE).mounts == []
    assert merge(ContainerSpec(image_volume="tmpfs"), IMAGE).mounts[0].type == "tmpfs"


def test_without_an_image_the_stop_signal_is_term() -> None:
    assert merge(ContainerSpec(command=["x"]), ImageConfig()).stop_signal == 15


def test_a_containers_own_mounts_override_volumes_from() -> None:
    other = ContainerSpec(
        mounts=[
            Mount(type="volume", source="v", target="/a", options=["rw"]),
            Mount(type="bind", source="/h", target="/b"),
            Mount(type="tmpfs", target="/t"),
        ]
    )
    own = ContainerSpec(volumes_from=["one:ro"], mounts=[Mount(type="tmpfs", target="/b")])
    mounts = volumes_from.resolve(own, lambda name: other).mounts
    assert mounts == [
        Mount(type="tmpfs", target="/b"),
        Mount(type="volume", source="v", target="/a", options=["ro"]),
    ]
    with pytest.raises(UsageError, match="--volumes-from"):
        volumes_from.resolve(ContainerSpec(volumes_from=["one:moon"]), lambda name: other)


OWN = ([(0, 1000, 1), (1, 100000, 65536)], [(0, 1001, 1), (1, 100000, 65536)])


def resolve(mode: str, **fields: object) -> ContainerSpec:
    spec = ContainerSpec(userns=mode, **fields)  # type: ignore[arg-type]
    return userns.resolve(spec, own=OWN, rootless=True)


def lines(maps: list[IdMapping]) -> list[tuple[int, int, int]]:
    return [(line.container, line.host, line.size) for line in maps]


def test_keep_id_puts_the_user_at_its_own_number() -> None:
    spec = resolve("keep-id")
    assert lines(spec.uid_maps) == [(0, 1, 1000), (1000, 0, 1), (1001, 1001, 64536)] and spec.user == "1000:1001"
    assert lines(spec.gid_maps)[1] == (1001, 0, 1)
    assert resolve("keep-id", user="root").user == "root"
    assert lines(resolve("keep-id:uid=0,gid=0").uid_maps) == [(0, 0, 1), (1, 1, 65536)]


def test_keep_id_beyond_the_subordinate_ids() -> None:
    assert lines(resolve("keep-id:uid=99999").uid_maps) == [(0, 1, 65536), (99999, 0, 1)]


def test_nomap_auto_and_explicit_maps() -> None:
    assert lines(resolve("nomap").uid_maps) == [(0, 1, 65536)]
    assert lines(resolve("auto").uid_maps) == [(0, 1, 1024)]
    assert lines(resolve("private", uid_map_lines=["0:1:10", "10:0"]).gid_maps) == [(0, 1, 10), (10, 0, 1)]
    assert lines(resolve("private", uid_map_lines=["0:@100005:2"]).uid_maps) == [(0, 6, 2)]


def test_auto_avoids_the_ids_of_other_containers() -> None:
    taken = [IdMapping(container=0, host=1, size=1024), IdMapping(container=0, host=1500, size=100)]
    spec = userns.resolve(ContainerSpec(userns="auto"), own=OWN, rootless=True, taken=taken)
    assert lines(spec.uid_maps) == [(0, 1600, 1024)]


@pytest.mark.parametrize(
    ("mode", "error"),
    [("keep-id:x=1", UsageError), ("keep-id:uid=a", UsageError), ("auto:size=70000", NotSupportedError)],
)
def test_impossible_user_namespaces(mode: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        resolve(mode)


def test_keep_id_is_not_for_root() -> None:
    with pytest.raises(NotSupportedError, match="only for unprivileged users"):
        userns.resolve(ContainerSpec(userns="keep-id"), own=OWN, rootless=False)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("executable file `x` not found in $PATH: No such file or directory", CommandNotFoundError),
        ("cannot find `` in $PATH: No such file or directory", CommandNotFoundError),
        ("open executable: Operation not permitted", CommandNotExecutableError),
        ("open executable: Permission denied", CommandNotExecutableError),
        ("the path `/etc` is not a regular file: Operation not permitted", CommandNotExecutableError),
        ("exec container process `/x`: Exec format error", CommandNotExecutableError),
        ("exec container process (missing dynamic library?) `/x`: No such file or directory", CommandNotFoundError),
        ('unable to start container process: exec: "x": executable file not found in $PATH', CommandNotFoundError),
        ('unable to start container process: exec: "/x": permission denied', CommandNotExecutableError),
        ('error during container init: exec: "x": executable file not found in $PATH', CommandNotFoundError),
        ('error during container init: exec: "/etc": is a directory', CommandNotExecutableError),
        ('time="now" level=error msg="exec: \\"/x\\": stat /x: no such file or directory"', CommandNotFoundError),
    ],
)  # fmt: skip
def test_runtimes_errors_about_the_command_have_their_exit_codes(said: str, error: type[RuntimeFailedError]) -> None:
    explained = explain_runtime_error(said, "crun")
    assert type(explained) is error
    assert "time=" not in explained.message


@pytest.mark.parametrize(
    "said",
    [
        "error stat'ing file `/nosuch`: No such file or directory",
        "mount `/etc` to `plain`: Permission denied",
        "error during container init: error mounting exec: no such file or directory",
        "error during container init: error mounting error during container init: exec: no such file or directory",
        "",
    ],
)
def test_other_errors_of_runtimes_are_125(said: str) -> None:
    assert explain_runtime_error(said, "crun").exit_code == 125


@pytest.mark.parametrize("shape", ['{"msg":"%s","level":"%s"}', '{\n  "msg": "%s",\n  "level": "%s"\n}'])
def test_the_last_error_of_a_runtimes_log_counts_in_any_layout(shape: str, tmp_path: Path) -> None:
    """runc and older cruns write an object a line, crun 1.28 one over several lines."""
    log = tmp_path / "oci.log"
    assert logged_error(os.fspath(log)) == ""
    entries = (("first", "error"), ("exec `{\\n{}`: Exec format error", "error"), ("by the way", "warning"))
    log.write_text("".join(shape % entry + "\n" for entry in entries))
    assert logged_error(os.fspath(log)) == "exec `{\n{}`: Exec format error"
    log.write_text("no JSON\n")
    assert logged_error(os.fspath(log)) == ""


def test_a_child_gets_no_descriptor_that_is_not_named() -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    kept = os.dup(write)
    listing = [sys.executable, "-c", "import os; print([n for n in map(int, os.listdir('/proc/self/fd')) if n > 2])"]
    try:
        shown = process.run(listing, keep=[kept]).stdout.decode()
    finally:
        for descriptor in (read, write, kept):
            os.close(descriptor)
    numbers = {int(number) for number in shown.strip("[]\n ").split(",")}
    assert kept in numbers and write not in numbers


def test_an_error_has_a_childs_exit_code_and_its_output() -> None:
    finished = process.run([sys.executable, "-c", "import sys; print('out'); sys.exit('first\\nlast')"])
    assert (finished.code, finished.stdout, finished.error_text()) == (1, b"out\n", "last")
    assert process.run(["/bin/sh", "-c", "kill -9 $$"]).code == 137


def test_a_child_that_takes_too_long_is_killed() -> None:
    with pytest.raises(RuntimeFailedError, match="/bin/sleep 100: no answer after 0 s, killed it"):
        process.run(["/bin/sleep", "100"], timeout=0.01)
    with pytest.raises(RuntimeFailedError, match="no answer after 0 s"):
        process.run(["/bin/sh", "-c", "while echo y; do :; done"], timeout=0.2)


def test_a_grandchild_that_keeps_the_pipe_does_not_hold_podpy() -> None:
    finished = process.run(["/bin/sh", "-c", "sleep 1000 & echo $!"], timeout=60)
    os.kill(int(finished.stdout), signal.SIGKILL)


def test_programs_are_found_beyond_the_users_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert process.find("sh").endswith("/sh")
    with pytest.raises(NotFoundError, match="nosuchprogram"):
        process.find("nosuchprogram")


def test_a_command_line_can_be_pasted() -> None:
    assert process.command_line(["a", "b c", "d'e", ""], {"X": "1 2"}) == "X='1 2' a 'b c' 'd'\"'\"'e' ''"
