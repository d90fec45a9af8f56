"""`podpy quadlet install` from web servers, archives and directories, and what a bad source or a kill leaves."""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.quadlet.test_commands import NO_RELOAD, Home
from tests.support import wait
from tests.support.engine import Podpy

SIMPLE = "[Container]\nImage=localhost/t\n"
WEB = "[Container]\nImage=localhost/t\nVolume=data.volume:/d\nEnvironmentFile=./web.env\n"
DATA = "[Volume]\n"
SEVERAL = f"# FileName=web\n{WEB}---\n# FileName=data\n{DATA}"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a directory and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def home(podpy: Podpy) -> Home:
    return Home(podpy)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a web server with the files of `tmp_path`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def install(home: Home, *words: str) -> list[str]:
    return home.podpy.ok("quadlet", "install", NO_RELOAD, *words).splitlines()


def archive(path: Path, files: dict[str, str], **more: tarfile.TarInfo) -> str:
    """Write a tar of files, and of members as they are; return its path."""
    with tarfile.open(path, "w:gz" if path.suffix != ".tar" else "w") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o640
            tar.addfile(member, io.BytesIO(text.encode()))
        for member in more.values():
            tar.addfile(member)
    path.chmod(0o644)
    return str(path)


def test_files_come_from_a_web_server_with_what_belongs_to_them(home: Home, address: str, tmp_path: Path) -> None:
    for name, text in (("web.container", WEB), ("data.volume", DATA), ("web.env", "A=1\n"), ("all.quadlets", SEVERAL)):
        (tmp_path / name).write_text(text)
    install(home, f"{address}/web.container?download=1", f"{address}/data.volume", f"{address}/web.env")
    assert home.names == [".web.container.asset", "data.volume", "web.container", "web.env"]
    assert (home.installed / "web.env").read_text() == "A=1\n"
    home.podpy.ok("quadlet", "rm", NO_RELOAD, "web.container", "data.volume")
    assert home.names == []
    install(home, f"{address}/all.quadlets", f"{address}/web.env")
    assert home.names == [".web.container.asset", "data.volume", "web.container", "web.env"]


def test_a_web_server_that_has_nothing_changes_nothing(home: Home, address: str, tmp_path: Path) -> None:
    (tmp_path / "web.container").write_text(WEB)
    (tmp_path / "big.volume").write_text("#" * (1 << 20) + "\n[Volume]\n")
    for name, told in (
        ("none.container", "the server answered 404"),
        ("none.txt", "no name of a Quadlet file"),
        ("", "no name of a Quadlet file"),
        ("big.volume", "is too big"),
    ):
        home.podpy("quadlet", "install", NO_RELOAD, f"{address}/{name}").fails(125, told)
    home.podpy("quadlet", "install", NO_RELOAD, f"{address}/web.container", f"{address}/none.env").fails(125, "404")
    home.podpy("quadlet", "install", NO_RELOAD, "http://127.0.0.1:1/a.container").fails(125, "Connection refused")
    assert not home.installed.exists() or home.names == []


@pytest.mark.parametrize("name", ["shop.tar", "shop.tar.gz", "shop.tgz"])
def test_an_archive_is_an_application(home: Home, tmp_path: Path, name: str) -> None:
    files = {"shop-1.0/web.container": WEB, "shop-1.0/data.volume": DATA, "shop-1.0/web.env": "A=1\n"}
    path = archive(home.podpy.home / name, files)
    home.podpy("quadlet", "install", NO_RELOAD, path).fails(125, "application name cannot be empty")
    install(home, "--application", "shop", path)
    assert home.names == ["shop/data.volume", "shop/web.container", "shop/web.env"]
    assert {file.name: file.stat().st_mode & 0o777 for file in (home.installed / "shop").iterdir()} == {
        "data.volume": 0o644,
        "web.container": 0o644,
        "web.env": 0o640,
    }
    home.podpy.ok("quadlet", "rm", NO_RELOAD, "--recursive", "shop")
    assert home.names == []


def test_an_archive_cannot_lead_out_of_its_directory(home: Home) -> None:
    link = tarfile.TarInfo("x.env")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    base = home.podpy.home
    for files, more, told in (
        ({"../up.container": WEB}, {}, "is no name of a file"),
        ({"/abs/x.volume": DATA}, {}, "is no name of a file"),
        ({"a.volume": DATA}, {"link": link}, "is no regular file"),
    ):
        path = archive(base / "bad.tar", files, **more)
        home.podpy("quadlet", "install", NO_RELOAD, "--application", "bad", path).fails(125, told)
    for raw, told in ((b"no tar", "no tar archive"), (gzip.compress(bytes(17 << 20)), "is too big"),
                      (b"\x1f\x8b\x08broken" * 9, "bad.tar")):  # fmt: skip
        (base / "bad.tar").write_bytes(raw)
        failed = home.podpy("quadlet", "install", NO_RELOAD, "--application", "bad", str(base / "bad.tar"))
        failed.fails(125, told)
        assert len(failed.complaints) == 1
    assert not home.installed.exists() or home.names == []


