"""Image names: what is one, what it means, what is refused and with which words."""

from __future__ import annotations

import pytest

from podpy.errors import ImageError
from podpy.image.names.reference import check_digest, parse

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("busybox", "busybox"),
        ("a/b:c", "a/b:c"),
        ("docker.io/busybox", "docker.io/library/busybox"),
        ("index.docker.io/x/y:1", "docker.io/x/y:1"),
        ("localhost/x", "localhost/x"),
        ("localhost:5000/x:1", "localhost:5000/x:1"),
        ("[2001:db8::1]:5000/x", "[2001:db8::1]:5000/x"),
        (f"quay.io/a/b@{DIGEST}", f"quay.io/a/b@{DIGEST}"),
        (f"quay.io/a/b:t@{DIGEST}", f"quay.io/a/b:t@{DIGEST}"),
        ("a__b/c.d/e---f", "a__b/c.d/e---f"),
        ("x:V1.0-rc_1", "x:V1.0-rc_1"),
    ],
)
def test_a_name_is_read_as_podman_reads_it(text: str, full: str) -> None:
    assert str(parse(text)) == full


@pytest.mark.parametrize("text", ["busybox", "fedora/x", "a/b/c"])
def test_a_name_without_registry_is_short(text: str) -> None:
    assert parse(text).is_short


@pytest.mark.parametrize("text", ["localhost/x", "a.b/x", "a:1/x", "UPPER/x"])
def test_a_first_part_with_dot_colon_or_upper_case_is_a_registry(text: str) -> None:
    assert not parse(text).is_short


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least one component"),
        ("Foo", "must be lowercase"),
        ("a//b", "an empty part"),
        ("/a", "an empty part"),
        ("a:", "the tag"),
        ("a:-x", "the tag"),
        ("a:" + "t" * 129, "the tag"),
        ("a..b", "not a name"),
        ("a___b", "not a name"),
        ("a._b", "not a name"),
        ("-a", "not a name"),
        ("a b", "not a name"),
        ("a@sha256:12", "64 hex digits"),
        ("a@md5:" + "0" * 32, "not supported"),
        ("a.-b/x", "registry's name"),
        ("host:port/x", "registry's name"),
        ("a" * 256, "255"),
        ("a\nb", "not a name"),
        ("\u0660a", "not a name"),
    ],
)
def test_what_is_no_name_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(ImageError, match='parsing reference "') as caught:
        parse(text)
    assert why in f"{caught.value.message} {caught.value.hint}"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_digest_in_upper_case_is_refused() -> None:
    with pytest.raises(ImageError):
        check_digest("sha256:" + "A" * 64)
