"""Steps that make layers: RUN (a container of libpod's), COPY and ADD (a tar, made here), WORKDIR, and a squash.

Each takes the image below it and returns a layer in the staging area; the build commits it. Nothing here reads a path
of an image twice: a path is opened beneath its root, and then only its descriptor is used.
"""
