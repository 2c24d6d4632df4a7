"""Runs a command on a terminal; prints what it writes, a line for each time the
cursor went back to the start of one."""

import os
import pty
import sys


def read_all(terminal):
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other end is closed
            return
        if not part:
            return
        yield part


child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
text = b"".join(read_all(terminal)).decode()
print(text.replace("\r\n", "\n").replace("\r", "\n").replace("\033[K", "<clear>"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
