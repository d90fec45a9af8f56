"""One layer: unpacked, compared, copied, measured."""
