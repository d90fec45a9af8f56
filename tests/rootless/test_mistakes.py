"""Each mistake in a rootless set-up has its own words, and the command that mends it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from podpy.rootless.programs import which
from tests.rootless.helpers import in_changed_host, parse_map, where_user_namespaces_are_forbidden, write_as_root
from tests.support import needs
from tests.support.engine import Podpy, Result


@pytest.fixture(autouse=True)
def _may_mount() -> None:
    needs.require("mount")


@pytest.fixture
def scratch(podpy: Podpy) -> Path:
    """A directory for files that are mounted over the host's."""
    directory = podpy.home / "scratch"
    directory.mkdir()
    directory.chmod(0o755)
    return directory


def _without_ranges(scratch: Path) -> str:
    empty = write_as_root(scratch / "empty", "")
    return f"mount --bind {empty} /etc/subuid; mount --bind {empty} /etc/subgid"


def _check(result: Result, name: str) -> dict[str, object]:
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    found: dict[str, object] = checks[name]
    return found


def test_without_ranges_one_id_works_and_is_warned_of_once(podpy: Podpy, scratch: Path) -> None:
    """The map has one line; the first call says what is missing and the line that gives it, the second says nothing."""
    first = in_changed_host(podpy, _without_ranges(scratch), "unshare", "cat", "/proc/self/uid_map")
    assert parse_map(first.ok()) == [[0, podpy.user.uid, 1]]
    assert f"containers have one user id only: {podpy.user.name} has no subordinate uids" in first.stderr
    assert "sudo usermod --add-subuids " in first.stderr
    assert podpy.user.name in first.stderr.splitlines()[0]
    assert len(first.stderr.splitlines()) == 1
    second = in_changed_host(podpy, _without_ranges(scratch), "unshare", "cat", "/proc/self/uid_map")
    assert parse_map(second.ok()) == [[0, podpy.user.uid, 1]]
    assert second.stderr == ""


def test_ranges_that_come_later_count_without_any_command(podpy: Podpy, scratch: Path) -> None:
    """When nothing runs, the namespace of one id is replaced by itself."""
    in_changed_host(podpy, _without_ranges(scratch), "unshare", "true").ok()
    assert parse_map(podpy.ok("unshare", "cat", "/proc/self/uid_map")) == [
        [0, podpy.user.uid, 1],
        [1, podpy.user.subuid, 65536],
    ]


def test_several_ranges_are_all_mapped(podpy: Podpy, scratch: Path) -> None:
    """One by name, one by number; the lines of others don't count."""
    text = f"nobody-else:700000:5\n{podpy.user.name}:300000:10\n{podpy.user.uid}:400000:20\n"
    ranges = write_as_root(scratch / "ranges", text)
    changes = f"mount --bind {ranges} /etc/subuid; mount --bind {ranges} /etc/subgid"
    said = in_changed_host(podpy, changes, "unshare", "cat", "/proc/self/uid_map", "/proc/self/gid_map").ok()
    rows = [[1, 300000, 10], [11, 400000, 20]]
    assert parse_map(said) == [[0, podpy.user.uid, 1], *rows, [0, podpy.user.gid, 1], *rows]


def test_without_newuidmap_one_id_works(podpy: Podpy, scratch: Path) -> None:
    """The warning names the package."""
    nothing = write_as_root(scratch / "nothing", "")
    changes = f"mount --bind {nothing} /usr/bin/newuidmap"
    done = in_changed_host(podpy, changes, "unshare", "cat", "/proc/self/uid_map")
    assert parse_map(done.ok()) == [[0, podpy.user.uid, 1]]
    assert "newuidmap isn't installed. sudo " in done.stderr
    doctor = in_changed_host(podpy, changes, "system", "doctor", "--json")
    assert doctor.returncode == 1
    assert _check(doctor, "newuidmap, newgidmap")["ok"] is False


def test_newuidmap_without_privilege(podpy: Podpy, scratch: Path) -> None:
    """An image builder or an archive has lost its setuid bit."""
    plain = scratch / "newuidmap"
    plain.write_bytes(Path("/usr/bin/newuidmap").read_bytes())
    plain.chmod(0o755)
    done = in_changed_host(podpy, f"mount --bind {plain} /usr/bin/newuidmap", "unshare", "true")
    done.fails(125, "newuidmap has neither its setuid bit nor file capabilities", "sudo chmod u+s ")


def test_range_that_belongs_to_nobody_is_explained(podpy: Podpy, scratch: Path) -> None:
    """newuidmap reads another file than podpy did: what it says is passed on."""
    fake = scratch / "newgidmap"
    fake.write_text("#!/bin/sh\necho 'newgidmap: gid range [1-65537) -> [1-65537) not allowed' >&2\nexit 1\n")
    fake.chmod(0o4755)
    done = in_changed_host(podpy, f"mount --bind {fake} /usr/bin/newgidmap", "unshare", "true")
    done.fails(125, "newgidmap: gid range [1-65537) -> [1-65537) not allowed", "/etc/subuid")
    assert not (podpy.runroot / "holder").exists()


def test_forbidden_user_namespaces(podpy: Podpy) -> None:
    """In a namespace where the sysctl is 0, as an administrator sets it on a host."""
    cause = "user namespaces are forbidden: user.max_user_namespaces is 0"
    mend = "/etc/sysctl.d/99-podpy.conf && sudo sysctl --system"
    where_user_namespaces_are_forbidden(podpy, "unshare", "true").fails(125, cause, mend)
    doctor = where_user_namespaces_are_forbidden(podpy, "system", "doctor")
    assert doctor.returncode == 1
    assert cause in doctor.stdout
    assert mend in doctor.stdout


