"""What goes into containers and comes out of them: streams, commands, logs."""
