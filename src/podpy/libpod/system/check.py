"""`podpy system check`: finish what killed calls have left, look at all of the store, and mend it."""

from __future__ import annotations

from podpy.errors import PodpyError
from podpy.libpod.system.repair import repair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.storage.check import Finding


def check(engine: Engine, *, mend: bool = False, quick: bool = False) -> tuple[list[str], bool]:
    """Return a line for each thing that was done or found, and whether all is well now.

    `mend`: repair the store; a layer that is lost or damaged is brought again, alone, from its kept blob or its
    registry. `quick`: don't read layers and blobs to compare their digests.
    """

    def work() -> tuple[list[str], bool]:
        done = repair(engine)
        findings = engine.store.check(repair=mend)
        if not quick:
            findings += _verified(engine)
        if mend:
            findings = [_mended(engine, finding) for finding in findings]
        found = [f"{finding.what}{': repaired' if finding.repaired else ''}" for finding in findings]
        return [*done, *found], all(finding.repaired for finding in findings)

    return engine.privileged(work)


def _verified(engine: Engine) -> list[Finding]:
    from podpy.image.incoming.mend import verify

    return verify(engine.store)


def _mended(engine: Engine, finding: Finding) -> Finding:
    if not finding.layer:
        return finding
    from podpy.image.incoming.mend import bring

    try:
        bring(engine.store, engine.paths, finding.layer)
    except PodpyError as error:
        return finding.replace(what=f"{finding.what}: {error}")
    return finding.replace(repaired=True)
