"""The command line: one module a command, with its options (``add_arguments``) and what it does (``run``)."""
