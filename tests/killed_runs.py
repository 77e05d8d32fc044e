"""Runs in another process that are killed: what a checkpoint is for."""

import signal
import subprocess
import sys
import time


def killed_after_a_checkpoint(program, arguments, path, delay):
    """Start the program, and kill it once it has written the file; False if it ends by itself.

    Parameters
    ----------
    program : Path
        Run with the arguments and the path.
    arguments : sequence of str
    path : Path
        Of the checkpoint.
    delay : float
        Seconds from the first checkpoint of this start to the kill: a start of any length makes
        progress.
    """
    before = path.stat().st_mtime_ns if path.exists() else 0
    process = subprocess.Popen([sys.executable, str(program), *arguments, str(path)])
    while process.poll() is None:
        if path.exists() and path.stat().st_mtime_ns != before:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    code = process.wait()
    assert code in (0, -signal.SIGKILL)
    return code != 0
