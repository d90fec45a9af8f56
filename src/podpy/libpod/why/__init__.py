"""`podpy why`: explains a container's state, a file in it, or a port, in plain words. Nothing is changed.

container.py   why a container ended, never started, is unhealthy; how a removed one ended
health.py      what its health checks and hooks say; codes.py: what an exit code means
path.py        why a file can't be used inside a container: each part of its path, and what helps
port.py        which container or process uses a port of this machine
answer.py      Answer: sentences for people, facts for programs
"""
