"""Volumes, as the command line, the library and the API use them.

manager     `Runtime.volumes`: the one door
inspect     what `volume inspect` says
"""