def test_links_of_a_directory_lead_to_what_is_in_it(home: Home) -> None:
    source = Path(home.lay_out(f"=== web@.container\n{SIMPLE}=== web@one.container -> web@.container"))
    install(home, "--application", "shop", str(source))
    assert home.names == ["shop/web@.container", "shop/web@one.container"]
    (source / "hosts").symlink_to("/etc/hosts")
    failed = home.podpy("quadlet", "install", NO_RELOAD, "--replace", "--application", "shop", str(source))
    failed.fails(125, f"{source}/hosts leads out of the directory", "Hint: Put a copy")
    (source / "hosts").unlink()
    (source / "loop").symlink_to(source)
    home.podpy("quadlet", "install", NO_RELOAD, "--replace", "--application", "shop", str(source)).fails(125, "loop")


def test_what_came_with_a_file_goes_with_it_unless_another_one_has_it(home: Home) -> None:
    source = home.lay_out(f"=== a.container\n{SIMPLE}=== b.container\n{SIMPLE}=== own.env\n=== both.env\n")
    install(home, f"{source}/a.container", f"{source}/own.env", f"{source}/both.env")
    install(home, "--replace", f"{source}/b.container", f"{source}/both.env")
    home.podpy.ok("quadlet", "rm", NO_RELOAD, "a.container")
    assert home.names == [".b.container.asset", "b.container", "both.env"]
    home.podpy.ok("quadlet", "rm", NO_RELOAD, "b.container")
    assert home.names == []


def test_an_error_in_the_middle_takes_back_what_is_new(home: Home) -> None:
    source = home.lay_out(f"=== a.container\n{SIMPLE}=== z.container\n{SIMPLE}"
                          "=== old.volume\n[Volume]\n")  # fmt: skip
    install(home, f"{source}/old.volume")
    (home.installed / "z.container").mkdir()  # so no file can have this name
    words = [f"{source}/{name}" for name in ("a.container", "z.container")]
    failed = home.podpy("quadlet", "install", NO_RELOAD, "--replace", *words)
    failed.fails(125, f"{home.installed}/z.container")
    assert home.names == ["old.volume"]


def test_an_application_is_not_installed_through_a_link(home: Home, tmp_path: Path) -> None:
    source = home.lay_out(f"=== a.container\n{SIMPLE}")
    home.installed.mkdir(parents=True)
    (home.installed / "shop").symlink_to(tmp_path)
    home.podpy("quadlet", "install", NO_RELOAD, "--application", "shop", source).fails(125, "shop is a link")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_without_files_of_quadlet_is_told(home: Home) -> None:
    source = home.lay_out("=== a.txt\nx\n")
    home.podpy("quadlet", "install", NO_RELOAD, "--application", "x", source).fails(125, "no file of Quadlet is there")


def test_names_with_blanks_are_told_or_work(home: Home) -> None:
    source = Path(home.lay_out(f"=== my web.container\n{SIMPLE}=== ok.container\n{SIMPLE}"))
    home.podpy("quadlet", "install", NO_RELOAD, str(source / "my web.container")).fails(125, "can't be a unit's name")
    (source / "my web.container").write_text("[Container]\nImage=localhost/t\nServiceName=web\n")
    install(home, str(source / "my web.container"))
    assert home.podpy.ok("quadlet", "list", "--format", "{{.Name}} {{.UnitName}}") == "my web.container web.service"
    install(home, "--application", "my shop", str(source / "ok.container"))
    assert home.podpy.ok("quadlet", "rm", NO_RELOAD, "--recursive", "my shop") == "ok.container"
    home.podpy.ok("quadlet", "rm", NO_RELOAD, "my web.container")
    assert home.names == []


def test_a_directory_that_cannot_be_written_to_is_told(home: Home) -> None:
    source = home.lay_out("=== a.volume\n[Volume]\n")
    home.installed.mkdir(parents=True)
    home.installed.chmod(0o555)
    home.podpy("quadlet", "install", NO_RELOAD, f"{source}/a.volume").fails(125, str(home.installed))
    assert home.podpy.ok("quadlet", "list", "-n") == ""


def test_a_kill_leaves_whole_files_and_nothing_for_longer_than_the_next_call(home: Home) -> None:
    source = Path(home.lay_out("".join(f"=== v{n}.volume\n[Volume]\nLabel=n={n}\n" for n in range(200))))
    words = [str(source / f"v{n}.volume") for n in range(200)]
    staging = home.installed / ".podpy-install.d"
    process = home.podpy.popen("quadlet", "install", NO_RELOAD, *words, stdout=subprocess.DEVNULL)
    wait.until(lambda: staging.exists() or process.poll() is not None, what="it has begun to write")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    listed = home.podpy.ok("quadlet", "list", "--format", "{{.Name}}").split()
    assert not staging.exists()
    for name in listed:
        assert (home.installed / name).read_text() == (source / name).read_text()
    install(home, "--replace", *words)
    assert len(home.names) == 200
