"""All modules in one file, so that an import needs no look-up, `stat` or `open`; rarely used code is loaded late.

Imported one by one, the hundred modules of `podpy run` take half of its start; from one file of marshalled code, half
of that. setup.py makes the file when podpy is installed. It is only for the Python that made it (its name has the
interpreter's cache tag), and podpy/_start.py reads it. Without it everything works, only slower.

    python -m podpy.pack          makes it for the package of this module

    build(package) -> path        writes the file; describes its format            podpy.pack.build
    lean(tree)                    removes code for type checkers                   podpy.pack.lean
    defer(name, tree, names)      delays what can wait until its first use         podpy.pack.deferred
    CALLED                        functions that everyday commands call: they don't wait   podpy.pack.called

Rules:
- The sources stay unchanged: this package changes only syntax trees, and lines keep their numbers.
- A checkout, and a program that imports podpy, load the sources: everything must work with and without the pack.
- Code that is loaded late comes from the pack, whose descriptor stays open. A process that closes all its descriptors
  keeps that one (podpy.process.close_files); one that enters a foreign mount namespace imports there only from the pack
  (podpy.beneath).
"""
