"""What `--since`, `--until` and their filters take for a point in time."""

from __future__ import annotations

import time

import pytest

from podpy.errors import UsageError
from podpy.go import values
from podpy.libpod.filters.times import parse_time
from podpy.times import SECOND


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("10m", 600 * SECOND),
        ("1h30m", 5400 * SECOND),
        ("1.5s", 3 * SECOND // 2),
        ("2ms", 2_000_000),
        ("3us", 3000),
        ("3µs", 3000),
        ("3μs", 3000),
        ("4ns", 4),
        ("0", 0),
        ("1h0", None),
        ("-1m", -60 * SECOND),
        ("+1m", 60 * SECOND),
        ("", None),
        ("-", None),
        ("1", None),
        ("m", None),
        (".s", None),
        ("1.5.5s", None),
        ("1d", None),
        ("²h", None),
        ("9" * 5000 + "h", None),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, nanoseconds: int | None) -> None:
    if nanoseconds is not None:
        assert values.nanoseconds(text) == nanoseconds
        return
    with pytest.raises(ValueError, match=r"^time: (invalid|missing|unknown)"):
        values.nanoseconds(text)


def test_a_duration_is_before_now_and_for_until_after_it() -> None:
    before, after = parse_time("1h"), parse_time("1h", ahead=True)
    now = time.time_ns()
    assert abs(now - 3600 * SECOND - before) < 300 * SECOND
    assert abs(now + 3600 * SECOND - after) < 300 * SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000),
        ("1700000000.5", 1_700_000_000.5),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000),
        ("2023-11-14T21:13:20-01:00", 1_700_000_000),
        ("2023-11-14 22:13:20Z", 1_700_000_000),
        ("2023-11-14T22:13:20,5Z", 1_700_000_000.5),
        ("2023-11-14T16:43:20", 1_700_000_000),
        ("2023-11-14 16:43:20.5", 1_700_000_000.5),
        ("2023-11-14T16:43", 1_699_999_980),
        ("2023-11-14", 1_699_939_800),
        ("2023-11", 1_698_816_600),
        ("2023", 2023),
    ],
)
def test_a_time_without_an_offset_is_local(text: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here 5:30 hours behind UTC. A bare year is a Unix time."""
    monkeypatch.setenv("TZ", "XYZ+5:30")
    time.tzset()
    try:
        assert parse_time(text) == seconds * SECOND
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "²",
        "1.²",
        "9" * 5000,
        "2023-13",
        "2023-11-14-15",
        "2023-²",
        "2023-11-14T25",
        "202-01-01",
        "2023-02-29",
    ],
)
def test_what_is_no_time_is_refused_in_podmans_words(text: str) -> None:
    with pytest.raises(UsageError, match="unable to interpret time value"):
        parse_time(text)
