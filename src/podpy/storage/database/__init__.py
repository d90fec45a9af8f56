"""The SQLite database: connections, schema, migrations, the reserve for a full disk.

    Database.open(paths)                  database.py; WAL, or a rollback journal on network file systems
        query(sql, values) -> rows; execute -> rows changed; insert -> row id
        with database.transaction(durable=False)    BEGIN IMMEDIATE; durable: synced at the commit, for images
        make_room()                       before a removal, outside of transactions: frees the reserve
        leave()                           at a command's end: closes without a checkpoint of the WAL
    BriefDatabase                         brief.py: for a process that forks; no connection outlives a query
    MIGRATIONS                            schema.py: a released one is never edited
    tell(database, …)                     events.py: an event, in the transaction of its change

A taken unique value is an InUseError, a full disk a NoSpaceError, any other error a StorageError.
"""
