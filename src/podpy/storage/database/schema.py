"""The tables of podpy.sqlite, and how an older database becomes a newer one.

`PRAGMA user_version` is the number of migrations that a database has seen. A released migration is never edited: a
change is one more entry. Times are nanoseconds since 1970, sizes are bytes, digests are "sha256:HEX", ids are 64 hex
digits.
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- number names the directory in layers/. AUTOINCREMENT: a number that was once committed is never used again, so an
-- overlay mount that outlives its layer's row can't see another layer's files.
CREATE TABLE layers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id TEXT NOT NULL UNIQUE,
    parent TEXT,
    diff_id TEXT NOT NULL,
    size INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE images (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    manifest BLOB NOT NULL,
    config BLOB NOT NULL,
    created INTEGER NOT NULL,
    size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX images_by_digest ON images (digest);
CREATE TABLE image_layers (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    chain_id TEXT NOT NULL REFERENCES layers (chain_id),
    PRIMARY KEY (image_id, position)
) WITHOUT ROWID;
CREATE INDEX image_layers_by_chain_id ON image_layers (chain_id);
CREATE TABLE image_blobs (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (image_id, digest)
) WITHOUT ROWID;
CREATE INDEX image_blobs_by_digest ON image_blobs (digest);
CREATE TABLE image_names (
    name TEXT PRIMARY KEY,
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX image_names_by_image ON image_names (image_id);

-- What `podpy ps` shows are columns, so that it is one query. image_id is no foreign key: a container may outlive the
-- names of its image, and one with --rootfs has none.
CREATE TABLE containers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    image_id TEXT NOT NULL DEFAULT '',
    image_name TEXT NOT NULL DEFAULT '',
    command TEXT NOT NULL DEFAULT '[]',
    labels TEXT NOT NULL DEFAULT '{}',
    ports TEXT NOT NULL DEFAULT '[]',
    log_path TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL,
    status TEXT NOT NULL,
    pid INTEGER NOT NULL DEFAULT 0,
    pid_start INTEGER NOT NULL DEFAULT 0,
    conmon_pid INTEGER NOT NULL DEFAULT 0,
    conmon_start INTEGER NOT NULL DEFAULT 0,
    boot_id TEXT NOT NULL DEFAULT '',
    started INTEGER NOT NULL DEFAULT 0,
    finished INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER NOT NULL DEFAULT 0,
    oom_killed INTEGER NOT NULL DEFAULT 0,
    restarts INTEGER NOT NULL DEFAULT 0,
    stopped_by_user INTEGER NOT NULL DEFAULT 0,
    exec_count INTEGER NOT NULL DEFAULT 0,
    cleaned INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    -- The last column: it fills overflow pages (sqlite.org/fileformat2.html, 1.6), which a list then needn't read.
    spec TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX containers_by_created ON containers (created);
CREATE INDEX containers_by_status ON containers (status, created);
CREATE INDEX containers_by_image ON containers (image_id) WHERE image_id != '';

CREATE TABLE volumes (
    name TEXT PRIMARY KEY,
    anonymous INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    labels TEXT NOT NULL DEFAULT '{}',
    options TEXT NOT NULL DEFAULT '{}',
    copied_up INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE container_volumes (
    container_id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
    volume TEXT NOT NULL,
    PRIMARY KEY (container_id, volume)
) WITHOUT ROWID;
CREATE INDEX container_volumes_by_volume ON container_volumes (volume);

-- A call that relies on layers or blobs that no image uses yet (a pull that skips what is here already) writes this
-- down:
-- garbage collection leaves them alone for as long as the maker's staging directory in tmp/ is locked.
CREATE TABLE leases (
    staging TEXT NOT NULL,
    object TEXT NOT NULL,
    PRIMARY KEY (staging, object)
) WITHOUT ROWID;
CREATE INDEX leases_by_object ON leases (object);
"""

# Exposed ports that aren't published are in `podpy ps`, too: a JSON list of "80/tcp".
_SECOND = """
ALTER TABLE containers ADD COLUMN exposed TEXT NOT NULL DEFAULT '[]';
UPDATE containers SET exposed = json_extract(spec, '$.expose') WHERE NOT instr(spec, '"expose":[]');
"""

