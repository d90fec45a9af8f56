"""Where a build's result goes: --output, and what is said about the Dockerfile."""

from __future__ import annotations

import io
import tarfile

from tests.build.building import Builder

TEXT = "FROM localhost/busybox AS made\nRUN mkdir /o; echo 1 > /o/1; chmod 755 /o/1; chown 5:6 /o/1; ln -s 1 /o/l\n"
RESULT = TEXT + "FROM scratch\nCOPY --from=made /o /\n"


def test_files_are_written_elsewhere(build: Builder) -> None:
    out = build(RESULT, "-o", "out", "-t", "x", base="", cwd=build.podpy.home).ok()
    assert "COMMIT" not in out and "tagged" not in out
    target = build.podpy.home / "out"
    assert sorted(path.name for path in target.iterdir()) == ["1", "l"]
    assert (target / "1").stat().st_uid == build.podpy.user.uid
    assert (target / "1").stat().st_mode & 0o777 == 0o755
    assert (target / "l").readlink().name == "1"
    assert "localhost/x" not in build.podpy.ok("images")
    build(RESULT, "--output", "type=tar,dest=x.tar", base="", cwd=build.podpy.home).ok()
    with tarfile.open(build.podpy.home / "x.tar") as archive:
        assert archive.getnames() == ["1", "l"]
        assert (archive.getmember("1").uid, archive.getmember("1").gid) == (5, 6)
    build.write({"Dockerfile": RESULT})
    command = build.podpy.command("build", "-o", "-", str(build.context))
    piped = build.podpy.run(["sh", "-c", '"$@" > piped.tar', "sh", *command]).ok()
    assert piped == ""
    data = (build.podpy.home / "piped.tar").read_bytes()
    assert tarfile.open(fileobj=io.BytesIO(data)).getnames() == ["1", "l"]  # noqa: SIM115


def test_archives_are_written(build: Builder) -> None:
    for kind in ("oci", "docker"):
        output = f"type={kind},dest={kind}.tar"
        build(RESULT, "-t", "named:1", "--output", output, base="", cwd=build.podpy.home).ok()
        assert build.podpy("inspect", "named:1").returncode != 0
        assert build.podpy.ok("load", "-i", f"{kind}.tar") == "Loaded image: localhost/named:1"
        build.podpy.ok("rmi", "named:1")
    again = build(RESULT, "--output", "type=docker,dest=docker.tar", base="", cwd=build.podpy.home).ok()
    assert build.podpy.ok("load", "-i", "docker.tar") == f"Loaded image: sha256:{again.split()[-1]}"
    assert [path.name for path in build.podpy.home.glob("docker.tar*")] == ["docker.tar"]


def test_wrong_outputs_are_refused(build: Builder) -> None:
    build("", "-o", "type=x,dest=y").fails(125, 'invalid type "x" selected for build output options')
    build("", "-o", "type=tar").fails(125, 'missing required key "dest"')


def test_a_dockerfile_is_checked(build: Builder) -> None:
    done = build("CMD a\nCMD b\nMAINTAINER me\n", "--check")
    assert done.returncode == 1
    assert "MultipleInstructionsDisallowed" in done.stdout and "MaintainerDeprecated" in done.stdout
    assert build("RUN true\n", "--check").ok() == ""
    build("MAINTAINER me\n", base="# check=error=true\nFROM localhost/busybox\n").fails(125, "lint violation found")
