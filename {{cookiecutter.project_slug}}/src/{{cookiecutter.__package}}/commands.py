"""The command line: the verbs of the library, and the project's own beside them.

A verb of one's own is a function of the settings below `@main.verb()`; its docstring is its help, and options
are click's, stacked under that line. The help lists it, and it takes `--sample N` like the others. What it
needs is imported inside it, so that the help stays quick.
"""

from handrail.cli import command_line

from . import project

main = command_line(project)
