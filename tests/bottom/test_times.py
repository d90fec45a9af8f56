"""RFC 3339 both ways."""

from __future__ import annotations

import calendar
import time

import pytest

from podpy.times import SECOND, ZERO_TIME, go_time, nanoseconds, rfc3339

TEXTS = {
    "2023-11-14T22:13:20Z": 1_700_000_000 * SECOND,
    "2023-11-14T22:13:20.1Z": 1_700_000_000 * SECOND + 100_000_000,
    "2023-11-14T22:13:20.000000001Z": 1_700_000_000 * SECOND + 1,
    "2024-02-29T00:00:00Z": 1_709_164_800 * SECOND,
    "1969-12-31T23:59:59Z": -SECOND,
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_time_is_written_as_it_is_read(text: str) -> None:
    assert nanoseconds(text) == TEXTS[text]
    assert rfc3339(TEXTS[text], utc=True) == text


@pytest.mark.parametrize("text", ["2023-11-15T00:13:20+02:00", "2023-11-14T16:43:20-05:30", "2023-11-14T22:13:20"])
def test_an_offset_is_taken_into_account(text: str) -> None:
    """Without one the time is UTC's."""
    assert nanoseconds(text) == 1_700_000_000 * SECOND


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2023-11-14",
        "2023-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-01-00T00:00:00Z",
        "2023-04-31T00:00:00Z",
        "2023-12-32T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2023-01-01T00:60:00Z",
        "2023-01-01T00:00:61Z",
        "2023-01-01T00:00Z",
        "2023-01-01T00:00:00+x",
        "2023-01-01T00:00:00.xZ",
    ],
)
def test_what_is_no_time_is_nothing(text: str) -> None:
    assert nanoseconds(text) == 0


def test_every_month_begins_and_ends_where_the_calendar_says() -> None:
    for year in range(1880, 2121):
        for month in range(1, 13):
            for day in (1, calendar.monthrange(year, month)[1]):
                text = f"{year}-{month:02}-{day:02}T23:59:59Z"
                assert nanoseconds(text) == calendar.timegm((year, month, day, 23, 59, 59)) * SECOND, text
    assert nanoseconds("2016-12-31T23:59:60Z") == nanoseconds("2017-01-01T00:00:00Z")  # a leap second


def test_local_times_have_the_zones_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time that isn't set is Go's zero time."""
    monkeypatch.setenv("TZ", "XYZ-5:30")
    time.tzset()
    try:
        assert go_time(1_700_000_000 * SECOND) == "2023-11-15T03:43:20+05:30"
        assert go_time(0) == ZERO_TIME
    finally:
        monkeypatch.undo()
        time.tzset()
