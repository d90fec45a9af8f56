"""What a container is asked to be: texts of options → values, and the defaults of containers.conf.

Nothing here prints, knows of a command line, or asks the kernel.
"""
