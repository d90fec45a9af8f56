"""`--mount type=image` and `type=artifact`: files of the store in a container."""

from __future__ import annotations

import pytest

from tests.support.engine import Podpy

QUICK = ("run", "--rm", "--network=none")


def test_an_image_is_seen_and_not_written_unless_that_is_asked_for(podpy: Podpy, busybox: str) -> None:
    mount = f"type=image,src={busybox},dst=/m"
    script = "test -e /m/etc/passwd && ls /m/bin/busybox; touch /m/x 2>&1"
    lines = podpy(*QUICK, "--mount", mount, busybox, "sh", "-c", script).stdout.splitlines()
    assert lines[0] == "/m/bin/busybox" and "Read-only file system" in lines[1]
    podpy.ok("create", "--name=c", "--network=none", "--mount", f"{mount},rw=true", busybox, "sh", "-c", "echo >> /m/x")
    for _ in range(2):
        podpy.ok("start", "--attach", "c")
    assert podpy.ok(*QUICK, "--mount", mount, busybox, "ls", "/m").split().count("x") == 0
    (shown,) = podpy.json("inspect", "--format={{json .Mounts}}", "c")
    assert (shown["Type"], shown["Source"], shown["RW"], shown["Options"]) == ("image", busybox, True, None)


def test_a_part_of_an_image_is_seen_and_no_link_leads_out_of_it(podpy: Podpy, busybox: str) -> None:
    def part(path: str) -> tuple[str, ...]:
        return (*QUICK, "--mount", f"type=image,src={busybox},dst=/m,subpath={path}", busybox, "ls", "/m")

    assert "passwd" in podpy.ok(*part("/etc")).split()
    podpy(*part("etc")).fails(125, 'volume subpath "etc" must be an absolute path')
    podpy(*part("/nosuch")).fails(125, 'subpath "nosuch" of image')
    podpy(*part("/etc/../..")).fails(125, 'must be without ".."')


@pytest.mark.parametrize("userns", ["keep-id", "nomap"])
def test_an_image_in_a_user_namespace_of_its_own_keeps_its_owners(podpy: Podpy, busybox: str, userns: str) -> None:
    mount = f"type=image,src={busybox},dst=/m"
    shown = podpy.ok(*QUICK, f"--userns={userns}", "--mount", mount, busybox, "stat", "-c", "%u", "/m/etc", "/etc")
    assert shown.split() == ["0", "0"]


def test_an_image_that_a_container_mounts_stays(podpy: Podpy, busybox: str) -> None:
    podpy.ok("tag", busybox, "localhost/other:1")
    missing = ("create", "--mount", "type=image,src=nosuch,dst=/m", busybox)
    podpy(*missing).fails(125, 'creating image volume "nosuch":"/m": nosuch: image not known')
    podpy.ok("create", "--name=c", "--mount=type=image,src=localhost/other:1,dst=/m", "--rootfs", "/", "true")
    podpy.ok("rmi", "localhost/other:1")
    podpy("rmi", busybox).fails(2, "in use")
    assert podpy.ok("image", "prune", "--all", "--force") == ""
    podpy.ok("rm", "c")
    podpy.ok("rmi", busybox)


def test_an_artifacts_files_are_in_the_container(podpy: Podpy, busybox: str) -> None:
    podpy.run(["sh", "-c", "echo one > one.txt; echo two > two.txt; chmod 600 one.txt"]).ok()
    podpy.ok("artifact", "add", "localhost/two:1", "one.txt", "two.txt")
    podpy.ok("artifact", "add", "localhost/one:1", "one.txt")

    def run(script: str, source: str, *more: str) -> list[str]:
        mount = ",".join(("type=artifact", f"src={source}", *more))
        return podpy(*QUICK, "--user=77", "--mount", mount, busybox, "sh", "-c", script).stdout.splitlines()

    assert run("cd /m; ls; cat one.txt; echo x > one.txt || echo no", "two:1", "dst=/m")[:3] == [
        "one.txt", "two.txt", "one",
    ]  # fmt: skip
    assert run("cat /m", "two:1", "dst=/m", "title=two.txt") == ["two"]
    assert run("ls /etc | grep x-", "two:1", "dst=/etc", "name=x") == ["x-0", "x-1"]
    assert run("cat /new/place; echo > /new/place || echo refused", "one:1", "dst=/new/place") == ["one", "refused"]
    assert run("cat /tmp/one.txt", "one:1", "dst=/tmp") == ["one"]
    digest = podpy.json("artifact", "inspect", "one:1")["Manifest"]["layers"][0]["digest"]
    assert run("cat /m", "two:1", "dst=/m", f"digest={digest}") == ["one"]


@pytest.mark.parametrize(
    ("mount", "told"),
    [
        ("src=two:1,dst=/etc/passwd", 'contains more than one blob and container path "/etc/passwd" is a file'),
        ("src=two:1,dst=/m,title=no", 'no blob with the title "no"'),
        ("src=two:1,dst=/m,title=a,digest=b", "cannot specify both digest and title"),
        ("src=nosuch,dst=/m", "nosuch: artifact does not exist"),
        ("src=two:1,dst=/m,name=a/b", "can't be a file in a directory"),
        ("src=two:1", "must set source and destination for artifact volume"),
        ("src=two:1,dst=/m,ro", "ro: invalid mount option"),
        ("src=two:1,dst=/m,title", "title: must provide an argument for option"),
    ],
)
def test_mistakes_in_mounts_of_artifacts(podpy: Podpy, busybox: str, mount: str, told: str) -> None:
    podpy.run(["sh", "-c", "echo one > one.txt; echo two > two.txt"]).ok()
    podpy.ok("artifact", "add", "localhost/two:1", "one.txt", "two.txt")
    podpy(*QUICK, "--mount", f"type=artifact,{mount}", busybox, "true").fails(125, told)
