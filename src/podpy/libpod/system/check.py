"""`podpy system check`: finish what killed calls have left, and look at all of the store."""

from __future__ import annotations

from podpy.libpod.system.repair import repair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


def check(engine: Engine, *, mend: bool = False) -> tuple[list[str], bool]:
    """Return a line for each thing that was done or found, and whether all is well now; `mend`: repair the store."""

    def work() -> tuple[list[str], bool]:
        done = repair(engine)
        findings = engine.store.check(repair=mend)
        found = [f"{finding.what}{': repaired' if finding.repaired else ''}" for finding in findings]
        return [*done, *found], all(finding.repaired for finding in findings)

    return engine.privileged(work)
