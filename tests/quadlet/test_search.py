"""Which files are read: the search path, sub-directories, links, drop-ins, limits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.quadlet import search
from podpy.quadlet.search import Root
from tests.quadlet.bundle import complaints, texts, units_of


def paths(environ: dict[str, str], *, user: bool) -> list[str]:
    found, problems = search.roots(environ, user=user, uid=1000, home="/home/a")
    assert problems == []
    return [root.path for root in found]


def test_the_path_of_root() -> None:
    wanted = ["/run/containers/systemd", "/etc/containers/systemd", "/usr/share/containers/systemd"]
    assert paths({}, user=False) == wanted


def test_the_path_of_a_user() -> None:
    system = [f"{place}/containers/systemd/users{end}" for place in ("/etc", "/usr/share") for end in ("", "/1000")]
    own = ["/run/user/1000/containers/systemd", "/home/a/.config/containers/systemd"]
    assert paths({"XDG_RUNTIME_DIR": "/run/user/1000"}, user=True) == own + system
    assert paths({"XDG_CONFIG_HOME": "/c"}, user=True) == ["/c/containers/systemd", *system]
    assert paths({"XDG_CONFIG_HOME": "rel", "XDG_RUNTIME_DIR": "rel"}, user=True) == [own[1], *system]


def test_directories_of_the_environment_replace_it() -> None:
    assert paths({search.DIRECTORIES: "/a:/b:"}, user=True) == ["/a", "/b"]
    found, problems = search.roots({search.DIRECTORIES: "rel:/b"}, user=True, uid=0, home="")
    assert [root.path for root in found] == ["/b"]
    assert [str(problem) for problem in problems] == ["QUADLET_UNIT_DIRS: warning: rel not a valid file path"]


def make(base: Path, *names: str) -> None:
    for name in names:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text("[X]\n")


def found(*roots: Root) -> list[str]:
    return list(search.look(roots).files.values())


def test_the_first_file_of_a_name_counts_and_directories_come_before_those_in_them(tmp_path: Path) -> None:
    make(tmp_path, "one/z.container", "one/b/x.container", "one/a/x.container", "two/x.container", "two/y.pod")
    roots = [Root(path=f"{tmp_path}/{name}") for name in ("one", "two", "three")]
    assert [path.removeprefix(f"{tmp_path}/") for path in found(*roots)] == [
        "one/z.container",
        "one/a/x.container",
        "two/y.pod",
    ]


def test_only_quadlets_files_are_taken(tmp_path: Path) -> None:
    make(tmp_path, "a.service", "b.container~", ".container", "readme", "c.volume", "d.container.d/e.container")
    assert [Path(path).name for path in found(Root(path=str(tmp_path)))] == ["c.volume"]


def test_links_to_files_and_directories_are_followed_and_circles_end(tmp_path: Path) -> None:
    make(tmp_path, "real/a.container")
    (tmp_path / "real/loop").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real/b.container").symlink_to("a.container")
    names = [path.removeprefix(f"{tmp_path}/") for path in found(Root(path=f"{tmp_path}/link"))]
    assert names == ["real/a.container", "real/b.container"]


def test_root_leaves_out_what_is_for_users_and_users_what_is_for_others(tmp_path: Path) -> None:
    make(tmp_path, "a.container", "users/b.container", "users/1000/c.container", "users/team/d.container")
    assert [Path(path).name for path in found(Root(path=str(tmp_path), users="all"))] == ["a.container"]
    users = found(Root(path=f"{tmp_path}/users", users="numbers"))
    assert [Path(path).name for path in users] == ["b.container", "d.container"]


@pytest.mark.parametrize(
    ("name", "directories"),
    [
        ("a.container", ["a.container.d", "container.d"]),
        ("a-b-c.pod", ["a-b-c.pod.d", "a-b-.pod.d", "a-.pod.d", "pod.d"]),
        ("a@.volume", ["a@.volume.d", "volume.d"]),
        ("a@1.volume", ["a@1.volume.d", "a@.volume.d", "volume.d"]),
        ("a-b@1-2.image", ["a-b@1-2.image.d", "a-b@.image.d", "a-@.image.d", "a-.image.d", "image.d"]),
    ],
)
def test_directories_of_drop_ins(name: str, directories: list[str]) -> None:
    assert search.drop_in_names(name) == directories


def test_drop_ins_are_merged_by_file_name_over_all_directories(tmp_path: Path) -> None:
    make(tmp_path, "1/a-b.container", "1/container.d/10-a.conf", "1/a-.container.d/20-b.conf", "1/container.d/x.txt")
    make(tmp_path, "2/a-b.container.d/10-a.conf", "2/a-b.container.d/05-c.conf", "1/deep/container.d/30-d.conf")
    tree = search.look([Root(path=f"{tmp_path}/1"), Root(path=f"{tmp_path}/2")])
    drop_ins = [path.removeprefix(f"{tmp_path}/") for path in search.drop_ins("a-b.container", tree)]
    assert drop_ins == [
        "2/a-b.container.d/05-c.conf",
        "2/a-b.container.d/10-a.conf",
        "1/a-.container.d/20-b.conf",
        "1/deep/container.d/30-d.conf",
    ]


def problem_of(path: Path) -> str:
    raw, problem = search.read(str(path), os.geteuid())
    assert raw == b""
    assert problem is not None
    return problem.text


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert problem_of(tmp_path / "fifo") == "is no regular file"
    assert problem_of(tmp_path / "nothing") == "No such file or directory"
    (tmp_path / "big").write_bytes(bytes(search.LARGEST_FILE + 1))
    assert problem_of(tmp_path / "big") == "is bigger than 1048576 bytes"


def test_a_file_of_another_user_is_not_read(tmp_path: Path) -> None:
    make(tmp_path, "a.container")
    own = os.geteuid()
    if own == 0:
        os.chown(tmp_path / "a.container", 1234, 1234)
        assert problem_of(tmp_path / "a.container") == "belongs to user 1234, and isn't read"
        assert search.read(str(tmp_path / "a.container"), 1234) == (b"[X]\n", None)
    else:
        raw, problem = search.read(str(tmp_path / "a.container"), own + 1)
        assert (raw, problem is not None and problem.text) == (b"", f"belongs to user {own}, and isn't read")
    assert search.read("/etc/passwd", own)[1] is None


def test_there_is_a_limit_to_how_deep_directories_are_entered(tmp_path: Path) -> None:
    make(tmp_path, "/".join(["d"] * 20) + "/x.container")
    tree = search.look([Root(path=str(tmp_path))])
    assert tree.files == {}
    assert [problem.text for problem in tree.problems] == ["more than 16 directories below each other: it is left out"]


def test_a_link_that_leads_to_itself_is_one_broken_file(tmp_path: Path) -> None:
    (tmp_path / "loop.container").symlink_to("loop.container")
    (tmp_path / "loop").symlink_to("loop")
    generated = units_of("=== a.container\n[Container]\nImage=localhost/t\n", tmp_path)
    assert "a.service" in texts(generated)
    assert complaints(generated, tmp_path) == ["loop.container: Too many levels of symbolic links"]


def test_a_name_with_a_line_end_makes_no_two_lines(tmp_path: Path) -> None:
    (tmp_path / "a\nb.container").write_text("[Container]\nImage=localhost/t\n")
    told = [str(problem) for problem in units_of("", tmp_path).problems]
    assert told and not [line for line in told if "\n" in line]
