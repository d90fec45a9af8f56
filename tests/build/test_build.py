"""`podpy build`: a Dockerfile becomes an image that runs."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile

import pytest

from tests.build.building import Builder
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX

ID_LENGTH = 64


def test_an_image_is_built_and_runs(build: Builder) -> None:
    build.write({"a.txt": "A", "d/b": "B", "d/sub/c": "C"})
    done = build(
        'ARG V=1\nENV A=b C="d e"\nRUN echo hi $V "$C" > /f; echo out; echo err >&2\nCOPY a.txt d /data/\n'
        'WORKDIR /w/x\nRUN pwd > here\nLABEL x=y\nCMD ["cat", "/f"]\n',
        "-t", "web", "-t", "web:2",
    )  # fmt: skip
    lines = done.ok().splitlines()
    assert lines[0] == "STEP 1/9: FROM localhost/busybox"
    assert lines[1:3] == ["STEP 2/9: ARG V=1", lines[2]]
    assert lines[2].startswith("--> ")
    assert "out" in lines and done.stderr.splitlines()[-1] == "err"
    assert lines[-5:-2] == ["COMMIT web", f"--> {lines[-1][:12]}", "Successfully tagged localhost/web:latest"]
    assert lines[-2] == "Successfully tagged localhost/web:2"
    assert len(lines[-1]) == ID_LENGTH
    assert build.podpy.ok("run", "--rm", "web") == "hi 1 d e"
    files = build.files("web:2")
    assert {"data/a.txt", "data/b", "data/sub/c", "w/x/here", "f"} <= {*files}
    assert build.read("web", "w/x/here") == b"/w/x\n"
    settings = build.config("web")
    assert settings["Cmd"] == ["cat", "/f"]
    assert settings["WorkingDir"] == "/w/x"
    assert settings["Labels"] == {"x": "y"}
    assert settings["Env"][-2:] == ["A=b", "C=d e"]
    history = build.podpy.json("history", "--format", "json", "web")
    assert [line["CreatedBy"] for line in history[:3]] == [
        '/bin/sh -c #(nop) CMD ["cat","/f"]', '/bin/sh -c #(nop) LABEL x="y"', "|1 V=1 /bin/sh -c pwd > here",
    ]  # fmt: skip
    assert history[-2]["comment"] == f"FROM {BUSYBOX}"
    assert build.podpy.ok("ps", "-aq") == ""
    assert build.podpy.ok("system", "check") == ""


def test_steps_are_hidden_until_they_are_asked_for(build: Builder) -> None:
    identity = build.ok("RUN touch /a\nRUN touch /b\n")
    shown = build.podpy.ok("images", "-q", "--no-trunc").splitlines()
    assert [*map(len, shown)] == [ID_LENGTH + 7] * 2
    assert f"sha256:{identity}" in shown
    assert len(build.podpy.ok("images", "-aq").splitlines()) == 3
    usage = build.podpy.json("system", "df", "--format", "json")
    assert [(line["Type"], line["Total"]) for line in usage if line["Type"] in ("Images", "Build Cache")] == [
        ("Images", 2), ("Build Cache", 1),
    ]  # fmt: skip
    assert build.podpy.ok("builder", "prune", "--force", "--dry-run") != ""
    assert build.podpy.ok("image", "prune", "--force") == identity
    assert "Total reclaimed space" in build.podpy.ok("builder", "prune", "--force")
    assert len(build.podpy.ok("images", "-aq").splitlines()) == 1


def test_what_an_image_says_comes_from_its_instructions(build: Builder) -> None:
    build.ok(
        "MAINTAINER me\nEXPOSE 80 443/udp 90-91\nVOLUME /v /w\nSTOPSIGNAL SIGINT\nUSER user\n"
        'SHELL ["/bin/sh", "-ec"]\nENTRYPOINT echo\nHEALTHCHECK --interval=5s --retries=2 CMD true\n'
        "ONBUILD RUN echo on > /tmp/on\nLABEL a=1 b='two words'\n",
        "-t", "x", "--label", "c=3", "--annotation", "org.x=y", "--env", "E=1",
    )  # fmt: skip
    settings = build.config("x")
    assert settings["ExposedPorts"] == {"80/tcp": {}, "443/udp": {}, "90/tcp": {}, "91/tcp": {}}
    assert settings["Volumes"] == {"/v": {}, "/w": {}}
    assert (settings["StopSignal"], settings["User"]) == ("SIGINT", "user")
    assert settings["Entrypoint"] == ["/bin/sh", "-ec", "echo"]
    assert "Cmd" not in settings
    assert settings["Labels"] == {"a": "1", "b": "two words", "c": "3"}
    assert "E=1" in settings["Env"]
    whole = build.podpy.json("image", "inspect", "x")[0]
    assert whole["Author"] == "me"
    assert whole["Healthcheck"]["Test"] == ["CMD-SHELL", "true"]
    assert whole["Annotations"]["org.x"] == "y"
    assert whole["Annotations"]["org.opencontainers.image.base.name"] == BUSYBOX
    lines = build("USER root\n", "-t", "y", base="FROM x\n").ok().splitlines()
    assert "STEP 2/3: RUN echo on > /tmp/on" in lines
    assert "tmp/on" in build.files("y")


STAGES = """FROM localhost/busybox AS first
RUN mkdir /out; echo 1 > /out/one; ln -s one /out/link; chown 7:8 /out/one; chmod 4750 /out/one
FROM localhost/busybox AS unused
RUN false
FROM first AS Second
RUN echo 2 > /out/two
FROM scratch
COPY --from=second /out /o
COPY --from=0 /out/one /one
COPY --from=localhost/busybox /etc/passwd /etc/
"""


def test_stages_give_each_other_files(build: Builder) -> None:
    lines = build(STAGES, "-t", "x", base="").ok().splitlines()
    assert lines[0] == "[1/4] STEP 1/2: FROM localhost/busybox AS first"
    assert not [line for line in lines if line.startswith("[2/4]")]
    assert lines[-4] == "[4/4] COMMIT x"
    files = build.files("x")
    assert {"o", "o/one", "o/two", "o/link", "one", "etc/passwd"} <= {*files}
    assert files["o/link"].linkname == "one"
    assert (files["o/one"].uid, files["o/one"].gid, files["o/one"].mode) == (7, 8, 0o4750)
    assert build.config("x").get("Cmd") is None
    again = build(STAGES, "-q", "--target", "SECOND", base="").ok()
    assert build.read(again, "out/two") == b"2\n"
    build(STAGES, "--target", "third", base="").fails(
        125, 'The target "third" was not found in the provided Dockerfile'
    )


def test_a_step_is_cached_by_what_it_depends_on(build: Builder) -> None:
    text = "ARG V=1\nCOPY a /a\nRUN cat /a > /b\nENV X=1\nRUN echo $V > /c\n"
    build.write({"a": "1"})
    first = build.ok(text)
    os.utime(build.context / "a", (1, 1))
    again = build(text).ok()
    assert again.count("--> Using cache ") == 5
    assert again.splitlines()[-1] == first
    assert "COMMIT" not in again
    other = build(text, "--build-arg", "V=2").ok()
    assert other.count("--> Using cache ") == 2  # a command sees the argument's value, also if it doesn't ask for it
    (build.context / "a").chmod(0o600)
    assert build(text).ok().count("--> Using cache ") == 1
    assert build(text, "--no-cache").ok().count("--> Using cache ") == 0
    build.write({"a": "2"})
    explained = build(text, "--explain").ok().splitlines()
    assert "--> cached" in explained
    assert "--> not cached: files changed" in explained
    changed = build("ARG V=1\nCOPY a /a\nRUN cat /a > /bb\n", "--explain").ok()
    assert "--> not cached: text: 'RUN cat /a > /b' → 'RUN cat /a > /bb'" in changed


def test_copies_go_where_a_dockerfile_says(build: Builder) -> None:
    build.write({"f": "f", "g": "g", "d/x": "x", "d/e/y": "y", "n.txt": "n", "m.txt": "m"})
    os.symlink("f", build.context / "link")
    files = build.files(
        build.ok(
            "RUN mkdir /there; ln -s there /way; ln -s f /loop\n"
            "COPY f /one\nCOPY f /there\nCOPY g /way/\nCOPY d /tree\nCOPY d/ /new/dir/\nCOPY *.txt /texts/\n"
            "COPY link /followed\nWORKDIR /wd\nCOPY f rel/\nCOPY f g .\nCOPY --chown=user:5 --chmod=600 d/x /owned\n"
            "COPY --chown=3 d /numbers\nCOPY <<a <<'b' /docs/\n$HOME is here\na\n$HOME\nb\n"
        )
    )
    wanted = (
        "one", "there/f", "there/g", "tree/x", "tree/e/y", "new/dir/e/y", "texts/n.txt", "texts/m.txt", "followed",
        "wd/rel/f", "wd/f", "wd/g", "docs/a", "docs/b",
    )  # fmt: skip
    assert [name for name in wanted if name not in files] == []
    assert files["way"].issym() and files["followed"].isreg()
    assert (files["owned"].uid, files["owned"].gid, files["owned"].mode) == (1000, 5, 0o600)
    assert (files["numbers/x"].uid, files["numbers/x"].gid) == (3, 3)


def archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("in/side")
        entry.size, entry.uid = 4, 9
        tar.addfile(entry, io.BytesIO(b"side"))
    return buffer.getvalue()


def test_add_unpacks_archives(build: Builder) -> None:
    build.write({"a.tar": archive(), "b.tgz": gzip.compress(archive()), "c.gz": gzip.compress(b"no tar")})
    made = build.ok("ADD a.tar /a\nADD b.tgz c.gz /b/\nCOPY a.tar /c/\n")
    files = build.files(made)
    assert {"a/in/side", "b/in/side", "b/c.gz", "c/a.tar"} <= {*files}
    assert files["a/in/side"].uid == 9


def test_a_failed_command_gives_its_exit_code_and_its_place(build: Builder) -> None:
    build("RUN true\nRUN echo why; exit 7\n").fails(
        7, 'Error: building at STEP "RUN echo why; exit 7": while running runtime: exit status 7', "line 3"
    )
    build('RUN ["/nope"]\n').fails(1, 'building at STEP "RUN [\\"/nope\\"]"'.replace('\\"', '"'))
    assert build("RUN true\nRUN exit 8\n").returncode == 8
    build("COPY nope /\n").fails(125, 'building at STEP "COPY nope /"', "no such file or directory", "line 2")
    build("USER nobody-here\nRUN id\n").fails(125, "unable to find user nobody-here")
    assert build.podpy.ok("ps", "-aq") == ""
    assert build.podpy.ok("system", "check") == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no context directory and no Containerfile specified"),
        (["nowhere"], "context must be a directory"),
        (["-f", "nofile", "."], "the specified Containerfile or Dockerfile does not exist, nofile"),
        (["-t", "Upper", "."], "tag Upper: "),
        (["--format", "x", "."], 'unrecognized image type "x"'),
        (["a", "b"], "accepts at most 1 arg(s), received 2"),
        (["--sbom", "x", "."], "podpy runs no scanners"),
        (["--isolation", "chroot", "."], "podpy runs commands in containers alone"),
        (["--isolation", "foo", "."], 'unrecognized isolation type "foo"'),
    ],
)
def test_what_can_t_be_is_refused(podpy: Podpy, words: list[str], told: str) -> None:
    podpy("build", *words).fails(125, told)


def test_options_about_the_output(build: Builder) -> None:
    text = "RUN echo out; echo err >&2\n"
    quiet = build(text, "-q", "--iidfile", "id", "-t", "x", "--metadata-file", "m", cwd=build.context)
    told = json.loads((build.context / "m").read_text())
    digest = build.podpy.ok("image", "inspect", "--format", "{{.Digest}}", "x")
    assert (told["containerimage.digest"], told["image.name"]) == (digest, "localhost/x:latest")
    identity = quiet.ok()
    assert len(identity) == ID_LENGTH
    assert quiet.stderr == "err\n"
    assert (build.context / "id").read_text() == f"sha256:{identity}"
    logged = build(text, "--logfile", "log", "--no-cache", cwd=build.context)
    assert logged.ok() == ""
    lines = (build.context / "log").read_text().splitlines()
    assert lines[0].startswith("STEP 1/2") and {"out", "err"} <= {*lines} and len(lines[-1]) == ID_LENGTH
    warned = build(text, "--build-arg", "UNUSED=1")
    assert "[Warning] one or more build args were not consumed: [UNUSED]" in warned.stderr


def test_what_was_kept_quiet_is_shown_when_it_fails(build: Builder) -> None:
    text = "RUN for i in $(seq 30); do echo line $i; done; exit 3\n"
    failed = build(text, "-q").fails(3, "exit status 3")
    assert failed.stdout == ""
    shown = failed.stderr.splitlines()
    assert [shown[0], *shown[19:20]] == ["line 11", "line 30"]
    assert "line 30" in build(text, "--logfile", "log", cwd=build.context).stderr


def test_an_image_goes_into_a_list_and_begins_with_another_one(build: Builder) -> None:
    made = build.ok("RUN touch /x\n", "--manifest", "all", "--from", "localhost/busybox", base="FROM nowhere\n")
    entries = build.podpy.json("manifest", "inspect", "all")["manifests"]
    digest = build.podpy.ok("image", "inspect", "--format", "{{.Digest}}", made)
    assert [entry["digest"] for entry in entries] == [digest]


def test_commands_get_the_options_of_run(build: Builder) -> None:
    shared = build.podpy.home / "context"
    build.write({"host": "from the host"})
    made = build.ok(
        "RUN cat /mnt/host > /f; grep box /etc/hosts > /g; ulimit -n > /n\n"
        "RUN --network=none ls /sys/class/net > /net\n",
        "-v", f"{shared}:/mnt", "--add-host", "box:10.1.2.3", "--ulimit", "nofile=100:100",
    )  # fmt: skip
    assert build.read(made, "f") == b"from the host"
    assert b"10.1.2.3" in build.read(made, "g")
    assert build.read(made, "n") == b"100\n"
    assert build.read(made, "net") == b"lo\n"


def test_the_same_source_gives_the_same_image(build: Builder) -> None:
    text = "COPY a /a\nRUN mkdir /d; echo x > /d/x\nWORKDIR /w\n"
    build.write({"a": "1"})
    options = ("--no-cache", "--source-date-epoch", "1000000", "--rewrite-timestamp")
    made = [build.ok(text, *options) for _ in range(2)]
    assert made[0] == made[1]
    environment = {"SOURCE_DATE_EPOCH": "1000000"}
    assert build.ok(text, "--no-cache", "--rewrite-timestamp", env=environment) == made[0]
    assert build.ok(text) != made[0]
    files = build.files(build.ok(text, "--timestamp", "0"))
    assert {files[name].mtime for name in ("a", "d", "d/x", "w")} == {0}
    assert build.podpy.ok("image", "inspect", "--format", "{{.Created}}", made[0]).startswith("1970-01-12")


MOMENTS = (
    "commit:synced:after", "commit:renamed", "build:commit", "build:committed", "MakeContainerLayer:after",
    "StartConmon:after", "WaitForStart:after", "RemoveContainerLayer:before",
)  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_build_goes_on_behind_its_last_step(build: Builder, moment: str) -> None:
    text = "RUN echo 1 > /1\nCOPY Dockerfile /2\nRUN echo 3 > /3\n"
    killed = build(text, env={"PODPY_CRASH_AT": moment})
    assert killed.returncode == -9 or killed.returncode == 137
    done = build(text).ok()
    assert done.count("--> Using cache ") == (1 if moment == "build:committed" else 0)
    assert build.podpy.ok("ps", "-aq") == ""
    assert build.podpy.ok("system", "check") == ""


@pytest.mark.parametrize(("option", "layers"), [("--squash", 2), ("--squash-all", 1), ("--layers=false", 2)])
def test_layers_become_one(build: Builder, option: str, layers: int) -> None:
    text = (
        "RUN echo 1 > /1; rm /etc/group; mkdir /d; echo x > /d/x\nRUN rm /1 /d/x; echo y > /d/y; ln /d/y /hard\nCMD x\n"
    )
    plain = build.ok(text)
    squashed = build.ok(text, option)
    assert (len(build.layers(plain)), len(build.layers(squashed))) == (3, layers)
    one, two = build.files(plain), build.files(squashed)
    assert {*one} == {*two}
    facts = [{name: (e.mode, e.uid, e.type, e.size, e.linkname) for name, e in files.items()} for files in (one, two)]
    assert facts[0] == facts[1]
    assert "etc/group" not in two
    assert build.config(squashed)["Cmd"] == ["/bin/sh", "-c", "x"]


def test_a_step_changes_nothing_by_itself(build: Builder) -> None:
    made = build.ok("USER 4321\nRUN true\n")
    before, after = build.files(BUSYBOX), build.files(made)
    assert {*after} - {*before} <= {"run", "run/secrets"}
    assert build.read(made, "etc/passwd") == build.read(BUSYBOX, "etc/passwd")


def test_what_is_ignored_isn_t_there(build: Builder) -> None:
    build.write({".dockerignore": "*.log\nnode\n!node/keep\n/secret\n", "a": "", "x.log": "", "d/y.log": "",
                 "node/keep": "k", "node/lose": "", "secret/s": "", "n/t.md": "", "n/o/u.md": ""})  # fmt: skip
    files = build.files(build.ok("COPY . /all/\nCOPY --exclude=**/*.md n /n/\n"))
    assert {"all/a", "all/node/keep", "all/d/y.log", "n/o"} <= {*files}
    assert not {"all/x.log", "all/node/lose", "all/secret", "n/t.md", "n/o/u.md"} & {*files}
    build("COPY x.log /\n").fails(125, 'no items matching glob "x.log" copied (1 filtered out)')
    before = build.ok("COPY . /all/\n")
    build.write({"y.log": "more"})
    assert build.ok("COPY . /all/\n") == before
