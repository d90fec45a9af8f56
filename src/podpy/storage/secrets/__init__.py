"""Secrets: what a container must know and nobody else should see.

    Secrets(paths, database, environ) (table.py)    all, find, create, remove, data
    Secret                                          one row: id, name, driver, its options, labels, times
    drivers.py                                      SecretDriver, the interface; `find(name, options, environ)`
    file.py, password_store.py, shell.py            the drivers file, pass and shell; programs.py runs theirs
    system_credentials.py                           encrypt=systemd-creds of the driver file

On disk: the table `secrets` of podpy.sqlite has everything but the data, which are the driver's (docs/secrets.md).
graphroot/secrets/lock (flock) is held by whoever changes something, over the driver's work and the row's transaction,
so that no driver, which may be slow or ask for a passphrase, ever holds the database.

Rules:
- Data is never part of an error's text, of a command line, of an environment, or of a row.
- A crash between the driver and the row leaves data that no row knows; the file driver's is removed by the next
  create or rm.
- Raises NoSuchSecretError, InUseError, UsageError, StorageError.
"""
