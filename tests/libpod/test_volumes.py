"""`podpy volume`: what users see. The words are those of Podman 5.4.2 and 6."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.engine import Podpy

QUICK = ("run", "--rm", "--network=none")


@pytest.fixture
def folder(podpy: Podpy) -> Path:
    """A directory of the user's on the host, with a file in it."""
    path = podpy.home / "folder"
    podpy.run(["sh", "-c", f"mkdir {path} && echo host > {path}/file"]).ok()
    return path


def names(podpy: Podpy, *filters: str) -> list[str]:
    """Return the names of the volumes that the filters let through."""
    return podpy.ok("volume", "ls", "-q", *(f"--filter={text}" for text in filters)).split()


def test_a_volume_is_made_with_labels_and_options_and_shown_as_by_podman(podpy: Podpy) -> None:
    made = podpy.ok(
        "volume", "create", "--label=a=b", "-l", "c", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,uid=5",
        "data",
    )  # fmt: skip
    assert made == "data"
    (shown,) = podpy.json("volume", "inspect", "data")
    assert list(shown) == [
        "Name", "Driver", "Mountpoint", "CreatedAt", "Labels", "Scope", "Options", "UID", "MountCount", "NeedsCopyUp",
        "LockNumber",
    ]  # fmt: skip
    assert shown["Labels"] == {"a": "b", "c": ""} and shown["UID"] == 5
    assert shown["Options"] == {"SIZE": "1m", "UID": "5", "device": "tmpfs", "o": "size=1m,uid=5", "type": "tmpfs"}
    assert podpy.json("volume", "ls", "--format=json") == [shown] == podpy.json("inspect", "data")
    assert podpy.json("inspect", "--type=volume", "data") == [shown]
    row = podpy.ok("volume", "ls", "--format", "{{.Labels}} {{json .Labels}} {{.NeedsChown}} {{.Options.type}}")
    assert row == 'a=b,c= "a=b,c=" false tmpfs'
    assert podpy.ok("volume", "ls") == "DRIVER      VOLUME NAME\nlocal       data"
    assert podpy.ok("volume", "ls", "--noheading") == "local       data"


def test_mistakes_have_podmans_words_and_codes(podpy: Podpy, folder: Path) -> None:
    podpy.ok("volume", "create", "data")
    for words, code, told in (
        (("create", "data"), 125, "volume with name data already exists: volume already exists"),
        (("create", "bad name"), 125, "running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*"),
        (("create", "-d", "none", "x"), 125, "no volume plugin with name none available: required plugin missing"),
        (("create", "-o", f"device={folder}/no", "-o", "type=bind"), 125, f"faccessat {folder}/no: no such file"),
        (("inspect",), 125, "provide one or more volume names or use --all"),
        (("inspect", "nosuch"), 125, "no such volume nosuch"),
        (("rm", "nosuch"), 1, 'no volume with name "nosuch" found: no such volume'),
        (("rm",), 125, "choose either one or more volumes or all"),
        (("rm", "--all", "data"), 125, "choose either one or more volumes or all"),
        (("rm", "-t", "3", "data"), 125, "--force option must be specified to use the --time option"),
        (("ls", "--filter", "foo=bar"), 125, '"foo" is an invalid volume filter'),
        (("ls", "--filter", "name"), 125, "filter input must be in the form of filter=value: name is invalid"),
        (("ls", "--filter", "dangling=x"), 125, '"x" is not a valid value for the "dangling" filter'),
        (("ls", "--filter", "after=nosuch"), 125, 'no volume with name "nosuch" found'),
        (("ls", "-q", "--format", "x"), 125, "quiet and format flags cannot be used together"),
        (("prune", "--force", "--dry-run"), 125, "--force and --dry-run cannot be used together"),
        (("mount", "data"), 125, "must execute `podpy unshare` first"),
        (("reload",), 125, "podpy has none"),
    ):
        podpy("volume", *words).fails(code, told)
    assert podpy.ok("volume", "create", "--ignore", "data") == "data"
    assert podpy.ok("volume", "rm", "--force", "nosuch") == ""
    assert [podpy("volume", "exists", name).returncode for name in ("data", "dat")] == [0, 1]


def test_a_volume_has_the_owner_that_it_was_made_with(podpy: Podpy, busybox: str) -> None:
    podpy.ok("volume", "create", "--uid=5", "--gid=7", "owned")
    podpy.ok("volume", "create", "--opt=o=uid=6", "other")
    shown = podpy.ok(*QUICK, "-v=owned:/a", "-v=other:/etc", busybox, "sh", "-c", "stat -c %u:%g /a /etc; ls /etc")
    assert shown.split()[:2] == ["5:7", "6:0"] and "passwd" in shown
    podpy("volume", "create", "--uid=4294967294", "far").fails(125, "chowning volume directory")
    podpy("volume", "create", "--uid=4294967296", "far").fails(125, "4294967296 is no user or group id")
    assert names(podpy) == ["owned", "other"] == sorted(os.listdir(podpy.graphroot / "volumes"), reverse=True)


