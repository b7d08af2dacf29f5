"""A program in a pty, and what it writes there, each piece with the time it came."""

import fcntl
import os
import pty
import signal
import struct
import termios
import threading
import time

BEGIN, END = b"\x1b[?2026h", b"\x1b[?2026l"


class Terminal:
    """Starts `argv` on a terminal of `size` (columns, rows) and reads all it writes."""

    def __init__(self, argv, size, home, env=None):
        self.pieces = []  # (time, bytes)
        self.news = threading.Condition()
        self.ended = self.reaped = False
        self.spent = {}  # thread -> (name, nanoseconds on a processor)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        whole = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": home}
        whole.update(env or {})
        told, tells = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in range(3):
                    os.dup2(slave, fd)
                os.chdir(home)
                # The last thing before the program: what went before is this script's own slowness.
                os.write(tells, struct.pack("q", time.monotonic_ns()))
                os.execvpe(argv[0], argv, whole)
            finally:
                os._exit(127)
        os.close(slave)
        os.close(tells)
        self.began = struct.unpack("q", os.read(told, 8))[0] / 1e9
        os.close(told)
        self.master = master
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                piece = os.read(self.master, 1 << 16)
            except OSError:
                piece = b""
            now = time.monotonic()
            with self.news:
                if piece:
                    self.pieces.append((now, piece))
                else:
                    self.ended = True
                self.news.notify_all()
            if not piece:
                return

    def type(self, keys):
        """Types, and says when."""
        now = time.monotonic()
        os.write(self.master, keys)
        return now

    def wait(self, what, seconds, since=0):
        """Waits until `what(bytes since piece number `since`)` is true; the time of that piece."""
        end = time.monotonic() + seconds
        with self.news:
            while True:
                whole = b"".join(piece for _, piece in self.pieces[since:])
                if self.pieces[since:] and what(whole):
                    return self.pieces[-1][0]
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    return None
                self.news.wait(left)

    def wait_for_quiet(self, gap, seconds):
        """Waits until nothing was written for `gap` seconds after something was."""
        end = time.monotonic() + seconds
        with self.news:
            while time.monotonic() < end and not self.ended:
                last = self.pieces[-1][0] if self.pieces else None
                if last and time.monotonic() - last >= gap:
                    return last
                self.news.wait(gap / 4)
        return None

    def count(self):
        with self.news:
            return len(self.pieces)

    def between(self, start, end):
        """What was written between two times."""
        with self.news:
            return b"".join(piece for at, piece in self.pieces if start <= at < end)

    def since(self, piece):
        """What was written from a piece on."""
        with self.news:
            return b"".join(data for _, data in self.pieces[piece:])

    def first_byte(self):
        with self.news:
            return self.pieces[0][0] - self.began if self.pieces else None

    def cpu(self):
        """Seconds on a processor by the scheduler's statistics, of all its threads, also of those
        that have ended (as they were when last asked)."""
        try:
            for task in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    self.spent[task] = int(file.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
        return sum(self.spent.values()) / 1e9

    def stop(self, keys=b""):
        """Ends it: by its own key, else by its id. A second time does nothing."""
        if self.reaped:
            return
        if keys:
            try:
                self.type(keys)
            except OSError:
                pass
            self._gone(2)
        for sig in (signal.SIGTERM, signal.SIGKILL):
            if self._gone(0):
                break
            os.kill(self.pid, sig)
            self._gone(3)
        os.close(self.master)

    def _gone(self, seconds):
        if self.reaped:
            return True
        end = time.monotonic() + seconds
        while True:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                self.reaped = True
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)


def frames(data):
    """The synchronized frames in `data`."""
    found = []
    for part in data.split(BEGIN)[1:]:
        if END in part:
            found.append(part.split(END)[0])
    return found
