"""What goes out of the store: push, and the layers that save writes."""
