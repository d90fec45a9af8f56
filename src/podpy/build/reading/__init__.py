"""A Dockerfile's bytes → instructions. Each keeps its place, so that every error names file, line and column.

`parser` (the whole) ← `lines` (logical lines) ← `forms` (a line's rest → words), `flags` ← `instructions`, which hold
words as they are written. `variables` (by `patterns`) expands a word with the values of its moment.
`mounts`: RUN's. `stages`: which ones a target needs. `lint`: what is odd. `ignore`: patterns of files.
The rules are those of Docker's builder. Raises BuildFileError.
"""
