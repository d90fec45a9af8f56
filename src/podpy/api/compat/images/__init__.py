"""Images in Docker's form.

names.py       Docker's short names ↔ full names
listing.py     json, inspect, history; changes.py: tag, remove, prune
transfers.py   create (pull, import), push, load, get
reporting.py   a transfer's progress as lines of JSON
registries.py  auth, search, distribution; access.py: the credentials of a request
"""
