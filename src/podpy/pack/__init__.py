"""All modules in one file: an import then costs no look-ups, no `stat`, no `open`; and what few calls need waits.

Found one by one, the hundred modules of `podpy run` cost half of its start; from one file of marshalled code, half of
that. The file is made when podpy is installed (setup.py), is good only for the Python that made it (its name has the
interpreter's cache tag), and is read by podpy/_start.py. Without it everything works, only slower.

    python -m podpy.pack          makes it for the package that this very module is in

    build(package) -> path        what is in the file, and how it is read          podpy.pack.build
    lean(tree)                    takes out what only type checkers read           podpy.pack.lean
    defer(name, tree, names)      imports and classes wait for their first use     podpy.pack.deferred

Rules:
- The sources stay as they are: what is done here is done to syntax trees, and lines keep their numbers.
- A checkout, and a program that imports podpy, load the sources: what works must work with and without the pack.
- What is loaded late comes from the pack, whose descriptor stays open. A process that closes all its descriptors keeps
  that one (podpy.process.close_files); one that enters a foreign mount namespace imports nothing there but from the
  pack (podpy.beneath).
"""
