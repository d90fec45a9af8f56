"""A compose file (compose specification) → files of Quadlet that mean the same.

convert.convert(Request(…), podpy=) -> Converted     the files' texts, and what is wrong, with file, line and key

`project` (the file, its variables, profiles) ← `node` (a value with its place) ← `interpolation`, `dotenv`, `words`;
`options` has the keys of a service, with `life`, `mounts`, `networks`, `environment`; `builds` the .build files.

Rules: a key that has no form in a unit is told. A problem is fatal if the containers would differ from what docker
compose starts; a warning tells what makes no difference in them. Nothing is read but the compose file, the files of
variables that it names, and whether its other files are there; nothing is written.
"""
