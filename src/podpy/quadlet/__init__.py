"""Quadlet: files like `web.container` → units of systemd that call podpy (podman-systemd.unit(5)).

    units.generate(request, kept) -> Generated      all files of the search path → the units' texts, links and problems
    search.roots(environ, …), look(roots) -> Tree   which files there are, and the directories of their drop-ins
    unitfile.parse(raw, path) -> UnitFile           systemd's syntax: sections, entries with their lines
    words.split(text), quoted(word)                 words of a value, and back
    the table in `keys` (KINDS)                     the table: each kind's keys, their options, what they are for
    convert.convert(source, settings) -> Draft      what one file means, whatever the others say
    cache.load, store                               drafts kept by their files' digests
    output.write(directory, generated)              the generator's output directory

A draft names other files by references (draft.service_of, draft.resource_of), which `units` resolves at the end: so a
draft depends on its own file and drop-ins alone, and can be kept.

Rules:
- A broken file never stops the others. Every problem is told, with file, line and the nearest valid key; a fatal one
  means that this file, and what needs it, has no unit.
- A unit's text is the same for the same files, down to the order of its options.
- Files are bounded, are regular files, and belong to root or to the user whose manager reads them.
- Specifiers (`%i`) and variables (`$HOME`) in values are systemd's; in directories that podpy puts in they are escaped.
- Nothing here prints or reads the environment. Names that leave the output directory are refused.
"""
