"""The SQLite database: connections, schema, migrations, the reserve for a full disk.

    Database.open(paths)                  database.py; WAL, or a rollback journal on network file systems
        query(sql, values) -> rows; execute -> rows changed; insert -> row id
        with database.transaction(durable=False)    BEGIN IMMEDIATE; durable: synced at the commit, for images
        make_room()                       before a removal, outside of transactions: gives up the reserve
        leave()                           at a command's end: closes without copying the WAL home
    BriefDatabase                         brief.py: for a process that forks; no connection outlives a query
    MIGRATIONS                            schema.py: a released one is never edited
    tell(database, …)                     events.py: an event, in the transaction of its change

A unique value that is taken is an InUseError, a full disk a NoSpaceError, all else a StorageError.
"""
