"""Dockerfiles → images.

`reading`: a file's bytes → instructions with their places; pure. `context`: the files that a build may copy.
`stage`: instructions → steps with keys, before anything is done. `steps`, `makers`: what makes layers. `build`: stages
in their order, each step from the cache (podpy.storage.build_cache) or done now.
Raises UsageError, BuildFileError, StepFailedError. Only build commands load this room.
"""