# A column that was added stands behind the specification, in its overflow pages: `ps -a` read one for each container.
# Dropping a table deletes its rows first, and what refers to them with ON DELETE CASCADE: that is kept meanwhile.
_THIRD = """
CREATE TABLE containers_anew (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    image_name TEXT NOT NULL DEFAULT '',
    command TEXT NOT NULL DEFAULT '[]',
    ports TEXT NOT NULL DEFAULT '[]',
    exposed TEXT NOT NULL DEFAULT '[]',
    created INTEGER NOT NULL,
    status TEXT NOT NULL,
    pid INTEGER NOT NULL DEFAULT 0,
    pid_start INTEGER NOT NULL DEFAULT 0,
    conmon_pid INTEGER NOT NULL DEFAULT 0,
    conmon_start INTEGER NOT NULL DEFAULT 0,
    boot_id TEXT NOT NULL DEFAULT '',
    started INTEGER NOT NULL DEFAULT 0,
    finished INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER NOT NULL DEFAULT 0,
    oom_killed INTEGER NOT NULL DEFAULT 0,
    restarts INTEGER NOT NULL DEFAULT 0,
    stopped_by_user INTEGER NOT NULL DEFAULT 0,
    exec_count INTEGER NOT NULL DEFAULT 0,
    cleaned INTEGER NOT NULL DEFAULT 0,
    -- What no list shows comes last: it fills overflow pages (sqlite.org/fileformat2.html, 1.6), which a list then
    -- needn't read. A row keeps about 490 bytes outside of them.
    image_id TEXT NOT NULL DEFAULT '',
    labels TEXT NOT NULL DEFAULT '{}',
    log_path TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    spec TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO containers_anew SELECT
    id, name, image_name, command, ports, exposed, created, status, pid, pid_start, conmon_pid,
    conmon_start, boot_id, started, finished, exit_code, oom_killed, restarts, stopped_by_user,
    exec_count, cleaned, image_id, labels, log_path, error, spec
FROM containers;
CREATE TEMP TABLE kept AS SELECT container_id, volume FROM container_volumes;
DROP TABLE containers;
ALTER TABLE containers_anew RENAME TO containers;
INSERT INTO container_volumes SELECT container_id, volume FROM kept;
DROP TABLE kept;
CREATE INDEX containers_by_created ON containers (created);
CREATE INDEX containers_by_status ON containers (status, created);
CREATE INDEX containers_by_image ON containers (image_id) WHERE image_id != '';
"""

# recipe: size of recipes/NUMBER, 0: there is none. tar_size: bytes of the uncompressed tar, -1: not known.
# layer_blobs: a blob that is here and decompresses to the layer with this diff id (of whatever image).
_RECIPES = """
ALTER TABLE layers ADD COLUMN recipe INTEGER NOT NULL DEFAULT 0;
ALTER TABLE layers ADD COLUMN tar_size INTEGER NOT NULL DEFAULT -1;
CREATE TABLE layer_blobs (
    diff_id TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blobs (digest) ON DELETE CASCADE,
    PRIMARY KEY (diff_id, digest)
) WITHOUT ROWID;
CREATE INDEX layer_blobs_by_digest ON layer_blobs (digest);
INSERT OR IGNORE INTO layer_blobs SELECT layers.diff_id, blobs.digest FROM image_layers
    JOIN layers USING (chain_id) JOIN images ON images.id = image_layers.image_id
    JOIN blobs ON blobs.digest =
        CASE WHEN json_valid(CAST(images.manifest AS TEXT)) -- Python's JSON has NaN, SQLite's hasn't
        THEN json_extract(CAST(images.manifest AS TEXT), '$.layers[' || image_layers.position || '].digest') END
    WHERE length(images.manifest) > 0;
"""

