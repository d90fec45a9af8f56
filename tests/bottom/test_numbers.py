"""Numbers that files and options write: ASCII digits within a range, and nothing else."""

from __future__ import annotations

import pytest

from podpy.errors import UsageError
from podpy.numbers import fits_field, parse_id, whole
from podpy.signals import number_of


def test_a_number_has_ascii_digits_and_a_limit() -> None:
    assert [whole(text, 64) for text in ("0", "64", "0064")] == [0, 64, 64]
    for text in ("", "65", "-1", "+1", "1 ", "1_0", "²", "٣", "9" * 5000):
        assert whole(text, 64) is None
    assert parse_id("4294967294") == 4294967294 and parse_id("4294967295") is None


def test_a_field_of_passwd_has_no_colon_and_ends_no_line() -> None:
    assert fits_field("/home/größe x") and not any(fits_field(text) for text in ("a:b", "a\nb", "a\r", "a\x7f"))


@pytest.mark.parametrize("text", ["0", "65", "9" * 5000, "²", "RTMIN+31", "RTMIN+" + "9" * 5000, "NOSUCH"])
def test_a_signal_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="invalid signal"):
        number_of(text)
