"""Times as Go prints them: in JSON (RFC 3339 with nanoseconds), by %v, and by a layout's Format."""

from __future__ import annotations

from time import gmtime, localtime

from podpy.times import SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from time import struct_time

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


class GoDuration(int):
    """Nanoseconds that print as Go prints a duration: 1h0m0s, 2m30s, 1.5s, 250ms, 0s."""

    def __str__(self) -> str:
        if not self:
            return "0s"
        sign, rest = ("-" if self < 0 else ""), abs(int(self))
        for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
            if rest < size * 1000:
                return f"{sign}{_decimal(rest, size)}{unit}"
        minutes, seconds = divmod(rest, 60 * SECOND)
        hours, minutes = divmod(minutes, 60)
        text = f"{_decimal(seconds, SECOND)}s"
        if hours or minutes:
            text = f"{minutes}m{text}"
        return f"{sign}{hours}h{text}" if hours else sign + text


def _decimal(value: int, size: int) -> str:
    """Return value / size in decimal, exactly, without trailing zeros."""
    whole, part = divmod(value, size)
    digits = f"{part:0{len(str(size)) - 1}d}".rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


class GoTime:
    """A point in time, in nanoseconds since 1970; None is Go's zero time (the year 1). Local zone unless `utc`."""

    go_methods = {
        "Format": "format",
        "Unix": "unix",
        "UnixMilli": "unix_milli",
        "UnixMicro": "unix_micro",
        "UnixNano": "unix_nano",
        "Year": "year",
        "Month": "month",
        "Day": "day",
        "Weekday": "weekday",
        "YearDay": "year_day",
        "Hour": "hour",
        "Minute": "minute",
        "Second": "second",
        "Nanosecond": "nanosecond",
        "IsZero": "is_zero",
        "String": "__str__",
        "UTC": "as_utc",
        "Local": "as_local",
    }

    __slots__ = ("nanoseconds", "utc")

    def __init__(self, nanoseconds: int | None, *, utc: bool = False) -> None:
        self.nanoseconds = nanoseconds
        self.utc = utc or nanoseconds is None

    def __bool__(self) -> bool:
        return True  # a struct is always true in Go's templates

    def __str__(self) -> str:
        return self.format("2006-01-02 15:04:05.999999999 -0700 MST")

    def json_text(self) -> str:
        """Return the time as a JSON string."""
        return f'"{self.rfc3339()}"'

    def rfc3339(self) -> str:
        """Return the time in RFC 3339's format, with the fraction of the second that it has."""
        return self.format("2006-01-02T15:04:05.999999999Z07:00")

    def is_zero(self) -> bool:
        """Return whether this is Go's zero time."""
        return self.nanoseconds is None

    def unix(self) -> int:
        """Return seconds since 1970."""
        return -62135596800 if self.nanoseconds is None else self.nanoseconds // SECOND

    def unix_milli(self) -> int:
        """Return milliseconds since 1970."""
        return self.unix() * 1000 + self.nanosecond() // 1_000_000

    def unix_micro(self) -> int:
        """Return microseconds since 1970."""
        return self.unix() * 1_000_000 + self.nanosecond() // 1000

    def unix_nano(self) -> int:
        """Return nanoseconds since 1970."""
        return self.nanoseconds or 0

    def year(self) -> int:
        """Return the year."""
        return self._fields().tm_year

    def month(self) -> str:
        """Return the month's name, as Go prints a time.Month."""
        return self.format("January")

    def day(self) -> int:
        """Return the day of the month, from 1."""
        return self._fields().tm_mday

    def weekday(self) -> str:
        """Return the day's name, as Go prints a time.Weekday."""
        return self.format("Monday")

    def year_day(self) -> int:
        """Return the day of the year, from 1."""
        return self._fields().tm_yday

    def hour(self) -> int:
        """Return the hour, from 0 to 23."""
        return self._fields().tm_hour

    def minute(self) -> int:
        """Return the minute of the hour."""
        return self._fields().tm_min

    def second(self) -> int:
        """Return the second of the minute."""
        return self._fields().tm_sec

    def nanosecond(self) -> int:
        """Return the nanoseconds of the second."""
        return (self.nanoseconds or 0) % SECOND

    def as_utc(self) -> GoTime:
        """Return the same time in UTC."""
        return GoTime(self.nanoseconds, utc=True)

    def as_local(self) -> GoTime:
        """Return the same time in the local zone."""
        return GoTime(self.nanoseconds)

    def _fields(self) -> struct_time:
        seconds = self.unix()
        return gmtime(seconds) if self.utc else localtime(seconds)

    def format(self, layout: str) -> str:
        """Return the time by a Go layout, which shows 2 January 2006, 15:04:05 (pkg.go.dev/time#Layout)."""
        fields = self._fields()
        fraction = f"{(self.nanoseconds or 0) % SECOND:09d}"
        values = _layout_values(fields, "UTC" if self.utc else fields.tm_zone)
        parts: list[str] = []
        position = 0
        while position < len(layout):
            if layout[position] in ".," and layout[position + 1 : position + 2] in ("0", "9"):
                text, position = _fraction(layout, position, fraction)
                parts.append(text)
                continue
            for word, value in values:
                if layout.startswith(word, position):
                    parts.append(value)
                    position += len(word)
                    break
            else:
                parts.append(layout[position])
                position += 1
        return "".join(parts)


def _fraction(layout: str, position: int, digits: str) -> tuple[str, int]:
    end = position + 1
    while layout[end : end + 1] == layout[position + 1]:
        end += 1
    if layout[end : end + 1].isdigit():
        return layout[position], position + 1
    shown = digits[: end - position - 1]
    if layout[position + 1] == "9":
        shown = shown.rstrip("0")
    return (layout[position] + shown if shown else ""), end


def _layout_values(fields: struct_time, zone: str) -> list[tuple[str, str]]:
    """Return the layout's words with their values; a longer word comes before its own prefixes."""
    offset = fields.tm_gmtoff // 60
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    twelve = fields.tm_hour % 12 or 12
    return [
        ("2006", f"{fields.tm_year:04d}"),
        ("January", _MONTHS[fields.tm_mon - 1]),
        ("Jan", _MONTHS[fields.tm_mon - 1][:3]),
        ("Monday", _DAYS[fields.tm_wday]),
        ("Mon", _DAYS[fields.tm_wday][:3]),
        ("MST", zone),
        ("Z07:00", "Z" if offset == 0 else f"{sign}{hours:02d}:{minutes:02d}"),
        ("Z0700", "Z" if offset == 0 else f"{sign}{hours:02d}{minutes:02d}"),
        ("-07:00", f"{sign}{hours:02d}:{minutes:02d}"),
        ("-0700", f"{sign}{hours:02d}{minutes:02d}"),
        ("-07", f"{sign}{hours:02d}"),
        ("01", f"{fields.tm_mon:02d}"),
        ("02", f"{fields.tm_mday:02d}"),
        ("03", f"{twelve:02d}"),
        ("04", f"{fields.tm_min:02d}"),
        ("05", f"{fields.tm_sec:02d}"),
        ("06", f"{fields.tm_year % 100:02d}"),
        ("15", f"{fields.tm_hour:02d}"),
        ("_2", f"{fields.tm_mday:2d}"),
        ("PM", "PM" if fields.tm_hour >= 12 else "AM"),
        ("pm", "pm" if fields.tm_hour >= 12 else "am"),
        ("1", str(fields.tm_mon)),
        ("2", str(fields.tm_mday)),
        ("3", str(twelve)),
        ("4", str(fields.tm_min)),
        ("5", str(fields.tm_sec)),
    ]
