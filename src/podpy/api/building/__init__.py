"""Builds for clients: podpy's own, told in the words of whoever asked.

asked.py     the parameters of a query → BuildOptions
sent.py      what a client sends along: the context, its credentials
classic.py   POST /build, prune, cancel
lines.py     what a build tells → lines of JSON
leaving.py   a build ends when its client goes
"""
