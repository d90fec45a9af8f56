"""`podpy quadlet`, as a user of a machine without a manager of his own (--reload-systemd=false)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.quadlet.bundle import lay_out
from tests.support.engine import Podpy

WEB = "=== web.container\n[Container]\nImage=localhost/t\nVolume=data.volume:/d\n=== data.volume\n[Volume]\n"
NO_RELOAD = "--reload-systemd=false"


class Home:
    """A user's directory of Quadlet's files, and a directory to install from."""

    def __init__(self, podpy: Podpy) -> None:
        self.podpy = podpy
        self.installed = podpy.home / ".config/containers/systemd"
        self.source = podpy.home / "source"

    def lay_out(self, bundle: str) -> str:
        """Write files to install from, which the user may read; return their directory."""
        lay_out(bundle, self.source)
        for path in [self.source, *self.source.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        return str(self.source)

    @property
    def names(self) -> list[str]:
        """What is installed."""
        return sorted(str(path.relative_to(self.installed)) for path in self.installed.rglob("*") if path.is_file())


@pytest.fixture
def home(podpy: Podpy) -> Home:
    return Home(podpy)


def test_files_are_installed_listed_printed_and_removed(home: Home) -> None:
    source = home.lay_out(WEB)
    podpy = home.podpy
    paths = podpy.ok("quadlet", "install", NO_RELOAD, f"{source}/web.container", f"{source}/data.volume")
    assert paths.splitlines() == [f"{home.installed}/web.container", f"{home.installed}/data.volume"]
    listed = [line.split() for line in podpy.ok("quadlet", "ls").splitlines()]
    assert listed == [
        "NAME UNIT NAME PATH ON DISK STATUS APPLICATION POD".split(),
        ["data.volume", "data-volume.service", f"{home.installed}/data.volume", "Not", "loaded"],
        ["web.container", "web.service", f"{home.installed}/web.container", "Not", "loaded"],
    ]
    assert podpy.ok("quadlet", "print", "web.container") + "\n" == Path(source, "web.container").read_text()
    unit = podpy.ok("quadlet", "print", "--unit", "web.container")
    assert unit.startswith(f"# {podpy.launcher} run --name systemd-%N --replace --rm ")
    assert "Requires=data-volume.service" in unit
    assert podpy.ok("quadlet", "rm", NO_RELOAD, "web.container") == "web.container"
    assert home.names == ["data.volume"]


def test_a_broken_file_installs_nothing(home: Home) -> None:
    source = home.lay_out(WEB + "=== bad.container\n[Container]\nImage=localhost/t\nLable=x\n")
    files = [f"{source}/{name}" for name in ("web.container", "data.volume", "bad.container")]
    failed = home.podpy("quadlet", "install", NO_RELOAD, *files)
    failed.fails(125, f"Error: {source}/bad.container:3: unsupported key 'Lable'", "(did you mean Label?)")
    assert not home.installed.exists()


def test_what_a_file_needs_must_be_there_or_come_along(home: Home) -> None:
    source = home.lay_out(WEB)
    alone = home.podpy("quadlet", "install", NO_RELOAD, f"{source}/web.container")
    alone.fails(125, "requested Quadlet source data.volume was not found")
    home.podpy.ok("quadlet", "install", NO_RELOAD, f"{source}/data.volume")
    home.podpy.ok("quadlet", "install", NO_RELOAD, f"{source}/web.container")


def test_a_file_that_is_there_is_replaced_only_if_that_is_asked_for(home: Home) -> None:
    source = home.lay_out("=== a.container\n[Container]\nImage=localhost/one\nExec=a long one\n")
    home.podpy.ok("quadlet", "install", NO_RELOAD, f"{source}/a.container")
    Path(source, "a.container").write_text("[Container]\nImage=localhost/two\n")
    again = home.podpy("quadlet", "install", NO_RELOAD, f"{source}/a.container")
    again.fails(125, "a Quadlet with name a.container already exists, refusing to overwrite", "Hint: --replace")
    home.podpy.ok("quadlet", "install", NO_RELOAD, "--replace", f"{source}/a.container")
    assert (home.installed / "a.container").read_text() == "[Container]\nImage=localhost/two\n"
    assert home.names == ["a.container"]


def test_a_directory_is_an_application(home: Home) -> None:
    source = home.lay_out(WEB + "=== conf/nginx.conf\nx\n=== web.container.d/10-x.conf\n[Container]\nLabel=a=b\n")
    home.podpy("quadlet", "install", NO_RELOAD, source).fails(
        125, "application name cannot be empty when installing from directory"
    )
    home.podpy.ok("quadlet", "install", NO_RELOAD, "--application", "shop", source)
    assert home.names == [
        "shop/conf/nginx.conf",
        "shop/data.volume",
        "shop/web.container",
        "shop/web.container.d/10-x.conf",
    ]
    assert home.podpy.ok("quadlet", "ls", "--format", "{{.Name}} {{.App}}") == "data.volume shop\nweb.container shop"
    home.podpy("quadlet", "rm", NO_RELOAD, "web.container").fails(
        125, 'refusing to remove application "shop": recursive option is not set'
    )
    removed = home.podpy.ok("quadlet", "rm", NO_RELOAD, "--recursive", "shop")
    assert sorted(removed.splitlines()) == ["data.volume", "web.container"]
    assert list(home.installed.iterdir()) == []


@pytest.mark.parametrize("name", ["../up", ".", "a.container", "x.d"])
def test_an_application_stays_where_it_belongs(home: Home, name: str) -> None:
    source = home.lay_out(WEB)
    home.podpy("quadlet", "install", NO_RELOAD, "--application", name, source).fails(125, "invalid application name")


def test_several_files_in_one(home: Home) -> None:
    several = "# FileName=web\n[Container]\nImage=localhost/t\nVolume=d.volume:/d\n---\n# FileName=d\n[Volume]\n"
    source = home.lay_out(f"=== shop.quadlets\n{several}")
    home.podpy.ok("quadlet", "install", NO_RELOAD, f"{source}/shop.quadlets")
    assert home.names == ["d.volume", "web.container"]
    Path(source, "shop.quadlets").write_text("[Container]\nImage=localhost/t\n")
    home.podpy("quadlet", "install", NO_RELOAD, f"{source}/shop.quadlets").fails(
        125, "section 1: missing required '# FileName=<name>' comment at the beginning of quadlet section"
    )
    Path(source, "shop.quadlets").write_text("# FileName=../x\n[Container]\nImage=localhost/t\n")
    home.podpy("quadlet", "install", NO_RELOAD, f"{source}/shop.quadlets").fails(125, "'../x' is no name of a file")


def test_only_quadlets_files_begin_an_install(home: Home) -> None:
    source = home.lay_out("=== a.txt\nx\n")
    home.podpy("quadlet", "install", NO_RELOAD, f"{source}/a.txt").fails(
        125, '".txt" is not a supported Quadlet file type'
    )
    home.podpy("quadlet", "install", NO_RELOAD, f"{source}/no.container").fails(125, "no such file or directory")


def test_verify_tells_mistakes_for_people_and_editors(home: Home) -> None:
    source = home.lay_out(WEB + "=== bad.container\n[Container]\nImage=alpine\nPublishPorts=80\n")
    wrong = home.podpy("quadlet", "verify", source)
    assert wrong.returncode == 1
    assert [line.partition(" (")[0] for line in wrong.stdout.splitlines()] == [
        f"{source}/bad.container:3: unsupported key 'PublishPorts' in group 'Container'",
        f'{source}/bad.container:2: warning: the image "alpine" is not a fully qualified image name: what it means'
        " depends on registries.conf",
    ]
    found = json.loads(home.podpy("quadlet", "verify", "--format", "json", f"{source}/bad.container").stdout)
    assert found["files"] == 1
    assert found["problems"][0] == {
        "file": f"{source}/bad.container",
        "line": 3,
        "key": "PublishPorts",
        "severity": "error",
        "message": "unsupported key 'PublishPorts' in group 'Container'",
        "hint": "did you mean PublishPort?",
    }
    assert home.podpy.ok("quadlet", "verify", f"{source}/data.volume") == ""
    home.podpy("quadlet", "verify", f"{source}/nothing.pod").fails(125, "no such file or directory")


def test_filters_and_columns(home: Home) -> None:
    source = home.lay_out(WEB + "=== p.pod\n[Pod]\n=== m.container\n[Container]\nImage=localhost/t\nPod=p.pod\n")
    home.podpy.ok("quadlet", "install", NO_RELOAD, "--application", "shop", source)
    name = ("--format", "{{.Name}}")
    assert home.podpy.ok("quadlet", "list", *name, "--filter", "pod=p") == "m.container"
    assert home.podpy.ok("quadlet", "list", *name, "--filter", "name=^[dp]") == "data.volume\np.pod"
    assert home.podpy.ok("quadlet", "list", *name, "--filter", "status=running") == ""
    assert home.podpy.ok("quadlet", "list", "-n", "-f", "name=p.pod").split()[0] == "p.pod"
    assert json.loads(home.podpy.ok("quadlet", "ls", "--format", "json"))[0]["UnitName"] == "data-volume.service"
    home.podpy("quadlet", "list", "-f", "x=1").fails(125, "x is not a valid filter")
    home.podpy("quadlet", "list", "-f", "name=(").fails(125, "no regular expression")


def test_removal_of_what_is_not_there(home: Home) -> None:
    home.podpy("quadlet", "rm", NO_RELOAD).fails(125, "must provide at least 1 quadlet to remove")
    home.podpy("quadlet", "rm", NO_RELOAD, "no.container").fails(125, "no such quadlet no.container")
    assert home.podpy.ok("quadlet", "rm", NO_RELOAD, "--ignore", "no.container") == "no.container"
    home.podpy("quadlet", "print", "no.container").fails(
        125, 'could not locate quadlet "no.container" in any supported quadlet directory'
    )


def test_all_of_a_users_files_are_removed(home: Home) -> None:
    source = home.lay_out(WEB)
    home.podpy.ok("quadlet", "install", NO_RELOAD, f"{source}/data.volume")
    home.podpy.ok("quadlet", "install", NO_RELOAD, "--application", "shop", source, "--replace")
    removed = home.podpy.ok("quadlet", "rm", NO_RELOAD, "--all", "--recursive")
    assert "web.container" in removed.splitlines()
    assert home.podpy.ok("quadlet", "list", "-n") == ""