# A manifest list is an image with an empty configuration: `images.manifest` is the list. When the list is pushed, each
# entry comes from where `list_sources` says. `source` is "containers-storage:ID", "docker://NAME",
# "oci:DIRECTORY:NAME", or empty for an artifact that was made for this list: then `manifest` is the entry's manifest,
# its blobs are the list's in `image_blobs`, and `files` (a JSON list) names what it was made of.
#
# Artifacts have names but no ids, and aren't images.
_LISTS = """
CREATE TABLE list_sources (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    source TEXT NOT NULL,
    manifest BLOB NOT NULL,
    files TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (image_id, digest)
) WITHOUT ROWID;
CREATE TABLE artifacts (
    name TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    manifest BLOB NOT NULL,
    added INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX artifacts_by_digest ON artifacts (digest);
CREATE TABLE artifact_blobs (
    name TEXT NOT NULL REFERENCES artifacts (name) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (name, digest)
) WITHOUT ROWID;
CREATE INDEX artifact_blobs_by_digest ON artifact_blobs (digest);
"""

# images_summary: `podpy images` needs columns that lie behind manifest and configuration, in their overflow pages.
# name_history: the names that an image has had, with the time at which each was last given.
# disk_usage: bytes on the disk (as `du` counts them) of directory trees that never change, measured once.
_SPACE = """
CREATE INDEX images_summary ON images (created, id, digest, size);
CREATE TABLE name_history (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    given INTEGER NOT NULL,
    PRIMARY KEY (image_id, name)
) WITHOUT ROWID;
INSERT INTO name_history SELECT image_id, name, 0 FROM image_names;
CREATE TABLE disk_usage (path TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
"""

# storage/layers/compressed.py
_COMPRESSED = """
CREATE TABLE compressed_layers (
    diff_id TEXT NOT NULL,
    form TEXT NOT NULL,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (diff_id, form)
) WITHOUT ROWID;
"""

# Every manifest that an image has come by, the one that came first at position 0, a list that led to it (pull) before
# its own. `images.digest` is the one that came last. A manifest list has one, which is its contents.
# The index covers what lists of images need, so that these don't read any manifest.
_MANIFESTS = """
CREATE TABLE image_manifests (
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    position INTEGER NOT NULL,
    manifest BLOB NOT NULL,
    PRIMARY KEY (image_id, digest)
) WITHOUT ROWID;
CREATE INDEX image_manifests_by_digest ON image_manifests (digest, position);
INSERT INTO image_manifests SELECT id, digest, 0, manifest FROM images WHERE length(manifest) > 0;
ALTER TABLE images DROP COLUMN manifest;
"""

