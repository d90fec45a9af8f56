"""Users, groups and the files of a root filesystem: looked up as the container would see them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.errors import RuntimeFailedError, UsageError
from podpy.oci.root import accounts, workdir
from podpy.oci.root import inside as rootfs
from podpy.oci.root.users import UserIds, lookup
from podpy.spec.container import ContainerSpec, Mount

PASSWD = "root:x:0:0:root:/root:/bin/sh\nbad line\nuser:x:1000:100::/home/user:/bin/sh\nnohome:x:7:7:::\n"
GROUP = "root:x:0:\nusers:x:100:\nextra:x:2000:user,other\nbroken:x:\n"


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A root filesystem with account files."""
    path = tmp_path / "root"
    (path / "etc").mkdir(parents=True)
    (path / "etc/passwd").write_text(PASSWD)
    (path / "etc/group").write_text(GROUP)
    return os.fspath(path)


def test_without_a_user_it_is_root_with_its_home(root: str) -> None:
    assert lookup(root, "") == UserIds(uid=0, gid=0, home="/root", name="root")


def test_a_name_and_its_number_are_the_same_user(root: str) -> None:
    expected = UserIds(uid=1000, gid=100, groups=[2000], home="/home/user", name="user")
    assert lookup(root, "user") == lookup(root, "1000") == expected


def test_a_group_of_ones_own_switches_the_users_groups_off(root: str) -> None:
    assert lookup(root, "user:extra").groups == []
    assert lookup(root, "user:extra").gid == 2000
    assert lookup(root, "user:55").gid == 55 and not lookup(root, "user:55").group_known


def test_groups_are_added_by_name_and_number(root: str) -> None:
    assert lookup(root, "", ["extra", "33", "extra"]).groups == [2000, 33]
    assert lookup(root, "", ["keep-groups"]).groups == []


def test_a_number_needs_no_entry_and_a_name_does(root: str) -> None:
    unknown = lookup(root, "4321")
    assert (unknown.uid, unknown.gid, unknown.home, unknown.name) == (4321, 0, "/", "")
    with pytest.raises(RuntimeFailedError, match="unable to find user ghost: no matching entries in passwd file"):
        lookup(root, "ghost")
    with pytest.raises(RuntimeFailedError, match="unable to find group ghosts: no matching entries in group file"):
        lookup(root, "user:ghosts")


def test_a_number_that_is_no_id_is_refused(root: str) -> None:
    with pytest.raises(UsageError, match="4294967295 is no user or group id"):
        lookup(root, "4294967295")


def test_a_user_without_a_home_is_at_the_root(root: str) -> None:
    assert lookup(root, "nohome").home == "/"


def test_an_image_without_account_files_still_has_root(tmp_path: Path) -> None:
    assert lookup(os.fspath(tmp_path), "") == UserIds(group_known=False)


@pytest.mark.parametrize("link", ["/secret", "../../../../secret", "../../outside"])
def test_a_link_to_the_host_stays_inside(tmp_path: Path, root: str, link: str) -> None:
    (tmp_path / "outside").write_text("boss:x:5:5::/:/bin/sh\n")
    passwd = Path(root, "etc/passwd")
    passwd.unlink()
    passwd.symlink_to(link)
    assert rootfs.read_text(root, "/etc/passwd") == ""


def test_a_fifo_a_directory_and_a_loop_are_no_files(root: str) -> None:
    passwd = Path(root, "etc/passwd")
    passwd.unlink()
    os.mkfifo(passwd)
    assert rootfs.read_text(root, "/etc/passwd") == ""
    passwd.unlink()
    passwd.mkdir()
    assert rootfs.read_text(root, "/etc/passwd") == ""
    passwd.rmdir()
    passwd.symlink_to("passwd")
    assert rootfs.read_text(root, "/etc/passwd") == ""


def test_an_enormous_file_is_refused(root: str) -> None:
    with open(Path(root, "etc/passwd"), "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(RuntimeFailedError, match="larger than 4 MiB"):
        lookup(root, "user")


def test_directories_are_made_where_links_lead_inside(tmp_path: Path, root: str) -> None:
    Path(root, "real").mkdir()
    Path(root, "link").symlink_to("/real")
    Path(root, "out").symlink_to("../../../..")
    os.close(rootfs.make_directories(root, "/link/a/b"))
    os.close(rootfs.make_directories(root, "/out/c"))
    assert Path(root, "real/a/b").is_dir() and Path(root, "c").is_dir()
    assert not (tmp_path / "c").exists()


def test_a_working_directory_is_checked(root: str) -> None:
    user = UserIds(uid=os.getuid(), gid=os.getgid())
    with pytest.raises(RuntimeFailedError, match='workdir "/nope" does not exist on container abc'):
        workdir.prepare(ContainerSpec(workdir="/nope"), root, user, "abc")
    with pytest.raises(RuntimeFailedError, match="is not a directory"):
        workdir.prepare(ContainerSpec(workdir="/etc/passwd"), root, user, "abc")
    workdir.prepare(ContainerSpec(workdir="/nope", create_workdir=True), root, user, "abc")
    assert Path(root, "nope").is_dir()
    workdir.prepare(ContainerSpec(workdir="/m/x", mounts=[Mount(type="tmpfs", target="/m")]), root, user, "abc")
    assert not Path(root, "m").exists()


def test_an_unknown_user_gets_a_line(root: str) -> None:
    spec = ContainerSpec(user="4321:99", workdir="/w")
    assert accounts.prepare(spec, root, lookup(root, "4321:99"), 0) == {}
    assert Path(root, "etc/passwd").read_text() == PASSWD + "4321:*:4321:99:container user:/w:/bin/sh\n"
    assert Path(root, "etc/group").read_text() == GROUP + "99:x:99:4321\n"
    assert lookup(root, "4321").name == "4321"


def test_a_root_that_is_not_to_be_written_gets_texts_to_mount(root: str) -> None:
    texts = accounts.prepare(ContainerSpec(user="4321", read_only=True), root, lookup(root, "4321"), 0)
    assert texts == {"/etc/passwd": PASSWD + "4321:*:4321:0:container user:/:/bin/sh\n"}
    assert Path(root, "etc/passwd").read_text() == PASSWD


def test_passwd_false_and_known_users_change_nothing(root: str) -> None:
    for spec, user in (({"user": "4321", "passwd": False}, "4321"), ({"user": "user"}, "user"), ({}, "")):
        assert accounts.prepare(ContainerSpec(**spec), root, lookup(root, user), 0) == {}  # type: ignore[arg-type]
    assert Path(root, "etc/passwd").read_text() == PASSWD
