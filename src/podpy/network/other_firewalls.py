"""Other firewalls of the host that drop what goes through root's bridges: for `podpy system doctor`.

An `accept` of podpy's own table doesn't undo a `drop` in another one (nft(8), "CHAINS"), and other tables are others'
business: so the user is told.
"""

from __future__ import annotations

from podpy import process
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.rootless.checks.check import Check

_NAME = "forwarding"
_FIREWALLD = "table inet firewalld"
_MENDS = (
    (
        "DOCKER-USER",
        "iptables -I DOCKER-USER -i podman+ -j ACCEPT\niptables -I DOCKER-USER -o podman+ -j ACCEPT    # and ip6tables",
    ),
    (
        _FIREWALLD,
        "firewall-cmd --permanent --zone=trusted --add-interface=podman1    # each bridge\nfirewall-cmd --reload",
    ),
    ("ufw-", "ufw route allow in on podman1; ufw route allow out on podman1\nufw allow in on podman1 to any port 53"),
)
_OTHERS = "let pass what comes from and goes to podman+"


def forwarding(_paths: Paths) -> Check:
    """Does another firewall drop what root's bridges forward, without a word of them?"""
    from podpy.rootless.checks.check import failed, install, passed

    nft = which("nft")
    if not nft:
        return failed(_NAME, "nft is missing: no user networks", install("nftables"), required=False)
    rules = process.run([nft, "list", "ruleset"], environment=process.tool_environment()).stdout.decode(
        errors="replace"
    )
    found = [table for table in tables(rules) if drops(table)]
    if not found:
        return passed(_NAME, "no other firewall drops what bridges forward", required=False)
    names = ", ".join(table.partition(" {")[0] for table in found)
    mend = next((mend for mark, mend in _MENDS if any(mark in table for table in found)), _OTHERS)
    return failed(_NAME, f"{names} drops what user networks send and get", mend, required=False)


def tables(rules: str) -> list[str]:
    """Return the texts of the tables in what `nft list ruleset` prints, but podpy's."""
    found = [f"table {part}" for part in ("\n" + rules).split("\ntable ")[1:]]
    return [table for table in found if not table.startswith("table inet podpy")]


def drops(table: str) -> bool:
    """Return whether a table drops what nobody has allowed, and says nothing of bridges by their usual names."""
    is_closed = any("hook forward" in line and "policy drop" in line for line in table.splitlines())
    return (is_closed or table.startswith(_FIREWALLD)) and '"podman' not in table
