"""Images for other platforms, and for several at once."""

from __future__ import annotations

from typing import Any

from tests.build.building import Builder
from tests.support.images import find_busybox

CROSS = """FROM --platform=$BUILDPLATFORM localhost/busybox AS made
ARG TARGETARCH
RUN echo for $TARGETARCH > /out
FROM scratch
COPY --from=made /out /out
"""
BOTH = "--platform=linux/arm64,linux/s390x"
MACHINE = slice(18, 20)  # e_machine of an ELF file
IA64 = (50).to_bytes(2, "little")  # a machine that nothing emulates


def entries(build: Builder, name: str) -> list[dict[str, Any]]:
    """Return the entries of a list."""
    found: list[dict[str, Any]] = build.podpy.json("manifest", "inspect", name)["manifests"]
    return found


def machines(build: Builder, name: str) -> list[str]:
    """Return the architectures of a list's entries."""
    return [entry["platform"]["architecture"] for entry in entries(build, name)]


def test_several_platforms_make_a_list_under_the_name(build: Builder) -> None:
    first = build(CROSS, BOTH, "-t", "both", "-t", "both:2", base="").ok().splitlines()
    assert first[-3:-1] == ["Successfully tagged localhost/both:latest", "Successfully tagged localhost/both:2"]
    assert "[linux/arm64] [1/2] STEP 3/3: RUN echo for $TARGETARCH > /out" in first
    assert "[linux/s390x] [2/2] COMMIT" in first
    assert machines(build, "both") == machines(build, first[-1]) == ["arm64", "s390x"]
    made = build.podpy.ok("images", "--quiet", "--no-trunc", "--filter", "dangling=true").split()
    found = {build.podpy.json("image", "inspect", image)[0]["Architecture"]: build.read(image, "out") for image in made}
    assert found == {"arm64": b"for arm64\n", "s390x": b"for s390x\n"}


def test_a_list_that_has_not_changed_stays_and_another_takes_the_name(build: Builder) -> None:
    first = build.ok(CROSS, BOTH, "-t", "both", base="")
    again = build(CROSS, BOTH, "-t", "both", base="").ok()
    assert again.count("--> Using cache ") == 6 and again.splitlines()[-1] == first
    changed = build.ok(CROSS + "LABEL a=b\n", BOTH, "-t", "both", base="")
    assert changed != first and build.podpy.json("manifest", "inspect", "both") != entries(build, first)


def test_images_of_a_list_that_has_a_name_are_not_pruned(build: Builder) -> None:
    build.ok(CROSS, BOTH, "-t", "both", base="")
    loose = build.ok("LABEL a=b\n")
    assert build.podpy.ok("image", "prune", "--force") == loose
    build.podpy.ok("builder", "prune", "--force")
    build.podpy.ok("manifest", "push", "--all", "both", f"oci:{build.podpy.home}/both")
    build.podpy.ok("untag", "both")
    assert len(build.podpy.ok("image", "prune", "--force").splitlines()) == 3


def test_images_are_added_to_a_list_of_the_option(build: Builder) -> None:
    build.ok("LABEL a=b\n", "--manifest", "all")
    build.ok(CROSS, BOTH, "--manifest", "all", base="")
    assert len(entries(build, "all")) == 3 and machines(build, "all")[1:] == ["arm64", "s390x"]
    build(CROSS, BOTH, "--manifest", "all", "-t", "x", base="").fails(125, "give one of them")
    build(CROSS, BOTH, "-o", "out", base="").fails(125, "--output takes the image of one platform")


def test_an_empty_base_has_the_platform(build: Builder) -> None:
    build.write({"f": ""})
    show = ("image", "inspect", "--format", "{{.Architecture}}")
    own = build.podpy.ok(*show, build.ok("COPY f /\n", base="FROM scratch\n"))
    other = build.ok("COPY f /\n", "--platform", "linux/ia64", base="FROM scratch\n")
    said = build.ok("COPY f /\n", base="FROM --platform=linux/ia64 scratch\n")
    assert build.podpy.ok(*show, other) == build.podpy.ok(*show, said) == "ia64" != own


def test_bases_for_one_platform_are_no_list(build: Builder) -> None:
    failed = build("LABEL a=b\n", BOTH, "-t", "both").fails(125, "for linux/arm64 and linux/s390x are the same one")
    assert "Hint: Its base isn't for both of them" in failed.stderr
    assert not build.podpy("manifest", "exists", "both").stdout
    build("RUN x\n", base="FROM --platform=linux/a/b/c localhost/busybox\n").fails(
        125, 'Dockerfile:1:17: invalid platform "linux/a/b/c"'
    )


def test_all_platforms_are_those_of_the_bases(build: Builder) -> None:
    build.ok(CROSS, "--platform=linux/arm64,linux/s390x,linux/amd64", "-t", "three", base="")
    build.ok(CROSS, "--platform=linux/s390x,linux/arm64", "-t", "two", base="")
    text = "FROM localhost/two\nCOPY --from=a /out /a\n"
    build.ok(text, "--all-platforms", "-t", "all", base="FROM localhost/three AS a\nLABEL a=b\n")
    assert machines(build, "all") == ["arm64", "s390x"]
    build("", "--all-platforms", base="FROM scratch\n").fails(125, "no platform in common")
    build("", "--all-platforms", "--arch=arm64").fails(125, "--all-platforms can not be specified with")


def test_a_dockerfile_of_standard_input_is_read_once(build: Builder) -> None:
    build.podpy("build", "-f", "-", BOTH, "-t", "both", str(build.context), input=CROSS).ok()
    assert machines(build, "both") == ["arm64", "s390x"]


def test_a_command_for_another_machine_names_what_is_missing(build: Builder) -> None:
    shell = bytearray(find_busybox().read_bytes())
    shell[MACHINE] = IA64
    build.write({"sh": bytes(shell)})
    text = "FROM --platform=linux/ia64 scratch\nCOPY --chmod=755 sh /bin/sh\nRUN true\n"
    failed = build(text, base="").fails(1, 'building at STEP "RUN true"')
    assert "install qemu-user-static and binfmt-support" in failed.stderr
    assert "The image is for linux/ia64" in failed.stderr
    own = build("RUN false\n").fails(1, "exit status 1")
    assert "qemu" not in own.stderr
