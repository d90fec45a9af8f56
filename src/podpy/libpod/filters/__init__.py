"""Which objects a list shows, or a prune removes: `--filter KEY=VALUE`.

`matching(engine, …, filters)` in containers.py and images.py returns what fits all keys; several values of a key are
alternatives. parse.py is what they share, times.py reads `until=` and `--since`, search.py is `search --filter`.
An unknown key or value is a UsageError in Podman's words.
"""
