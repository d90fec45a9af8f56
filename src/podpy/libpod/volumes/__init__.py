"""Volumes, as the command line, the library and the API use them.

manager     `Runtime.volumes`: the one door
transfer    export and import
inspect     what `volume inspect` says
"""
