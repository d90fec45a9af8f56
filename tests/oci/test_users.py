"""Users, groups and the files of a root filesystem: looked up as the container would see them."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from podpy.config.containers_conf import ContainersConf
from podpy.errors import RuntimeFailedError, UsageError
from podpy.oci.root import accounts, workdir
from podpy.oci.root import inside as rootfs
from podpy.oci.root.accounts import Added
from podpy.oci.root.users import UserIds, ids_by_name, lookup
from podpy.spec.container import ContainerSpec, IdMapping, Mount
from podpy.spec.defaults import with_defaults

PASSWD = "root:x:0:0:root:/root:/bin/sh\nbad line\nuser:x:1000:100::/home/user:/bin/sh\nnohome:x:7:7:::\n"
GROUP = "root:x:0:\nusers:x:100:\nextra:x:2000:user,other\nbroken:x:\n"


def completed(**fields: Any) -> ContainerSpec:
    """Return a specification as `create` completes it."""
    return with_defaults(ContainerSpec(**fields), ContainersConf(), {}, rootless=True)


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
        workdir.prepare(completed(workdir="/nope"), root, user, "abc")
    with pytest.raises(RuntimeFailedError, match="is not a directory"):
        workdir.prepare(completed(workdir="/etc/passwd"), root, user, "abc")
    workdir.prepare(completed(workdir="/nope", create_workdir=True), root, user, "abc")
    assert Path(root, "nope").is_dir()
    workdir.prepare(completed(workdir="/m/x", mounts=[Mount(type="tmpfs", target="/m")]), root, user, "abc")
    assert not Path(root, "m").exists()


def test_an_unknown_user_gets_a_line(root: str) -> None:
    spec = completed(user="4321:99", workdir="/w")
    assert accounts.prepare(spec, root, lookup(root, "4321:99")) == Added(home="/w")
    assert Path(root, "etc/passwd").read_text() == PASSWD + "4321:*:4321:99:container user:/w:/bin/sh\n"
    assert Path(root, "etc/group").read_text() == GROUP + "99:x:99:4321\n"
    assert lookup(root, "4321").name == "4321"


def test_a_root_that_is_not_to_be_written_gets_texts_to_mount(root: str) -> None:
    added = accounts.prepare(completed(user="4321", read_only=True), root, lookup(root, "4321"))
    assert added.texts == {"/etc/passwd": PASSWD + "4321:*:4321:0:container user:/:/bin/sh\n"}
    assert Path(root, "etc/passwd").read_text() == PASSWD


def test_passwd_false_and_known_users_change_nothing(root: str) -> None:
    for spec, user in (({"user": "4321", "passwd": False}, "4321"), ({"user": "user"}, "user"), ({}, "")):
        assert accounts.prepare(completed(**spec), root, lookup(root, user)).texts == {}  # type: ignore[arg-type]
    assert Path(root, "etc/passwd").read_text() == PASSWD


@pytest.mark.parametrize("number", ["4294967295", "4294967296", "-1", "", "²", "٣", "9" * 5000])
def test_a_line_whose_id_is_none_is_as_good_as_absent(root: str, number: str) -> None:
    Path(root, "etc/passwd").write_text(f"bad:x:{number}:1::/:\nworse:x:1:{number}::/:\nlast:x:4294967294:5::/:\n")
    Path(root, "etc/group").write_text(f"bad:x:{number}:last\nlast:x:4294967294:last\n")
    for name in ("bad", "worse", "root:bad"):
        with pytest.raises(RuntimeFailedError, match="no matching entries in"):
            lookup(root, name)
    assert lookup(root, "last") == UserIds(uid=4294967294, gid=5, groups=[4294967294], name="last", group_known=False)
    assert lookup(root, "1").name == ""


@pytest.mark.parametrize("workdir", ["/a:b", "/a\nroot:x:0:0::/:/bin/sh", "/a\r"])
def test_a_working_directory_that_does_not_fit_into_a_line_is_no_home(root: str, workdir: str) -> None:
    assert accounts.prepare(completed(user="4321", workdir=workdir), root, lookup(root, "4321")).home == "/"
    assert Path(root, "etc/passwd").read_text() == PASSWD + "4321:*:4321:0:container user:/:/bin/sh\n"


def caller_spec(**fields: object) -> ContainerSpec:
    """A spec with --userns=keep-id for whoever runs the tests."""
    maps = [IdMapping(container=os.getuid(), host=0, size=1)], [IdMapping(container=os.getgid(), host=0, size=1)]
    return completed(**{"userns": "keep-id", "uid_maps": maps[0], "gid_maps": maps[1], **fields})  # type: ignore[arg-type]


def test_with_keep_id_the_caller_gets_lines_whoever_the_user_is(root: str) -> None:
    Path(root, "etc/passwd").write_text("root0:x:77:77::/:\n")
    Path(root, "etc/group").write_text("root0:x:77:\n")
    own = pwd.getpwuid(os.getuid())
    added = accounts.prepare(caller_spec(user="77", workdir="/w"), root, lookup(root, "77"))
    line = f"{own.pw_name}:*:{own.pw_uid}:{os.getgid()}:{own.pw_gecos}:/w:/bin/sh\n"
    assert Path(root, "etc/passwd").read_text() == "root0:x:77:77::/:\n" + line
    name = grp.getgrgid(os.getgid()).gr_name
    assert Path(root, "etc/group").read_text() == f"root0:x:77:\n{name}:x:{os.getgid()}:{own.pw_name}\n"
    assert added.home == "/"


def test_with_keep_id_the_callers_home_is_his_own_where_it_is_mounted(root: str) -> None:
    Path(root, "etc/passwd").write_text("root0:x:77:77::/:\n")
    home = pwd.getpwuid(os.getuid()).pw_dir
    spec = caller_spec(user=str(os.getuid()), workdir="/w", mounts=[Mount(type="bind", target=home, source=home)])
    assert accounts.prepare(spec, root, lookup(root, str(os.getuid()))).home == home


def test_with_ids_of_its_own_keep_id_gives_the_number_a_line(root: str) -> None:
    spec = caller_spec(userns="keep-id:uid=200,gid=210", user="200:210")
    accounts.prepare(spec, root, lookup(root, "200:210"))
    assert Path(root, "etc/passwd").read_text() == PASSWD + "200:*:200:210:container user:/:/bin/sh\n"
    assert Path(root, "etc/group").read_text() == GROUP + "210:x:210:200\n"


def test_ids_of_names_are_those_of_whole_lines_with_a_number() -> None:
    passwd = "root:x:0:0:root:/root:/bin/sh\nshort:x:5\nword:x:five:5::/:\n\nlast:x:65534:65534::/:\n"
    assert ids_by_name(passwd) == {"root": 0, "last": 65534}
    assert ids_by_name("wheel:x:10:root,me\n") == {"wheel": 10}
