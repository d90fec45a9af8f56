"""`podpy why`: what podpy knows about why something is as it is, in plain words. Nothing is changed.

container.py   why a container ended, never started, is unhealthy; what became of one that is gone
path.py        why a file can't be used inside a container: each part of its path, and what mends it
port.py        who holds a port of this machine
answer.py      Answer: sentences for people, facts for programs
"""