# Columns and relations have what queries look for; a specification is read only with its container.
# (Python's JSON has NaN, SQLite's hasn't: then the columns keep their defaults.)
#
# names: containers and pods share one space of names.
# container_relations: `kind` is the namespace of container `target` that is joined (network, pid, ipc, uts, cgroupns,
# userns). Volumes have a table of their own, which was here before.
# events: what podman-events(1) names, written in the transaction of the change; the newest 100,000 stay. `attributes`
# is a JSON object; events.py says what is in it.
#
# Every connection parses the whole schema, so a trigger costs each call, whether it fires or not.
_STATE = """
CREATE TABLE containers_anew (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    image_name TEXT NOT NULL DEFAULT '',
    command TEXT NOT NULL DEFAULT '[]',
    ports TEXT NOT NULL DEFAULT '[]',
    exposed TEXT NOT NULL DEFAULT '[]',
    created INTEGER NOT NULL,
    status TEXT NOT NULL,
    pid INTEGER NOT NULL DEFAULT 0,
    pid_start INTEGER NOT NULL DEFAULT 0,
    conmon_pid INTEGER NOT NULL DEFAULT 0,
    conmon_start INTEGER NOT NULL DEFAULT 0,
    boot_id TEXT NOT NULL DEFAULT '',
    started INTEGER NOT NULL DEFAULT 0,
    finished INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER NOT NULL DEFAULT 0,
    oom_killed INTEGER NOT NULL DEFAULT 0,
    restarts INTEGER NOT NULL DEFAULT 0,
    stopped_by_user INTEGER NOT NULL DEFAULT 0,
    exec_count INTEGER NOT NULL DEFAULT 0,
    cleaned INTEGER NOT NULL DEFAULT 0,
    remove_at_exit INTEGER NOT NULL DEFAULT 0,
    restart_policy TEXT NOT NULL DEFAULT '',
    pod TEXT NOT NULL DEFAULT '',
    -- What no list shows comes last: it fills overflow pages (sqlite.org/fileformat2.html, 1.6), which a list then
    -- needn't read. A row keeps about 490 bytes outside of them.
    image_id TEXT NOT NULL DEFAULT '',
    labels TEXT NOT NULL DEFAULT '{}',
    log_path TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    spec TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO containers_anew SELECT
    id, name, image_name, command, ports, exposed, created, status, pid, pid_start, conmon_pid,
    conmon_start, boot_id, started, finished, exit_code, oom_killed, restarts, stopped_by_user,
    exec_count, cleaned,
    json_valid(spec) AND coalesce(json_extract(spec, '$.remove'), 0),
    CASE WHEN json_valid(spec) THEN coalesce(json_extract(spec, '$.restart_policy'), '') ELSE '' END, '',
    image_id, labels, log_path, error, spec
FROM containers;
CREATE TEMP TABLE kept AS SELECT container_id, volume FROM container_volumes;
DROP TABLE containers;
ALTER TABLE containers_anew RENAME TO containers;
INSERT INTO container_volumes SELECT container_id, volume FROM kept;
DROP TABLE kept;
CREATE INDEX containers_by_created ON containers (created);
CREATE INDEX containers_by_status ON containers (status, created);
CREATE INDEX containers_by_image ON containers (image_id) WHERE image_id != '';
CREATE INDEX containers_removed_at_exit ON containers (status) WHERE remove_at_exit;

CREATE TABLE names (name TEXT PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL UNIQUE) WITHOUT ROWID;
INSERT INTO names SELECT name, 'container', id FROM containers;

CREATE TABLE container_relations (
    container_id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (container_id, kind, target)
) WITHOUT ROWID;
CREATE INDEX container_relations_by_target ON container_relations (target);
INSERT INTO container_relations SELECT containers.id, field.key, substr(field.value, length('container:') + 1)
    FROM containers, json_each(CASE WHEN json_valid(spec) THEN spec ELSE '{}' END) AS field
    WHERE field.key IN ('network', 'pid', 'ipc', 'uts', 'cgroupns', 'userns')
    AND substr(field.value, 1, length('container:')) = 'container:';

CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    type TEXT NOT NULL,
    action TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX events_by_time ON events (time);
CREATE TRIGGER events_bounded AFTER INSERT ON events WHEN NEW.number % 1000 = 0 BEGIN
    DELETE FROM events WHERE number <= NEW.number - 100000;
END;
"""

# storage/secrets: everything but the data. `options` and `labels` are JSON objects of texts.
_SECRETS = """
CREATE TABLE secrets (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    driver TEXT NOT NULL,
    options TEXT NOT NULL DEFAULT '{}',
    labels TEXT NOT NULL DEFAULT '{}',
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) WITHOUT ROWID;
"""

# driver, uid, gid: storage/volumes/table.py.
_VOLUMES = """
ALTER TABLE volumes ADD COLUMN driver TEXT NOT NULL DEFAULT 'local';
ALTER TABLE volumes ADD COLUMN uid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE volumes ADD COLUMN gid INTEGER NOT NULL DEFAULT 0;
"""

# storage/network_rows.py
_NETWORKS = """
CREATE TABLE network_attachments (
    container_id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    interface TEXT NOT NULL,
    mac TEXT NOT NULL,
    host_interface TEXT NOT NULL,
    PRIMARY KEY (container_id, network)
) WITHOUT ROWID;
CREATE TABLE network_addresses (
    network TEXT NOT NULL,
    address TEXT NOT NULL,
    container_id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
    subnet TEXT NOT NULL,
    PRIMARY KEY (network, address)
) WITHOUT ROWID;
CREATE INDEX network_addresses_by_container ON network_addresses (container_id);
CREATE TABLE network_last (
    network TEXT NOT NULL,
    subnet TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (network, subnet)
) WITHOUT ROWID;
"""

