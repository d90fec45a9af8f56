"""One module per command: options → one libpod call → a typed result → one renderer."""
