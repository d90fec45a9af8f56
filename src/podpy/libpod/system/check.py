"""`podpy system check`: repairs what killed calls have left, checks the whole store and networks, and mends them."""

from __future__ import annotations

import os

from podpy.errors import InUseError, PodpyError
from podpy.libpod.containers.table import BUSY, INITIALIZED
from podpy.libpod.system.repair import repair
from podpy.storage.mounts import container_mounts, image_mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.storage.check import Finding


def check(engine: Engine, *, mend: bool = False, quick: bool = False) -> tuple[list[str], bool]:
    """Return a line for each repair or finding, and whether all is well now.

    `mend`: repair the store; a lost or damaged layer is fetched again, alone, from its stored blob or its registry.
    `quick`: don't read layers and blobs to compare their digests.
    """

    def work() -> tuple[list[str], bool]:
        done = repair(engine)
        findings = [*engine.store.check(repair=mend), *_secrets(engine, mend=mend)]
        if engine.has_bridges or engine.database.query("SELECT 1 FROM network_attachments LIMIT 1"):
            from podpy.libpod.networks.check import check

            findings += check(engine, mend=mend)
        if not quick:
            findings += _verified(engine)
        if mend:
            findings = [_mended(engine, finding) for finding in findings]
        found = [f"{finding.what}{': repaired' if finding.repaired else ''}" for finding in findings]
        return [*done, *found], all(finding.repaired for finding in findings)

    return engine.privileged(work)


def _secrets(engine: Engine, *, mend: bool) -> list[Finding]:
    from podpy.storage.check import Finding
    from podpy.storage.secrets.table import Secrets

    if not os.path.isdir(os.path.join(engine.paths.graphroot, "secrets")):
        return []
    table = Secrets(engine.paths, engine.database, engine.caller.environ)
    return [Finding(what=what, repaired=repaired) for what, repaired in table.check(repair=mend)]


def _verified(engine: Engine) -> list[Finding]:
    from podpy.image.incoming.mend import verify

    return verify(engine.store)


def _mended(engine: Engine, finding: Finding) -> Finding:
    if not finding.layer:
        return finding
    from podpy.image.incoming.mend import bring

    def refuse_mounted() -> None:
        users = _users(engine, finding.layer)
        if users:
            raise InUseError(f"not while it is mounted: {', '.join(users)}")

    try:
        refuse_mounted()  # before it is fetched; and again in the transaction that replaces it
        bring(engine.store, engine.paths, finding.layer, check=refuse_mounted)
    except PodpyError as error:
        return finding.replace(what=f"{finding.what}: {error}")
    return finding.replace(repaired=True)


def _users(engine: Engine, chain_id: str) -> list[str]:
    """Return the users that have, or are about to get, a damaged layer mounted and would lose its files.

    A missing layer has no users.
    """
    store = engine.store
    if not os.path.isdir(store.layer_path(chain_id)):
        return []
    images = {*store.images_table.with_layer(chain_id)}
    users = {container for image, those in engine.table.image_users().items() if image in images for container in those}
    mounted = {*container_mounts.mounted(store)}
    containers = [
        f"container {row.name}"
        for row in engine.table.summaries()
        if row.id in users and (row.status in (*BUSY, INITIALIZED) or row.id in mounted)
    ]
    return containers + [f"image {image_id[:12]}" for image_id in image_mounts.mounted(store) if image_id in images]
