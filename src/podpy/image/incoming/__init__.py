"""What comes into the store: pull, load, import; received, verified, decompressed and unpacked at the same time."""