# A row without its specification lies on one page: a change writes that page and no more. In a table WITHOUT ROWID a
# search reads each row that it meets whole, with its overflow pages (sqlite.org/fileformat2.html, 1.6); a table with
# rowids keeps up to 4,061 bytes of a row together, and is searched through the index of its ids.
#
# events: the newest are never deleted but with all others, so numbers grow without AUTOINCREMENT, which writes a page
# of its own for each. Two indexes of containers served no query that needs one; every repair asks the new one, which is
# empty but for a moment.
_SPECS = """
CREATE TABLE container_specs (
    id TEXT PRIMARY KEY REFERENCES containers (id) ON DELETE CASCADE,
    spec TEXT NOT NULL
);
INSERT INTO container_specs SELECT id, spec FROM containers;
ALTER TABLE containers DROP COLUMN spec;
DROP INDEX containers_by_created;
DROP INDEX containers_removed_at_exit;
CREATE INDEX containers_left_by_restarts ON containers (finished) WHERE stopped_by_user = 2;

CREATE TABLE events_anew (
    number INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    type TEXT NOT NULL,
    action TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL DEFAULT '{}'
);
INSERT INTO events_anew SELECT * FROM events;
DROP TABLE events;
ALTER TABLE events_anew RENAME TO events;
CREATE INDEX events_by_time ON events (time);
CREATE TRIGGER events_bounded AFTER INSERT ON events WHEN NEW.number % 1000 = 0 BEGIN
    DELETE FROM events WHERE number <= NEW.number - 100000;
END;
"""

# libpod/pods/table.py. A pod's state follows from its containers', so it is in no column. `removing`: it is going, with
# all that is in it. The index has no row where there are no pods.
_PODS = """
CREATE TABLE pods (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    infra_id TEXT NOT NULL DEFAULT '',
    exit_policy TEXT NOT NULL DEFAULT 'continue',
    removing INTEGER NOT NULL DEFAULT 0,
    labels TEXT NOT NULL DEFAULT '{}',
    spec TEXT NOT NULL
);
CREATE INDEX containers_by_pod ON containers (pod) WHERE pod != '';
"""

# libpod/system/unfinished.py: what a call has made that makes many things, or nothing; empty but for a moment.
_UNFINISHED = """
CREATE TABLE unfinished (
    number INTEGER PRIMARY KEY,
    work TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL
);
"""

# storage/build_cache.py: which image a step of a build has made. `inputs` is a JSON object of what the key is a digest
# of; `place`: which step of which file, whatever its text. `result`: the image is a build's result, not only a step's.
_BUILD_CACHE = """
CREATE TABLE build_cache (
    key TEXT PRIMARY KEY,
    image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    inputs TEXT NOT NULL,
    result INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX build_cache_by_image ON build_cache (image_id);
CREATE INDEX build_cache_by_place ON build_cache (place);
"""

# libpod/updates/table.py: the history of auto-update, and what a call is doing just now (`ended` is 0).
_UPDATES = """
CREATE TABLE updates (
    number INTEGER PRIMARY KEY,
    begun INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    container TEXT NOT NULL,
    container_id TEXT NOT NULL,
    unit TEXT NOT NULL,
    manager TEXT NOT NULL,
    image TEXT NOT NULL,
    policy TEXT NOT NULL,
    former_id TEXT NOT NULL,
    former_digest TEXT NOT NULL,
    new_id TEXT NOT NULL,
    new_digest TEXT NOT NULL,
    result TEXT NOT NULL,
    error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX updates_unfinished ON updates (number) WHERE ended = 0;
CREATE INDEX updates_by_container ON updates (container, number);
CREATE TRIGGER updates_bounded AFTER INSERT ON updates WHEN NEW.number % 100 = 0 BEGIN
    DELETE FROM updates WHERE number <= NEW.number - 1000 AND ended != 0;
END;
"""

MIGRATIONS = (
    _FIRST, _SECOND, _THIRD, _RECIPES, _LISTS, _SPACE, _COMPRESSED, _MANIFESTS, _STATE, _SECRETS, _VOLUMES, _NETWORKS,
    _SPECS, _PODS, _UNFINISHED, _BUILD_CACHE, _UPDATES,
)  # fmt: skip
VERSION = len(MIGRATIONS)
