"""Options of this package's managers: plain values, cheap to import."""

from __future__ import annotations

from podpy.image.options import (
    SAVE_FORMATS,
    STDOUT,
    UNKNOWN_ARTIFACT,
    ArtifactOptions,
    EntryChanges,
    ImportOptions,
    ListAddOptions,
    ListArtifactOptions,
    ListPushOptions,
    PushOptions,
    SaveOptions,
    is_address,
)
from podpy.image.progress import SILENT, Progress, Spoken
from podpy.image.registry.access import PULL_POLICIES, Access, PullOptions

__all__ = (
    "PULL_POLICIES",
    "SAVE_FORMATS",
    "SILENT",
    "STDOUT",
    "UNKNOWN_ARTIFACT",
    "Access",
    "ArtifactOptions",
    "EntryChanges",
    "ImportOptions",
    "ListAddOptions",
    "ListArtifactOptions",
    "ListPushOptions",
    "Progress",
    "PullOptions",
    "PushOptions",
    "SaveOptions",
    "Spoken",
    "is_address",
)
