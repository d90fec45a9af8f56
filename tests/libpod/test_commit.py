"""`podpy commit`: a container becomes an image."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

from tests.support.engine import Podpy, shared_directory

CHANGE = (
    "echo new > /new; ln /new /hard; rm /etc/group; mkdir /d; echo x > /d/x; chown 7:8 /d/x; chmod 4755 /d/x;"
    " rm -r /home; mkdir /home; echo h > /home/h"
)
DIGEST_LENGTH = 64


def config_of(podpy: Podpy, image: str) -> dict[str, object]:
    shown: dict[str, object] = podpy.json("image", "inspect", "--format", "{{json .Config}}", image)
    return shown


def test_what_a_container_changed_is_in_the_image(podpy: Podpy, busybox: str) -> None:
    shared = shared_directory(podpy)
    podpy.ok("run", "-d", "--name", "c", "-v", f"{shared}:/mnt", "-v", "/anon", busybox, "sh", "-c",
             f"{CHANGE}; touch /mnt/done; sleep 1000")  # fmt: skip
    podpy.ok("exec", "c", "sh", "-c", "until [ -e /mnt/done ]; do sleep 0.1; done")
    done = podpy("commit", "c", "made")
    assert done.stderr.splitlines()[-1] == "Writing manifest to image destination"
    identity = done.ok()
    assert len(identity) == DIGEST_LENGTH
    look = "cat /new /d/x /home/h; stat -c %h:%u:%g:%a /hard /d/x; ls /etc/group /home/user; ls -A /run /mnt"
    shown = podpy("run", "--rm", "made", "sh", "-c", look)
    assert shown.stdout.splitlines()[:5] == ["new", "x", "h", "2:0:0:644", "1:7:8:4755"]
    assert shown.stderr.count("No such file or directory") == 2
    assert "/anon" in json.dumps(config_of(podpy, "made")["Volumes"])
    assert "/mnt" not in json.dumps(config_of(podpy, "made")["Volumes"])
    history = podpy.json("history", "--format", "json", "made")
    assert (history[0]["comment"], history[0]["CreatedBy"]) == (f"FROM {busybox}", "/bin/sh")
    podpy.ok("stop", "-t", "0", "c")
    again = podpy.ok("commit", "-q", "c", "again")
    layers = [podpy.json("image", "inspect", "--format", "{{json .RootFS.Layers}}", name) for name in (identity, again)]
    assert layers[0] == layers[1]  # the same changes are the same layer


def test_an_image_goes_out_and_in_again(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "--name", "c", busybox, "sh", "-c", CHANGE)
    identity = podpy.ok("commit", "-q", "c", "made")
    for kind in ("docker-archive", "oci-archive"):
        podpy.ok("save", "-q", "--format", kind, "-o", f"{kind}.tar", "made")
    podpy.ok("rm", "c")
    podpy.ok("rmi", "made", busybox)
    for kind in ("docker-archive", "oci-archive"):
        podpy.ok("load", "-q", "-i", f"{kind}.tar")
        assert podpy.ok("image", "inspect", "--format", "{{.Id}}", "made") == identity
        assert podpy.ok("run", "--rm", "made", "cat", "/home/h") == "h"
        podpy.ok("rmi", "made")
    assert podpy.ok("system", "check") == ""


def test_the_configuration_is_the_containers_over_the_images(podpy: Podpy, busybox: str) -> None:
    changes = ("ENV A=1 B='two words'", "LABEL l=image", "VOLUME /data", "EXPOSE 80", "STOPSIGNAL SIGINT",
               "WORKDIR /usr",
               'HEALTHCHECK --interval=5s --retries=2 CMD ["true"]',
               'ENTRYPOINT ["/bin/sh"]')  # fmt: skip
    podpy.ok("create", "--name", "base", busybox, "true")
    given = [word for change in changes for word in ("-c", change)]
    podpy.ok("commit", "-q", *given, "base", "one")
    podpy.ok("create", "--name", "c", "-e", "A=2", "-e", "C=3", "-u", "5:6", "--label", "l=mine", "-p", "8080:81",
             "one", "-c", "id")  # fmt: skip
    podpy.ok("commit", "-q", "c", "two")
    config = config_of(podpy, "two")
    assert config["Env"] == ["PATH=/bin:/usr/bin:/sbin:/usr/sbin", "A=2", "B=two words", "C=3"]
    assert (config["Entrypoint"], config["Cmd"]) == (["/bin/sh"], ["-c", "id"])
    assert (config["User"], config["WorkingDir"], config["StopSignal"]) == ("5:6", "/usr", "SIGINT")
    assert config["Labels"] == {"l": "mine"}
    assert config["Volumes"] == {"/data": {}}
    assert config["ExposedPorts"] == {"80/tcp": {}, "81/tcp": {}}
    health = podpy.json("image", "inspect", "--format", "{{json .HealthCheck}}", "two")
    assert health == {"Test": ["CMD", "true"], "Interval": 5_000_000_000, "Retries": 2}
    podpy.ok("commit", "-q", "-c", "CMD echo hi", "c", "three")
    assert config_of(podpy, "three")["Cmd"] == ["/bin/sh", "-c", "echo hi"]
    assert "Entrypoint" not in config_of(podpy, "three")


def test_docker_format_squash_and_files(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "--name", "c", busybox, "sh", "-c", CHANGE)
    (podpy.home / "config.json").write_text('{"Cmd": ["id"], "Labels": {"from": "file"}, "Hostname": "h"}')
    identity = podpy.ok("commit", "-q", "-f", "docker", "-m", "a message", "-a", "me", "-s", "--iidfile", "iid",
                        "--config", "config.json", "c", "squashed")  # fmt: skip
    assert (podpy.home / "iid").read_text() == identity
    shown = podpy.json("image", "inspect", "squashed")[0]
    assert (shown["Comment"], shown["Author"], len(shown["RootFS"]["Layers"])) == ("a message", "me", 1)
    assert shown["ManifestType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert (shown["Config"]["Cmd"], shown["Config"]["Labels"]) == (["id"], {"from": "file"})
    assert podpy.ok("run", "--rm", "squashed", "cat", "/home/h", "/etc/passwd").startswith("h\nroot:")


def test_owners_are_those_inside(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "--name", "c", "--userns", "keep-id", "--user", "root", busybox, "sh", "-c", CHANGE)
    podpy.ok("commit", "-q", "c", "made")
    assert podpy.ok("run", "--rm", "made", "stat", "-c", "%u:%g", "/d/x", "/new", "/").split() == ["7:8", "0:0", "0:0"]


def test_with_the_vfs_driver_it_is_the_same(podpy: Podpy, busybox: str) -> None:
    vfs = {"PODPY_STORAGE_DRIVER": "vfs"}
    podpy.ok("run", "--name", "c", busybox, "sh", "-c", CHANGE, env=vfs)
    podpy.ok("commit", "-q", "c", "made", env=vfs)
    look = "cat /new /d/x /home/h; stat -c %h:%u:%g:%a /hard /d/x; ls /etc/group /home/user"
    shown = podpy("run", "--rm", "made", "sh", "-c", look)
    assert shown.stdout.splitlines() == ["new", "x", "h", "2:0:0:644", "1:7:8:4755"]
    assert shown.stderr.count("No such file or directory") == 2


def test_what_makes_no_sense_is_refused(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "c", busybox, "true")
    podpy("commit", "nosuch").fails(125, 'no container with name or ID "nosuch" found: no such container')
    podpy("commit", "-m", "x", "c").fails(125, "messages are only compatible with the docker image format (-f docker)")
    podpy("commit", "-f", "rar", "c").fails(125, 'unrecognized image format "rar"')
    podpy("commit", "c", "UPPER").fails(125, "repository name must be lowercase")
    podpy("commit", "-c", "RUN true", "c").fails(125, 'invalid change "RUN true"')
    podpy("commit", "--config", "nowhere", "c").fails(125, "--config: open nowhere: no such file or directory")
    assert podpy.ok("images", "-q", "--filter", "dangling=true") == ""


def test_a_kill_leaves_nothing(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "--name", "c", busybox, "sh", "-c", CHANGE)
    before = podpy.ok("images", "--format", "{{.Id}}")
    for point in ("commit:synced:before", "commit:renamed", "commit:inserted"):
        assert podpy("commit", "-q", "c", "made", env={"PODPY_CRASH_AT": point}).returncode == -9
        assert podpy.ok("images", "--format", "{{.Id}}") == before
    podpy.ok("commit", "-q", "c", "made")
    podpy.ok("rmi", "made")
    assert podpy.ok("system", "check") == ""
    assert len(os.listdir(podpy.graphroot / "layers")) == 1


def test_a_container_that_cant_be_thawed_is_paused_for_all_to_see(podpy: Podpy, busybox: str) -> None:
    runtime = podpy.home / "runtime"
    runtime.write_text(
        """#!/bin/sh
        case "$*" in
            *" pause "*) exit 0 ;;
            *" resume "*) [ ! -e thaws ] && { echo no thaw today >&2; exit 1; } || exit 0 ;;
            *" state "*) echo '{"status": "paused"}' ;;
        esac
        """
    )
    runtime.chmod(0o755)
    podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "1000")
    done = podpy(f"--runtime={runtime}", "commit", "-q", "c", "made")
    done.ok()
    (told,) = done.warnings
    assert told.startswith("container c is still paused (podpy unpause c lets it go on): ") and "no thaw" in told
    assert podpy.ok("inspect", "--format={{.State.Status}}", "c") == "paused"
    (podpy.home / "thaws").touch()
    podpy.ok(f"--runtime={runtime}", "unpause", "c")
    assert podpy.ok("inspect", "--format={{.State.Status}}", "c") == "running"
    podpy.ok("rm", "-f", "-t0", "c")


def test_a_container_is_thawed_though_the_process_that_is_to_do_so_was_killed(podpy: Podpy, busybox: str) -> None:
    runtime = podpy.home / "runtime"
    runtime.write_text(
        """#!/bin/sh
        case "$*" in
            *" pause "*)
                for other in $(cat /proc/$PPID/task/$PPID/children); do [ $other = $$ ] || kill -9 $other; done ;;
            *" resume "*) touch thawed ;;
        esac
        """
    )
    runtime.chmod(0o755)
    podpy.ok("run", "-d", "--name=c", "--network=none", busybox, "sleep", "1000")
    podpy.ok(f"--runtime={runtime}", "commit", "-q", "c", "made")
    assert (podpy.home / "thawed").exists()


def test_a_file_that_would_be_a_whiteout_is_an_error(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    podpy.ok("run", "--name", "c", busybox, "touch", "/usr/.wh.name")
    podpy("commit", "c", "made").fails(125, "usr/.wh.name: in a layer, names that begin with .wh. stand for what")
    podpy.ok("export", "-o", "c.tar", "c")
    with tarfile.open(podpy.home / "c.tar") as tar:
        assert "usr/.wh.name" in tar.getnames()
