"""`podpy quadlet`: files of Quadlet are put in, listed, shown, checked and removed.

    manager.Quadlets(environ, uid=, home=, podpy=)   rows, text, unit, verify, install, remove
    sources.collect(paths, application)              what an install brings: files, directories, addresses, archives
    placing.place(directory, pieces)                 all files get their places, or none does; `clean` after a kill

It needs no store and no database: podpy.quadlet says what the files mean. An install checks all its files, together
with those that are there, before it writes one.
"""
