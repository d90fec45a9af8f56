"""Argv in, text out: parses, calls libpod, prints."""
