"""Images that were built here are read by skopeo and umoci."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.build.building import Builder

TEXT = """RUN mkdir -p /d/old /kept && echo x > /d/old/f && ln -s f /d/old/l && ln /d/old/f /kept/hard
RUN rm -r /d/old && mkdir /d/old && echo new > /d/old/n && chmod 2751 /kept
COPY --chmod=640 a /copied/a
WORKDIR /w
CMD ["cat", "/copied/a"]
"""


def test_skopeo_and_umoci_read_what_was_built(build: Builder) -> None:
    build.write({"a": "of the context"})
    made = build.ok(TEXT, "-t", "made")
    layout, bundle = build.podpy.home / "layout", build.podpy.home / "bundle"
    build.podpy.ok("push", "made", f"oci:{layout}:made")
    told = json.loads(build.podpy.run(["skopeo", "inspect", "--config", f"oci:{layout}:made"]).ok())
    assert told["config"]["Cmd"] == ["cat", "/copied/a"] and told["rootfs"]["diff_ids"] == build.layers(made)
    build.podpy.run(["umoci", "unpack", "--rootless", "--image", f"{layout}:made", str(bundle)]).ok()
    top = bundle / "rootfs"
    there = {os.fspath(path.relative_to(top)) for path in top.rglob("*")}
    assert there == {*build.files(made)} - {"."}
    assert _read(top, "d/old/n") == "new\n" and _read(top, "kept/hard") == "x\n"
    assert (top / "copied/a").stat().st_mode & 0o7777 == 0o640
    assert (top / "kept").stat().st_mode & 0o7777 == 0o2751


def _read(top: Path, path: str) -> str:
    return (top / path).read_text()
