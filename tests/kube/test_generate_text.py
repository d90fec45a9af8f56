"""YAML as Go writes it, and the names, quantities and words that Kubernetes takes."""

from __future__ import annotations

import pytest
import yaml

from podpy.errors import UsageError
from podpy.kube.generate import names, quantities
from podpy.kube.generate.text import dump
from podpy.kube.generate.words import literal


@pytest.mark.parametrize(
    "text",
    "100 +5 -1 1_000 0755 0o7 0x1f 0b11 1e3 1.5 .5 1. .inf -.INF .nan yes No y N on OFF true null ~ = << 12:30 12:30:45"
    " 190:20:30.15 2026-01-01 2001-12-14t21:59:43.10-05:00".split(),
)
def test_text_that_a_reader_takes_for_another_type_is_in_double_quotes(text: str) -> None:
    assert dump({"a": text}) == f'a: "{text}"\n'


@pytest.mark.parametrize(
    "text", ["1.2.3", "v1", "1:x", "10.0.0.1", "0x", "nope", "it's", "a\\b", "64Mi", "500m", "-", "e3"]
)
def test_other_text_stands_as_it_is(text: str) -> None:
    assert dump({"a": text}) == (f"a: {text}\n" if text != "-" else "a: '-'\n")


def test_what_the_syntax_gives_a_meaning_to_is_in_single_quotes_and_lines_are_a_block() -> None:
    """The expected text is what Podman 4.3.1 printed for these variables."""
    words = {
        "star": "*x",
        "dash": "- a",
        "colon": "a: b",
        "end": "trail ",
        "tab": "a\tb",
        "wide": "ü€😀",
        "lines": "a\nb\n",
    }
    assert dump(words) == (
        "colon: 'a: b'\ndash: '- a'\nend: 'trail '\nlines: |\n  a\n  b\nstar: '*x'\n"
        'tab: "a\\tb"\nwide: "ü€\\U0001F600"\n'
    )
    long = " ".join(letter * 12 for letter in "abcdefghi")
    assert dump({"value": long}).splitlines()[1] == "  gggggggggggg hhhhhhhhhhhh iiiiiiiiiiii"
    assert yaml.safe_load(dump({**words, "long": long})) == {**words, "long": long}


def test_lists_stand_at_their_keys_margin_and_nothing_is_an_alias() -> None:
    shared = {"name": "x"}
    assert dump({"c": ""}) == 'c: ""\n'
    assert dump({"b": [shared, shared], "a": {}}) == "a: {}\nb:\n- name: x\n- name: x\n"


@pytest.mark.parametrize(("name", "label"), [("My_App.x", "myapp-x"), ("_", "x"), ("-a-", "a"), ("a" * 80, "a" * 59)])
def test_a_pods_name_is_a_dns_label(name: str, label: str) -> None:
    assert names.label(name, "-pod") == f"{label}-pod" and names.is_label(names.label(name, "-pod"))


def test_a_claim_has_its_volumes_name_wherever_a_cluster_takes_that() -> None:
    assert [names.claim(name) for name in ("data", "a.b-1", "My_Data", "a/")] == ["data", "a.b-1", "my-data", "a"]


@pytest.mark.parametrize(
    ("key", "valid"),
    [
        ("a", True),
        ("a.b/c_D.e", True),
        ("a.b/c/d", False),
        ("A.b/c", False),
        ("a b", False),
        ("a/", False),
        ("/a", False),
    ],
)
def test_an_annotations_key_has_at_most_one_slash_and_a_domain_before_it(key: str, valid: bool) -> None:
    assert names.is_key(key) is valid


def test_names_are_unique_and_stay_labels() -> None:
    unique = names.Unique()
    assert [unique.take(name) for name in ("a", "a", "a", "b" * 63, "b" * 63)] == [
        "a",
        "a-2",
        "a-3",
        "b" * 63,
        "b" * 61 + "-2",
    ]


def test_quantities_are_canonical() -> None:
    assert [quantities.memory(size) for size in (64 << 20, 1 << 30, 1000, 1536 << 10)] == [
        "64Mi",
        "1Gi",
        "1000",
        "1536Ki",
    ]
    assert [quantities.cpus(milli) for milli in (500, 2000, 1500, 1_000_000)] == ["500m", "2", "1500m", "1k"]
    assert [quantities.milli_of_shares(shares) for shares in (1024, 512, 100, 2)] == [1000, 500, 98, 2]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$(A)", "$$(A)"),
        ("$$", "$$$"),
        ("$$(A)", "$$$$(A)"),
        ("$A ${A} 5$", "$A ${A} 5$"),
        ("$", "$"),
        ("$$$", "$$$$$"),
    ],
)
def test_what_kubernetes_would_expand_is_written_so_that_it_stays(text: str, written: str) -> None:
    assert literal(text) == written
    assert _expanded(written) == text


def _expanded(text: str) -> str:
    """Kubernetes' expansion without variables: `$$` is `$`, and any other `$` stays with what follows it."""
    result, place = "", 0
    while place < len(text):
        pair = text[place : place + 2]
        result += "$" if pair == "$$" else pair if text[place] == "$" else text[place]
        place += 2 if text[place] == "$" else 1
    return result


def test_what_isnt_utf_8_is_refused() -> None:
    with pytest.raises(UsageError, match="is not UTF-8"):
        literal("a\udcff")
