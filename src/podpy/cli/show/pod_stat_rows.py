"""One container in `pod stats`: Podman's PodStatsReport."""

from __future__ import annotations

from podpy.cli.show.stat_rows import StatTexts, binary_pair
from podpy.go.template.values import Struct
from podpy.libpod.containers.stats import Stats

HEADINGS = {
    "CPU": "cpu %",
    "MemUsage": "mem usage/ limit",
    "MemUsageBytes": "mem usage/ limit",
    "Mem": "mem %",
    "NetIO": "net io",
    "BlockIO": "block io",
    "PIDS": "pids",
}
_SHORT_ID = 12


def cells(pod_id: str, stats: Stats) -> tuple[str, ...]:
    """Return the standard columns."""
    texts = StatTexts(stats)
    return (
        pod_id[:_SHORT_ID], texts.id, texts.name, texts.cpu, texts.memory, texts.memory_percent, texts.network,
        texts.block, texts.pids,
    )  # fmt: skip


def row(pod_id: str, stats: Stats) -> Struct:
    """Return the fields that --format can show; its JSON is Podman's PodStatsReport."""
    texts = StatTexts(stats)
    return Struct(
        {
            "CPU": texts.cpu,
            "MemUsage": texts.memory,
            "MemUsageBytes": binary_pair(stats),
            "Mem": texts.memory_percent,
            "NetIO": texts.network,
            "BlockIO": texts.block,
            "PIDS": texts.pids,
            "Pod": pod_id[:_SHORT_ID],
            "CID": texts.id,
            "Name": texts.name,
        }
    )


def empty() -> Struct:
    """Return the row of no container, for its fields' names."""
    return row("", Stats(id="", name=""))
