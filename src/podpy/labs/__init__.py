"""What a container is made of, step by step: texts to read, commands that run, and what to see in their output.

`texts/NAME.toml` is one lab, in English and French. `reading` reads it, `image` makes the image that its containers
use from this machine's own programs, and `session` runs its commands, compares what they say with what the text claims,
and removes what they made. Takes a Runtime; raises NotFoundError (no lab of this name) and what the image's build
raises. Nothing here prints.
"""
