"""Sizes, spans of time, columns, headings, ports: as Podman prints them."""

from __future__ import annotations

import pytest

from podpy.cli.show import report
from podpy.cli.show.ports import ports_text
from podpy.errors import UsageError
from podpy.go.json import compact, indented
from podpy.go.table import align
from podpy.go.template.values import Struct
from podpy.go.time import GoTime
from podpy.go.units import binary_size, human_duration, human_size
from podpy.libpod.filters import parse as filters


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (12, "12B"), (999, "999B"), (1000, "1kB"), (1234567, "1.235MB"), (4_400_000_000, "4.4GB")],
)
def test_decimal_sizes(size: int, text: str) -> None:
    assert human_size(size) == text


def test_sizes_of_images_have_three_digits_and_a_blank() -> None:
    assert human_size(1_997_969, precision=3, blank=True) == "2 MB"
    assert human_size(142_345_678, precision=3, blank=True) == "142 MB"
    assert binary_size(1536) == "1.5KiB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "Less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5399, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * 86400, "13 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (730 * 86400, "2 years"),
    ],
)
def test_spans_of_time(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_columns_are_twelve_wide_or_two_more_than_their_widest_cell() -> None:
    text = "CONTAINER ID\tIMAGE\tPORTS\tNAMES\nabc\tdocker.io/library/busybox\t\tone\n"
    assert align(text).splitlines() == [
        "CONTAINER ID  IMAGE                      PORTS       NAMES",
        "abc           docker.io/library/busybox              one",
    ]


def test_a_line_without_a_cell_ends_a_column() -> None:
    assert align("a\tb\nplain\nlonger than twelve\tc\n").splitlines() == [
        "a           b",
        "plain",
        "longer than twelve  c",
    ]


@pytest.mark.parametrize("text", ["json", " json ", "{{json}}", "{{ json }}", "{{json.}}"])
def test_these_formats_mean_json(text: str) -> None:
    assert report.is_json(text)


@pytest.mark.parametrize("text", ["{{json .}}", "table {{.ID}}", "", "{{.ID}}"])
def test_these_formats_are_templates(text: str) -> None:
    assert not report.is_json(text)


ROWS = [Struct(ID="a", CreatedAt="now", CIDFile=""), Struct(ID="longer than twelve", CreatedAt="x", CIDFile="f")]
HEADING = report.headers(ROWS[0], ID="container id")


def test_headings_are_the_fields_words_in_capitals() -> None:
    assert dict(HEADING) == {"ID": "CONTAINER ID", "CreatedAt": "CREATED AT", "CIDFile": "CID FILE"}


def test_a_table_has_a_heading_and_blanks_between_actions_are_columns() -> None:
    text = report.render("table {{.ID}} {{.CreatedAt}}", ROWS, HEADING, default="")
    assert text == "CONTAINER ID        CREATED AT\na                   now\nlonger than twelve  x\n"


def test_a_plain_template_has_a_line_for_each_row_and_no_columns() -> None:
    assert report.render("{{.ID}}\\t{{.CIDFile}}", ROWS, HEADING, default="") == "a\t\nlonger than twelve\tf\n"


def test_a_template_with_its_own_range_gets_all_rows_at_once() -> None:
    assert report.render("{{range .}}{{.CreatedAt}},{{end}}", ROWS, None, default="") == "now,x,\n"


def test_a_backslash_n_that_a_function_needs_stays() -> None:
    assert report.render('{{printf "%s\\n" .ID}}', ROWS[:1], None, default="") == "a\n"


def test_json_is_written_like_gos() -> None:
    value = Struct(Z=1, A={"b": None, "a": True}, L=[], M={}, T=GoTime(None), S="é<\u2028>\x01")
    text = '{"Z":1,"A":{"a":true,"b":null},"L":[],"M":{},"T":"0001-01-01T00:00:00Z","S":"é<\u2028>\\u0001"}'
    assert compact(value) == text
    assert indented([Struct(a=1, b=[2])], "  ") == '[\n  {\n    "a": 1,\n    "b": [\n      2\n    ]\n  }\n]'


def test_times_show_as_many_digits_of_the_second_as_they_have() -> None:
    assert GoTime(1_700_000_000_100_000_000, utc=True).rfc3339() == "2023-11-14T22:13:20.1Z"
    assert GoTime(1_700_000_000_000_000_000, utc=True).rfc3339() == "2023-11-14T22:13:20Z"
    assert str(GoTime(None)) == "0001-01-01 00:00:00 +0000 UTC"


def port(**values: object) -> dict[str, object]:
    return {"host_ip": "", "host_port": 8080, "container_port": 80, "protocol": "tcp", "count": 1, **values}


@pytest.mark.parametrize(
    ("published", "exposed", "text"),
    [
        ([], [], ""),
        ([port()], [], "0.0.0.0:8080->80/tcp"),
        ([port(host_ip="127.0.0.1")], ["80/tcp", "443/tcp"], "127.0.0.1:8080->80/tcp, 443/tcp"),
        ([port(count=3, protocol="udp")], [], "0.0.0.0:8080-8082->80-82/udp"),
        ([], ["90-92/udp", "80", "81/tcp"], "80-81/tcp, 90-92/udp"),
    ],
)
def test_ports(published: list[dict[str, object]], exposed: list[str], text: str) -> None:
    assert ports_text(published, exposed) == text


def test_filters_are_key_and_value() -> None:
    known = ("name", "label", "label!")
    values = filters.parse(["name=a", "label=x=y", "label!=z", "name=b"], known)
    assert values == {"name": ["a", "b"], "label": ["x=y"], "label!": ["z"]}
    with pytest.raises(UsageError, match=r'^invalid filter "name"\. It is KEY=VALUE. Keys: '):
        filters.parse(["name"], known)
    with pytest.raises(UsageError, match=r"nmae is an invalid filter. Did you mean name\?"):
        filters.parse(["nmae=x"], known)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [(["a"], True), (["a=b"], True), (["a=c"], False), (["a", "c=d"], True), (["a", "e"], False), (["a=*"], True)],
)
def test_labels_must_all_match(wanted: list[str], matches: bool) -> None:
    assert filters.match_labels(wanted, {"a": "b", "c": "d"}) is matches
