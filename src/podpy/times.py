"""Points in time as texts: RFC 3339, as Go's encoding/json and conmon's logs have it.

Numbers are nanoseconds since 1970. Neither `datetime` nor `calendar` is imported: they cost a command milliseconds.
"""

from __future__ import annotations

from time import gmtime, localtime

SECOND = 1_000_000_000
ZERO_TIME = "0001-01-01T00:00:00Z"  # of Go: a time that isn't set
_SHORT_MONTHS = (4, 6, 9, 11)


def rfc3339(nanoseconds: int, *, utc: bool = False) -> str:
    """Return a time in the local zone, or in UTC, with as many digits of the second as it has."""
    seconds, rest = divmod(nanoseconds, SECOND)
    fields = gmtime(seconds) if utc else localtime(seconds)
    minutes = fields.tm_gmtoff // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}" if minutes else "Z"
    year, month, day, hour, minute, second = fields[:6]
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{fraction}{zone}"


def go_time(nanoseconds: int) -> str:
    """Return a time as Go's JSON has it: in the local zone; 0, which stands for "never", is Go's zero time."""
    return rfc3339(nanoseconds) if nanoseconds else ZERO_TIME


def nanoseconds(text: str) -> int:
    """Return the nanoseconds since 1970 of an RFC 3339 time (in UTC if it has no offset), less than 0 for an earlier
    one; 0 if it isn't a time of that form.
    """
    date, _, rest = text.partition("T")
    try:
        clock, offset = _split_offset(rest)
        seconds, _, fraction = clock.partition(".")
        nanos = int((fraction or "0").ljust(9, "0")[:9])
        year, month, day = (int(part) for part in date.split("-"))
        hour, minute, second = (int(part) for part in seconds.split(":"))
    except ValueError:
        return 0
    if not (1 <= month <= 12 and 1 <= day <= _days_of_month(year, month)):
        return 0
    if hour > 23 or minute > 59 or second > 60:  # a leap second is a sixtieth
        return 0
    whole = _days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
    return whole * SECOND + nanos


def _days_of_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in _SHORT_MONTHS else 31


def _days_since_1970(year: int, month: int, day: int) -> int:
    # Years here begin in March, so that the day that leap years have more is a year's last one.
    if month < 3:
        year, month = year - 1, month + 12
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * (month - 3) + 2) // 5 + day - 719469


def _split_offset(text: str) -> tuple[str, int]:
    if text.endswith(("Z", "z")):
        return text[:-1], 0
    for sign in "+-":
        clock, found, offset = text.rpartition(sign)
        if found:
            hours, _, minutes = offset.partition(":")
            return clock, int(sign + "1") * (int(hours) * 3600 + int(minutes or 0) * 60)
    return text, 0
