"""podpy's own version, in a module that imports nothing: rooms below libpod tell it to registries and in labels."""

from __future__ import annotations

VERSION = "0.1.0"
