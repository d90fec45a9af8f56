"""`-v`, `--mount`, `--tmpfs`: what becomes a mount, and Podman's texts for what doesn't."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.errors import NotSupportedError, UsageError
from podpy.spec.container import Mount
from podpy.spec.text.mounts import parse_mount
from podpy.spec.text.volumes import parse_tmpfs, parse_volume
from tests.spec.conftest import SpecOf


def test_a_source_with_a_slash_is_a_directory_of_the_host() -> None:
    assert parse_volume("/srv:/data:ro,z") == Mount(type="bind", source="/srv", target="/data", options=["ro", "z"])


def test_a_relative_source_begins_at_the_callers_directory(tmp_path: Path) -> None:
    here = os.fspath(tmp_path)
    assert parse_volume("./d:/data", directory=here).source == f"{here}/d"
    assert parse_volume(".:/data", directory=here).source == here
    assert parse_volume("..:/data", directory=here).source == os.fspath(tmp_path.parent)
    assert parse_mount("type=bind,src=d,dst=/data", directory=here)[0].source == f"{here}/d"
    (tmp_path / "a.conf").touch()
    assert parse_mount("type=glob,src=*.conf,dst=/data", directory=here)[0].source == f"{here}/a.conf"


def test_a_relative_source_without_a_directory_stays_relative() -> None:
    assert parse_volume("./d:/data").source == "d"


def test_a_source_without_a_slash_is_a_volume() -> None:
    assert parse_volume("data:/data") == Mount(type="volume", source="data", target="/data")


def test_a_target_alone_is_an_anonymous_volume() -> None:
    assert parse_volume("/data") == Mount(type="volume", target="/data")


def test_a_target_is_cleaned_of_dots_and_slashes() -> None:
    assert parse_volume("v:/a/../b//c/").target == "/b/c"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:/b:ro:c", "incorrect volume format"),
        (":/b", "host directory cannot be empty"),
        (":", "host directory cannot be empty"),
        ("a:b", "must be an absolute path"),
        ("a:", "container directory cannot be empty"),
        ("sp ace:/b", "invalid volume name"),
        ("/a:/b:ro,rw", "invalid options \"ro, rw\", can only specify 1 'rw' or 'ro' option"),
        ("/a:/b:z,Z", "can only specify 1 'z', 'Z', or 'O' option"),
        ("/a:/b:shared,slave", r"can only specify 1 '\[r\]shared', '\[r\]private', '\[r\]slave' or"),
        ("/a:/b:size=1m", "only allowed with tmpfs"),
        ("/a:/b:frobnicate", "invalid option type"),
        ("/a:/b:ro=1", "invalid option type"),
        ("/a:/b:O,ro", "can't use 'O' with other options"),
        ("/a:/b:O,upperdir=/u", "must set both"),
        ("/a:/b:U,U", "can only specify 1 'U' option"),
    ],
)
def test_an_invalid_volume_is_refused_in_podmans_words(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_volume(text)


def test_idmap_is_refused_for_users_with_a_hint() -> None:
    with pytest.raises(NotSupportedError, match="idmap") as caught:
        parse_volume("/a:/b:idmap")
    assert "keep-id" in caught.value.hint
    assert parse_volume("/a:/b:idmap", rootless=False).options == ["idmap"]


def test_mount_bind_takes_all_names_of_its_keys() -> None:
    for text in ("type=bind,src=/a,dst=/b", "type=bind,source=/a,target=/b", "type=bind,source=/a,destination=/b"):
        assert parse_mount(text) == [Mount(type="bind", source="/a", target="/b")]


def test_mount_bind_has_flags_and_values() -> None:
    text = "type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave,relabel=shared,U=true,consistency=cached"
    assert parse_mount(text)[0].options == ["ro", "rslave", "z", "U"]
    assert parse_mount("type=bind,src=/a,dst=/b,rw=false")[0].options == ["ro"]
    assert parse_mount("type=bind,src=/a,dst=/b,ro=false")[0].options == []


def test_mount_bind_without_a_source_is_the_same_place() -> None:
    assert parse_mount("type=bind,target=/etc/hosts")[0].source == "/etc/hosts"


def test_mount_without_a_type_is_a_volume() -> None:
    assert parse_mount("source=data,target=/data,volume-subpath=x") == [
        Mount(type="volume", source="data", target="/data", subpath="x")
    ]


def test_mount_tmpfs_has_size_and_mode() -> None:
    mount = parse_mount("type=tmpfs,dst=/t,tmpfs-size=64m,tmpfs-mode=1777,notmpcopyup")[0]
    assert mount == Mount(type="tmpfs", target="/t", options=["size=64m", "mode=1777", "notmpcopyup"])


def test_mount_ramfs_is_a_ramfs_with_the_options_of_a_tmpfs() -> None:
    mount = parse_mount("type=ramfs,dst=/t,tmpfs-mode=0700")[0]
    assert (mount.type, mount.options) == ("ramfs", ["mode=0700"])


def test_mount_glob_gives_each_file_a_target(tmp_path: Path) -> None:
    for name in ("b.conf", "a.conf", "c.txt"):
        (tmp_path / name).touch()
    mounts = parse_mount(f"type=glob,src={tmp_path}/*.conf,dst=/etc/x,ro")
    assert [(mount.source, mount.target) for mount in mounts] == [
        (f"{tmp_path}/a.conf", "/etc/x/a.conf"),
        (f"{tmp_path}/b.conf", "/etc/x/b.conf"),
    ]
    with pytest.raises(UsageError, match="no file paths matching glob"):
        parse_mount(f"type=glob,src={tmp_path}/nope*,dst=/etc/x")


def test_mount_devpts_keeps_its_own_keys() -> None:
    mount = parse_mount("type=devpts,dst=/dev/pts,gid=7,mode=0620")[0]
    assert mount == Mount(type="devpts", target="/dev/pts", options=["gid=7", "mode=0620"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type=floppy,dst=/a", 'invalid filesystem type "floppy"'),
        ("type=bind,src=/a", "must set volume destination"),
        ("type=bind,src,dst=/b", "must provide an argument"),
        ("type=bind,src=,dst=/b", "host directory cannot be empty"),
        ("type=bind,src=/a,src=/b,dst=/c", "more than once"),
        ("type=bind,src=/a,dst=/b,dst=/c", "more than once"),
        ("type=tmpfs,src=/a,dst=/b", '"src" option not supported for "tmpfs"'),
        ("type=bind,src=/a,dst=/b,tmpfs-size=1m", '"tmpfs-size" option not supported for "bind"'),
        ("type=bind,src=/a,dst=/b,frob", "frob: invalid mount option"),
        ("type=bind,src=/a,dst=/b,relabel=x", "'private' or 'shared'"),
        ("type=bind,src=/a,dst=/b,bind-propagation=x", "invalid value"),
        ("type=bind,src=/a,dst=/b,U=maybe", "must be set to true or false"),
        ('type=bind,src="/a', "quote"),
    ],
)
def test_an_impossible_mount_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_mount(text)


def test_options_for_macos_are_dropped_as_by_docker() -> None:
    assert parse_volume("/a:/b:cached,ro").options == parse_volume("/a:/b:delegated,ro").options == ["ro"]


def test_tmpfs_has_options() -> None:
    with pytest.raises(UsageError, match='unknown mount option "foo": invalid mount option'):
        parse_tmpfs("/x:foo")
    assert parse_tmpfs("/t:rw,size=787448k,mode=1777") == Mount(
        type="tmpfs", target="/t", options=["rw", "size=787448k", "mode=1777"]
    )
    with pytest.raises(UsageError, match="not allowed with tmpfs"):
        parse_tmpfs("/t:z")
    with pytest.raises(UsageError, match="absolute"):
        parse_tmpfs("t")


def test_the_same_mount_twice_counts_once_and_two_at_one_place_are_refused(spec_of: SpecOf) -> None:
    assert len(spec_of("-v", "/a:/b", "-v", "/a:/b").mounts) == 1
    with pytest.raises(UsageError, match="/b: duplicate mount destination"):
        spec_of("-v", "/a:/b", "--tmpfs", "/b")
