"""The files that a build may copy. They come from a person's directory or from anywhere, so no path in them is trusted.

`ignore_file`: which ignore file counts. `fetch`: what is no directory yet becomes one.
"""
