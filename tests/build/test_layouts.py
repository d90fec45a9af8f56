"""OCI layouts as contexts and as results; Dockerfiles that cpp reads; Docker's names for the builder."""

from __future__ import annotations

import json
import tarfile

from tests.build.building import Builder

IN = '#include "common.h"\n#ifdef MORE\nRUN echo more\n#endif\nRUN echo NAME\n'


def test_a_layout_is_a_context(build: Builder) -> None:
    made = build.ok("RUN echo of a layout > /x\n")
    layout = build.podpy.home / "layout"
    build.podpy.ok("push", made, f"oci:{layout}:one")
    build.podpy.ok("push", "localhost/busybox", f"oci:{layout}:two")
    digest = json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"]
    text = "FROM localhost/busybox\nCOPY --from=it /x /y\n"
    for where in (f"{layout}:one", f"{layout}@{digest}"):
        found = build.ok(text, "--build-context", f"it=oci-layout://{where}", base="")
        assert build.read(found, "y") == b"of a layout\n"
    begun = build("RUN cat /x\n", "--build-context", "it=oci-layout://layout:one", base="FROM it\n", cwd=layout.parent)
    assert "of a layout" in begun.ok().splitlines()
    wrong = f"it=oci-layout://{layout}@sha256:{'0' * 64}"
    build(text, "--build-context", wrong, base="").fails(125, "its index has no such digest")
    build(text, "--build-context", "it=oci-layout:///none", base="").fails(125, "/none")


def test_an_archive_has_all_names(build: Builder) -> None:
    target = build.podpy.home / "x.tar"
    build.ok("RUN true\n", "-o", f"type=oci,dest={target}", "-t", "a", "-t", "b:2")
    with tarfile.open(target) as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        entries = json.loads(index.read())["manifests"]
    assert len({entry["digest"] for entry in entries}) == 1
    names = [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries]
    assert names == ["localhost/a:latest", "localhost/b:2"]
    build.podpy("image", "exists", "localhost/a").fails(1)
    assert "localhost/b:2" in build.podpy.ok("load", "-i", str(target))
    build.podpy.ok("run", "--rm", "b:2", "true")


def test_cpp_reads_a_file_that_ends_with_in(build: Builder) -> None:
    build.write({"Containerfile.in": f"FROM localhost/busybox\n{IN}", "common.h": "#define NAME of cpp\n"})
    asked = ("build", "-f", str(build.context / "Containerfile.in"))
    assert "of cpp" in build.podpy.ok(*asked, str(build.context)).splitlines()
    more = build.podpy.ok(*asked, "--cpp-flag=-DMORE", str(build.context)).splitlines()
    assert "more" in more and "of cpp" in more
    build.write({"../outside": "RUN false\n", "Containerfile.in": 'FROM scratch\n#include "../outside"\n'})
    build.podpy(*asked, str(build.context)).fails(125, "it includes", "which is outside of the context")
    build.write({"Containerfile.in": 'FROM scratch\n#include "none"\n'})
    build.podpy(*asked, str(build.context)).fails(125, "Containerfile.in: ", "none")


def test_the_builder_is_shown(build: Builder) -> None:
    listed = build.podpy.ok("buildx", "ls").splitlines()
    assert listed[0].split() == ["NAME/NODE", "DRIVER/ENDPOINT", "STATUS", "BUILDKIT", "PLATFORMS"]
    assert listed[1].split() == ["default*", "podpy"] and "linux/" in listed[2]
    shown = build.podpy.ok("buildx", "inspect", "--bootstrap")
    assert "Driver: podpy" in shown and "Platforms:" in shown
    build.podpy("buildx", "inspect", "other").fails(125, 'no builder "other" found')
