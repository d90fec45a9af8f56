"""`--filter KEY=VALUE`: which objects a list shows, or a prune removes.

`matching(engine, …, filters)` in containers.py, images.py and volumes.py returns the objects that match all keys;
several values of a key are alternatives. parse.py has the shared code, times.py parses `until=` and `--since`,
search.py is for `search --filter`. An unknown key or value is a UsageError in Podman's words.
"""
