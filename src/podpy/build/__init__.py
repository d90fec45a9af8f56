"""Dockerfiles → images.

`reading`: a file's bytes → instructions with their places; pure. `context`: the files that a build may copy.
`listing`, `stage`: instructions → steps with keys, before anything is done; `bases`: what a stage begins with. `steps`,
`makers`: what makes layers. `build`: stages in their order; `executor`: one stage, each step from the cache
(podpy.storage.build_cache) or done now.
Raises UsageError, BuildFileError, StepFailedError. Only build commands load this room.
"""
