"""Who else builds: `kube play` of images with a directory of their name, and `.build` files of Quadlet."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.build.building import BASE, Builder
from tests.quadlet.bundle import texts, units_of
from tests.support.engine import Result

POD = """kind: Pod
metadata: {name: shop}
spec:
  restartPolicy: Never
  containers: [{name: web, image: "localhost/web:1"}]
"""


def play(build: Builder, *options: str) -> Result:
    """Play the pod in the directory of contexts."""
    return build.podpy("kube", "play", *options, "-", input=POD, cwd=build.context)


def said(build: Builder) -> str:
    """Return what the pod's container has written, and remove the pod."""
    build.podpy.ok("wait", "shop-web")
    text = build.podpy("logs", "shop-web").stdout
    build.podpy.ok("pod", "rm", "-f", "shop")
    return text


def test_kube_play_builds_an_image_that_is_not_there_and_has_a_directory(build: Builder) -> None:
    build.write({"web/Dockerfile": BASE + "COPY f /f\nCMD cat /f\n", "web/f": "one\n"})
    done = play(build)
    assert "STEP 1/3: FROM localhost/busybox" in done.stderr
    assert done.ok().startswith("Pod:\n")
    assert said(build) == "one\n"


def test_kube_play_builds_what_is_there_only_if_told_so(build: Builder) -> None:
    build.write({"web/Containerfile": BASE + "COPY f /f\nCMD cat /f\n", "web/f": "one\n"})
    play(build, "--quiet").ok()
    assert said(build) == "one\n"
    build.write({"web/f": "two\n"})
    play(build).ok()
    assert said(build) == "one\n"
    play(build, "--build").ok()
    assert said(build) == "two\n"


def test_kube_play_finds_the_directories_where_it_is_told(build: Builder) -> None:
    build.write({"images/web/Dockerfile": BASE + "CMD echo there\n"})
    play(build, "--build", "--context-dir", "images", "--quiet").ok()
    assert said(build) == "there\n"


def test_kube_play_builds_nothing_if_told_so(build: Builder) -> None:
    build.write({"web/Dockerfile": BASE})
    failed = build.podpy(
        "kube", "play", "--build=false", "-", cwd=build.context,
        input=POD.replace('web:1"', 'web:1", imagePullPolicy: Never'),
    )  # fmt: skip
    failed.fails(125, "localhost/web:1")


def test_a_build_of_kube_play_that_fails_leaves_no_pod(build: Builder) -> None:
    build.write({"web/Dockerfile": BASE + "RUN echo why >&2; exit 7\n"})
    failed = play(build)
    failed.fails(7, "RUN echo why >&2; exit 7")
    assert "why\n" in failed.stderr
    assert build.podpy.ok("pod", "ps", "-q") == ""


def test_the_command_of_a_build_unit_builds_its_image(build: Builder, tmp_path: Path) -> None:
    build.write({"Containerfile": BASE + "ARG WHO\nENV who=$WHO\nCOPY f /f\n", "f": "x"})
    files = tmp_path / "units"
    files.mkdir()
    unit = (
        f"[Build]\nImageTag=localhost/app:1\nImageTag=localhost/app\nSetWorkingDirectory={build.context}\n"
        "BuildArg=WHO=you\nEnvironment=MORE=1\nLabel=app=shop\nAnnotation=note=x\nPull=never\nForceRM=true\n"
        "Network=none\nRetry=1\nRetryDelay=1s\nTLSVerify=true\nVolume=/etc/hostname:/etc/there:ro\n"
    )
    text = texts(units_of(f"=== app.build\n{unit}", files))["app-build.service"]
    (command,) = [shlex.split(line.partition("=")[2]) for line in text.splitlines() if line.startswith("ExecStart=")]
    build.podpy(*command[1:], cwd=build.context).ok()
    assert build.podpy.ok("image", "inspect", "--format", "{{.Labels.app}}", "localhost/app").strip() == "shop"
    variables = build.config("localhost/app:1")["Env"]
    assert {"who=you", "MORE=1"} <= {*variables}
