"""RUN's mounts, here-documents and secrets; a build that is interrupted."""

from __future__ import annotations

import os
import signal
import socket

from tests.build.building import Builder
from tests.support import wait


def test_mounts_bring_files_and_leave_nothing(build: Builder) -> None:
    build.write({"f": "of the context", "d/g": "deep"})
    made = build(
        "RUN mkdir /st; echo stage > /st/x\nFROM localhost/busybox\n"
        "RUN --mount=type=bind,target=/m cat /m/f; touch /m/no || echo refused\n"
        "RUN --mount=type=bind,source=d,target=/m,rw echo lost > /m/new; ls /m\n"
        "RUN --mount=type=bind,from=0,source=st,target=/deep/er cat /deep/er/x; echo kept > /deep/kept\n"
        "RUN --mount=type=bind,from=localhost/busybox,source=/etc/passwd,target=/p grep root /p\n"
        "RUN --mount=type=tmpfs,target=/t,size=1m df /t | tail -1; echo lost > /t/lost\n",
    )
    out = made.ok()
    for text in ("of the context", "refused", "g\nnew", "stage", "root:x:0:0", "1024"):
        assert text in out
    files = build.files(out.splitlines()[-1])
    assert "deep/kept" in files
    assert not {"m", "p", "t", "deep/er"} & {*files}
    assert not (build.context / "d/new").exists()
    assert build("RUN --mount=target=/m cat /m/f\n").ok()
    assert "--> Using cache" in build("RUN --mount=target=/m cat /m/f\n").ok()
    build.write({"f": "changed"})
    assert "changed" in build("RUN --mount=target=/m cat /m/f\n").ok()
    build("RUN --mount=target=/m,source=../../nope true\n").fails(125, "no such file or directory", "line 2")


def test_a_cache_is_kept_between_builds(build: Builder) -> None:
    text = (
        "RUN --mount=type=cache,target=/c,id=mine,uid=5,mode=700 echo x >> /c/log; wc -l < /c/log; stat -c %u:%a /c\n"
    )
    assert build(text).ok().splitlines()[2:4] == ["1", "5:700"]
    assert build(text, "--no-cache").ok().splitlines()[2] == "2"
    locked = text.replace("id=mine", "id=mine,sharing=locked")
    assert build(locked, "--no-cache").ok().splitlines()[2] == "3"
    assert "c" not in build.files(build.ok(text))
    usage = {line["Type"]: line["RawSize"] for line in build.podpy.json("system", "df", "--format", "json")}
    assert usage["Build Cache"] > 0
    build.podpy.ok("image", "prune", "--force", "--build-cache")
    assert build(text, "--no-cache").ok().splitlines()[2] == "1"


def test_a_secret_is_seen_by_its_command_alone(build: Builder) -> None:
    build.write({"../token": "very secret xyzzy"})  # letters that no id has
    path = f"src={build.podpy.home / 'token'}"
    text = (
        "RUN --mount=type=secret,id=t ls -l /run/secrets/t; cat /run/secrets/t > /dev/null\n"
        "RUN --mount=type=secret,id=t,target=/k,mode=444,uid=7 stat -c %u:%a /k\n"
        'RUN --mount=type=secret,id=t,env=TOKEN test "${TOKEN%zy}" = "very secret xyz"\n'
        "RUN --mount=type=secret,id=none ls /run/secrets/none || echo none\n"
    )
    out = build(text, "--secret", f"id=t,{path}").ok()
    assert "-r--------" in out and "7:444" in out and "none" in out.splitlines()
    made = out.splitlines()[-1]
    assert not {"k", "run/secrets/t"} & {*build.files(made)}
    shown = build.podpy.ok("history", "--no-trunc", made) + build.podpy.ok("image", "inspect", made)
    assert "xyzzy" not in shown
    stored = [path.read_bytes() for path in build.podpy.graphroot.glob("podpy.sqlite*")]
    assert not [data for data in stored if b"xyzzy" in data]
    again = build(text, "--secret", "id=t,env=OTHER", env={"OTHER": "something else"}).ok()
    assert again.splitlines()[-1] == made  # a secret's content is no part of a key
    build("RUN --mount=type=secret,id=no,required true\n").fails(
        125, 'secret required but no secret with id "no" found'
    )
    build(text, "--secret", "src=x").fails(125, "incorrect secret flag format: src=x")


def test_an_agent_is_handed_on(build: Builder) -> None:
    path = build.podpy.runtime_dir / "agent"
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(os.fspath(path))
        os.chown(path, build.podpy.user.uid, build.podpy.user.gid)
        text = 'RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo there\n'
        assert "there" in build(text, "--ssh", "default", env={"SSH_AUTH_SOCK": os.fspath(path)}).ok()
    build(text, "--ssh", "default").fails(125, "SSH_AUTH_SOCK not set in environment")


def test_here_documents_are_run(build: Builder) -> None:
    out = build(
        "RUN <<EOF\necho one\nfalse\necho two\nEOF\nRUN <<EOF\n#!/bin/busybox sh\necho program $0\nEOF\n"
        "RUN cat <<A; echo end\nx$HOME\nA\n"
    ).ok()
    lines = out.splitlines()
    assert lines[2:4] == ["one", "two"]
    assert "program /dev/pipes/EOF" in lines
    assert {"x/root", "end"} <= {*lines}


def test_ctrl_c_ends_a_build_at_once(build: Builder) -> None:
    build.write({"Dockerfile": "FROM localhost/busybox\nRUN touch /a\nRUN echo begun; sleep 1000\n"})
    running = build.podpy.popen("build", str(build.context), stdout=-1, stderr=-1)
    assert running.stdout is not None
    while b"begun" not in (line := running.stdout.readline()):
        assert line, "it ended"
    while running.stdout.readline().strip() != b"begun":
        pass
    running.send_signal(signal.SIGINT)
    assert running.wait(wait.PATIENCE) == 130
    wait.until(lambda: build.podpy.ok("ps", "-aq") == "", what="the container is gone")
    assert build("RUN touch /a\n").ok().count("--> Using cache ") == 1
    assert build.podpy.ok("system", "check") == ""
