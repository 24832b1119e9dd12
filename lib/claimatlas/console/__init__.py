"""The process around a command: its messages, the streams of programs that it starts, and Ctrl-C."""
