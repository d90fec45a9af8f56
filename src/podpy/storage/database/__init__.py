"""The SQLite database: connections, schema, migrations, the reserve for a full disk."""