@pytest.mark.parametrize(
    ("change", "cause", "mend"),
    [
        ("mount -t tmpfs none /dev/net", "/dev/net/tun is missing", "sudo modprobe tun"),
        ("touch {0}/t; chmod 600 {0}/t; mount --bind {0}/t /dev/net/tun", "can't be opened", "sudo chmod 666"),
    ],
)
def test_tun_device(podpy: Podpy, scratch: Path, change: str, cause: str, mend: str) -> None:
    """Missing, or closed for users."""
    done = in_changed_host(podpy, change.format(scratch), "system", "doctor", "--json")
    assert done.returncode == 1
    found = _check(done, "/dev/net/tun")
    assert cause in str(found["cause"])
    assert mend in str(found["mend"])


@pytest.mark.parametrize(("propagation", "ok"), [("rshared", True), ("rprivate", False)])
def test_mounts_that_containers_would_not_see(podpy: Podpy, propagation: str, ok: bool) -> None:
    """As in a chroot or a container: what is mounted later stays outside, and podpy finds an empty directory there."""
    done = in_changed_host(podpy, f"mount --make-{propagation} /", "system", "doctor", "--json")
    found = _check(done, "later mounts")
    assert (found["ok"], found["required"]) == (ok, False)
    assert ("mount --make-rshared /" in str(found["mend"])) is not ok


OLD = "is of before August 2024"


@pytest.mark.parametrize(
    ("help_text", "changes", "ok", "cause", "mend"),
    [
        ("--map-guest-addr", "", True, "{pasta}", ""),
        ("--config-net", "", True, "{slirp}, because {pasta} " + OLD, ""),
        (
            "--config-net",
            "mount --bind {nothing} {slirp}",
            False,
            "{pasta} " + OLD,
            "slirp4netns    # or install a newer",
        ),
    ],
)
def test_doctor_says_which_network_helper_is_used_and_why(
    podpy: Podpy, scratch: Path, help_text: str, changes: str, ok: bool, cause: str, mend: str
) -> None:
    """A pasta that is too old is no good news, even where slirp4netns takes its place; either way containers run."""
    program = write_as_root(scratch / "pasta", f"#!/bin/sh\necho {help_text}\n")
    os.chmod(program, 0o755)
    nothing = write_as_root(scratch / "nothing", "")
    where = {"pasta": which("pasta"), "slirp": which("slirp4netns"), "nothing": nothing}
    assert all(where.values()), "passt and slirp4netns are installed where tests run"
    changes = f"mount --bind {program} {where['pasta']}; " + changes.format_map(where)
    found = _check(in_changed_host(podpy, changes, "system", "doctor", "--json"), "network helper")
    assert (found["ok"], found["required"]) == (ok, ok)
    assert str(found["cause"]).startswith(cause.format_map(where))
    assert mend in str(found["mend"])


@pytest.mark.parametrize(
    ("conf", "cause", "mend"),
    [
        ("[containers", "isn't valid TOML", "See containers.conf(5)"),
        (
            "[network]\ndefault_rootless_network_cmd='slirp4netns'\n[engine]\nnetwork_cmd_path='/nope'",
            "/nope can't be run",
            "correct network_cmd_path",
        ),
    ],
)
def test_doctor_has_something_to_say_of_a_wrong_containers_conf(podpy: Podpy, conf: str, cause: str, mend: str) -> None:
    file = podpy.home / ".config/containers/containers.conf"
    file.parent.mkdir(parents=True)
    file.write_text(conf)
    found = _check(podpy("system", "doctor", "--json"), "network helper")
    assert (found["ok"], found["required"]) == (False, True)
    assert cause in str(found["cause"])
    assert mend in str(found["mend"])


def test_doctor_names_a_pasta_that_cannot_be_started(podpy: Podpy, scratch: Path) -> None:
    program = write_as_root(scratch / "pasta", "")
    os.chmod(program, 0o755)
    changes = f"mount --bind {program} {which('pasta')}"
    found = _check(in_changed_host(podpy, changes, "system", "doctor", "--json"), "network helper")
    assert (found["ok"], found["cause"]) == (False, f"{which('pasta')} can't be run: Exec format error")


@pytest.mark.xdist_group("fall-back run directory")
def test_no_run_directory_at_all(podpy: Podpy) -> None:
    """Everything that could be one belongs to somebody else: the message says how to make one."""
    name = f"podpy-run-{podpy.user.uid}"
    squat = f"mount -t tmpfs -o mode=1777 none /tmp; mkdir -m 777 /tmp/{name} /tmp/x; ln -s /tmp/x /var/tmp/{name}"
    try:
        done = in_changed_host(
            podpy, f"mount -t tmpfs none /run; {squat}", "unshare", "true", without=("XDG_RUNTIME_DIR",)
        )
    finally:
        os.unlink(f"/var/tmp/{name}")
    done.fails(125, "no run directory", 'export XDG_RUNTIME_DIR="$HOME/.run"')


def test_doctor_is_content_with_a_good_host(podpy: Podpy) -> None:
    """Exit code 0, each check with a name and what was found; notes may mend."""
    checks = podpy.json("system", "doctor", "--json")
    assert {"user namespaces", "subordinate ids", "OCI runtime", "cgroups", "overlay", "graph root"} <= {
        check["name"] for check in checks
    }
    for check in checks:
        assert set(check) == {"name", "ok", "cause", "mend", "required"}
        assert check["cause"]
        assert check["ok"] or check["mend"], check
    text = podpy("system", "doctor").ok()
    assert "ok    user namespaces: may be made" in text
