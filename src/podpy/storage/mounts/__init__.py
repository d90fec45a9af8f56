"""Root filesystems and images, mounted."""
