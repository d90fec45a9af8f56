"""The engine: Runtime, Container, their state and life cycle. It never prints and never exits."""
