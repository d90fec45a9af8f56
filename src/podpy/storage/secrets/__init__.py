"""Secrets: data that a container needs and nobody else should see.

    Secrets(paths, database, environ) (table.py)    all, find, create, remove, data
    Secret                                          one row: id, name, driver, its options, labels, times
    drivers.py                                      SecretDriver, the interface; `find(name, options, environ)`
    file.py, password_store.py, shell.py            the drivers file, pass and shell; programs.py runs their programs
    system_credentials.py                           encrypt=systemd-creds of the driver file

On disk: the table `secrets` of podpy.sqlite has everything but the data, which the driver stores (docs/secrets.md).
A call that changes something holds graphroot/secrets/lock (flock) during the driver's work and the row's transaction.
So a driver, which may be slow or ask for a passphrase, never holds the database's lock.

Rules:
- Data is never part of an error's text, of a command line, of an environment, or of a row.
- A crash between the driver and the row leaves data that no row knows; the file driver's is removed by the next
  create or rm.
- Raises NoSuchSecretError, InUseError, UsageError, StorageError.
"""