def test_filters_are_combined_with_and(podpy: Podpy, busybox: str) -> None:
    podpy.ok("volume", "create", "--label=a=b", "one")
    podpy.ok("volume", "create", "--label=a=c", "-o", "type=tmpfs", "two")
    podpy.ok("create", "-v=one:/v", "-v", "/anonymous", busybox, "true")
    assert names(podpy, "name=one") == ["one"]
    assert names(podpy, "name=one", "name=two") == ["one", "two"]
    assert names(podpy, "name=one", "label=a=c") == []
    assert names(podpy, "label=a", "label=a=c") == ["two"] == names(podpy, "opt=type=tmpfs")
    assert names(podpy, "label!=a=b", "anonymous=false") == ["two"] == names(podpy, "dangling=true")
    assert len(names(podpy, "anonymous=true", "dangling=false")) == 1
    assert names(podpy, "since=one", "anonymous=0") == ["two"]
    assert names(podpy, "until=1h") == [] == names(podpy, "scope=global") == names(podpy, "driver=image")
    assert len(names(podpy, "until=2100-01-01", "scope=local", "driver=local")) == 3


def test_who_uses_a_volume_keeps_it_and_force_removes_both(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("create", "-v=data:/v", busybox, "true")
    podpy.ok("volume", "create", "free")
    result = podpy("volume", "rm", "data", "free", "nosuch")
    told = f"volume data is being used by the following container(s): {container}: volume is being used"
    result.fails(2, told, 'no volume with name "nosuch" found')
    assert result.stdout == "free\n"
    podpy("volume", "rename", "data", "other").fails(125, told)
    assert podpy.ok("volume", "rm", "--force", "dat") == "data"
    assert podpy.ok("ps", "-aq") == "" == podpy.ok("volume", "ls", "-q")


def test_prune_takes_anonymous_volumes_and_the_others_with_all(podpy: Podpy, busybox: str) -> None:
    podpy.ok("volume", "create", "--label=keep", "named")
    anonymous, rest = [], podpy.ok("create", "-v=/v", "-v=used:/u", busybox, "true")
    anonymous = names(podpy, "anonymous=true")
    podpy.ok("rm", rest)
    asked = podpy("volume", "prune", input="n\n")
    assert asked.stdout == (
        "WARNING! This will remove anonymous local volumes not used by at least one container. The following volumes "
        f"will be removed:\n{anonymous[0]}\nAre you sure you want to continue? [y/N] "
    )
    podpy("volume", "prune").fails(125, "--force")
    assert podpy.ok("volume", "prune", "--dry-run") == f"Volumes that would be pruned:\n{anonymous[0]}"
    assert podpy.ok("volume", "prune", "-f") == anonymous[0]
    assert podpy.ok("volume", "prune").endswith("No dangling anonymous volumes found")
    assert podpy.ok("volume", "prune", "--all", "--force", "--filter=label!=keep") == "used"
    assert podpy.ok("volume", "prune", "--force", "--filter=all=true") == "named"


def test_a_rename_keeps_the_files(podpy: Podpy, busybox: str) -> None:
    podpy.ok(*QUICK, "-v=data:/v", busybox, "sh", "-c", "echo 1 > /v/x")
    assert podpy.ok("volume", "rename", "data", "other") == ""
    assert podpy.ok(*QUICK, "-v=other:/v", busybox, "cat", "/v/x") == "1"
    assert names(podpy) == ["other"] and podpy.ok("system", "check") == ""


def test_a_directory_of_the_host_is_a_volume(podpy: Podpy, busybox: str, folder: Path) -> None:
    options = ("-o", "type=none", "-o", f"device={folder}")
    podpy.ok("volume", "create", *options, "-o", "o=bind", "data")
    podpy.ok("volume", "create", *options, "-o", "o=bind,ro,noexec", "fixed")
    script = "cat /v/file; echo 2 > /v/new; touch /r/x 2>&1; awk '$2 == \"/r\" {print $4}' /proc/mounts"
    shown = podpy.ok(*QUICK, "-v=data:/v", "-v=fixed:/r", busybox, "sh", "-c", script).splitlines()
    assert shown[0] == "host" and "Read-only file system" in shown[1] and "noexec" in shown[2]
    assert (folder / "new").read_text() == "2\n"
    podpy.ok("volume", "rm", "data", "fixed")
    assert (folder / "file").exists(), "the host's files aren't the volume's"
    anonymous = f"type=volume,dst=/v,volume-opt=type=none,volume-opt=o=bind,volume-opt=device={folder}"
    podpy.ok(*QUICK, "--mount", anonymous, busybox, "true")
    assert names(podpy) == [] and (folder / "file").exists()


def test_a_tmpfs_volume_is_one_for_all_containers_that_run(podpy: Podpy, busybox: str) -> None:
    podpy.ok("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,uid=5,mode=1770", "mem")
    podpy.ok("run", "-d", "--network=none", "--name=holder", "-v=mem:/v", busybox, "sleep", "1000")
    assert podpy.ok("volume", "inspect", "--format={{.MountCount}}", "mem") == "1"
    script = "stat -c %u:%a /v; df -k /v | tail -1; touch /v/x"
    shown = podpy.ok(*QUICK, "-v=mem:/v", busybox, "sh", "-c", script).split()
    assert shown[0] == "5:1770" and "1024" in shown
    assert podpy.ok("exec", "holder", "ls", "/v") == "x"
    podpy.ok("rm", "-ft0", "holder")
    assert podpy.ok(*QUICK, "-v=mem:/etc", busybox, "ls", "/etc").split() != []
    assert "passwd" in podpy.ok(*QUICK, "-v=mem:/etc", busybox, "ls", "/etc").split(), "each new tmpfs is filled"


def test_two_starts_at_once_have_the_same_tmpfs(podpy: Podpy, busybox: str) -> None:
    podpy.ok("volume", "create", "-o", "type=tmpfs", "mem")
    command = ("run", "-d", "--network=none", "-v=mem:/v")
    starts = [podpy.popen(*command, f"--name={name}", busybox, "sleep", "1000") for name in ("a", "b")]
    assert [start.wait() for start in starts] == [0, 0]
    podpy.ok("exec", "a", "touch", "/v/x")
    assert podpy.ok("exec", "b", "ls", "/v") == "x"


def test_what_only_root_may_mount_is_refused_as_by_podman(podpy: Podpy, busybox: str) -> None:
    podpy.ok("volume", "create", "-o", "type=ext4", "-o", "device=/dev/nosuch", "disk")
    podpy.ok("volume", "create", "-o", "o=nodev", "odd")
    refused = podpy(*QUICK, "-v=disk:/v", busybox, "true")
    refused.fails(126, "mounting volume disk for container ", "/volumes/disk/_data: permission denied")
    podpy(*QUICK, "-v=odd:/v", busybox, "true").fails(126, "its options name no type of file system")


def test_volumes_are_mounted_in_unshare(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "-o", "type=tmpfs", "mem")
    podpy.ok("volume", "create", "plain")
    own = " ".join(podpy.command())
    script = f"""set -e
    touch $({own} volume mount mem)/x; ls $({own} volume mount mem)
    {own} volume inspect --format '{{{{.MountCount}}}}' mem
    {own} volume rename mem other 2>&1 || echo refused
    {own} volume unmount mem; {own} volume unmount mem; ls $({own} volume inspect --format '{{{{.Mountpoint}}}}' mem)
    {own} volume mount mem > /dev/null; {own} volume rm mem; {own} volume mount plain
    """
    lines = podpy.ok("unshare", "sh", "-c", script).splitlines()
    assert lines[:2] == ["x", "1"] and "refused" in lines and lines[-2] == "mem"
    assert lines[-1] == str(podpy.graphroot / "volumes/plain/_data")
    told = [json.loads(line) for line in podpy.ok("volume", "inspect", "--format={{json .Name}}", "-a").splitlines()]
    assert told == ["plain"]


def test_a_volume_that_must_be_there_isnt_made(podpy: Podpy, busybox: str) -> None:
    mount = "type=volume,src=data,dst=/v,nocreate"
    podpy(*QUICK, "--mount", mount, busybox, "true").fails(125, "volume data does not exist and nocreate option is set")
    podpy.ok("volume", "create", "data")
    podpy.ok(*QUICK, "--mount", mount, busybox, "true")
    podpy(*QUICK, "-v", "data:/v:nocreate", busybox, "true").fails(125, 'invalid option type "nocreate"')


def test_an_overlay_keeps_a_volumes_files(podpy: Podpy, busybox: str) -> None:
    podpy.ok(*QUICK, "-v=data:/v", busybox, "sh", "-c", "echo 1 > /v/x")
    assert podpy.ok(*QUICK, "-v=data:/v:O", busybox, "sh", "-c", "echo 2 > /v/x; cat /v/x") == "2"
    assert podpy.ok(*QUICK, "-v=data:/v", busybox, "cat", "/v/x") == "1"
