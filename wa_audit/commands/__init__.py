"""One module a command, each with a function of the command's name; cli.py mounts them by name.

A command's module imports click and `flags`; whatever is heavy is imported as the command runs.
"""
