#!/usr/bin/env python3
"""The terminal's budgets: hamatop beside Debian's htop and btop in the same kind of pty.

    tests/budgets/run.py [--quick] [--program FILE] [--only NAME,...]

Builds hamatop in release (unless --program), installs htop, btop and strace where it may, measures,
and prints a table of ratios with their goals. Times need a quiet machine, byte counts do not.
Exit code 0: all within their budgets; 1: some over; 2: something could not be measured.
"""

import argparse
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from market import START, Exchange, Silence, write_idle_market
from terminal import BEGIN, END, Terminal, frames

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZES = ((80, 24), (120, 36))
WIDE = (120, 36)


class Table:
    """What was found: figures, the reference's, the goal, and whether it is met."""

    def __init__(self):
        self.over = self.unmeasured = 0
        print(f"{'budget':<44}{'hamatop':>14}{'reference':>22}{'ratio':>8}  {'goal':<10}", flush=True)

    def ratio(self, what, ours, theirs, unit, goal, name):
        ratio = ours / theirs if theirs else float("inf")
        said = f"{name} {theirs:.4g} {unit}"
        self.line(what, f"{ours:.4g} {unit}", said, f"{ratio:.2f}", f"<= {goal:.3g}x", ratio <= goal)

    def most(self, what, ours, unit, goal):
        self.line(what, f"{ours:.4g} {unit}", "", "", f"<= {goal:g} {unit}", ours <= goal)

    def line(self, what, ours, theirs, ratio, goal, met):
        self.over += not met
        verdict = "OK" if met else "OVER"
        print(f"{what:<44}{ours:>14}{theirs:>22}{ratio:>8}  {goal:<12}{verdict}", flush=True)

    def none(self, what, why):
        self.unmeasured += 1
        print(f"{what:<44}  NOT MEASURED: {why}", flush=True)

    def note(self, text):
        print(f"    {text}", flush=True)


class Bench:
    def __init__(self, options, table):
        self.program, self.quick, self.table = options.program, options.quick, table
        self.home = tempfile.mkdtemp(prefix="hamatop-budgets-")
        self.running = []

    def seconds(self, usual):
        return 20 if self.quick else usual

    def hamatop(self, flags, size, env=None):
        return self.started(Terminal([self.program, *flags], size, self.home, env))

    def other(self, name, size):
        return self.started(Terminal([name], size, self.home))

    def exchange(self, args):
        return self.started(Exchange(self.program, args))

    def started(self, program):
        self.running.append(program)
        return program

    def end(self):
        """Ends what a failure left running."""
        for program in self.running:
            program.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def needs(self, what, *programs):
        missing = [name for name in programs if not shutil.which(name)]
        if missing:
            self.table.none(what, f"no {' and no '.join(missing)} here; apt-get install {' '.join(missing)}")
        return not missing

    # -- first byte, first frame -----------------------------------------------------------------

    def start(self):
        """The time to the first byte and to the whole first frame, before any answer."""
        if not self.needs("first byte, first frame", "htop"):
            return
        rounds = 8 if self.quick else 40
        for size in SIZES:
            first, whole, ref_first, ref_whole, short = [], [], [], [], 0
            for _ in range(rounds):
                silence = Silence()
                ours = self.hamatop(silence.flags(), size)
                done = ours.wait(lambda data: END in data, 10)
                if done is None:
                    raise SystemExit(f"hamatop painted nothing in 10 s at {size}")
                first.append(ours.first_byte() * 1e3)
                whole.append((done - ours.began) * 1e3)
                # Whole: something stands in its last line.
                short += b"\x1b[%d;" % size[1] not in ours.between(0, done + 1e-9)
                ours.stop(b"Q")
                silence.stop()
                theirs = self.other("htop", size)
                done = theirs.wait_for_quiet(0.4, 10)
                ref_first.append(theirs.first_byte() * 1e3)
                ref_whole.append((done - theirs.began) * 1e3)
                theirs.stop(b"q")
            name = f"{size[0]}x{size[1]}, median of {rounds}"
            mid = statistics.median
            self.table.ratio(f"first byte, {name}", mid(first), mid(ref_first), "ms", 2, "htop")
            self.table.ratio(f"whole first frame, {name}", mid(whole), mid(ref_whole), "ms", 3, "htop")
            self.table.note(f"worst: {max(first):.1f} and {max(whole):.1f} ms; htop {max(ref_first):.1f} and {max(ref_whole):.1f} ms")
            self.table.line(f"first frames without their last line, {name}", str(short), "", "", "0", short == 0)

    # -- bytes of a busy market -------------------------------------------------------------------

    def busy(self):
        """Bytes a second of a busy scanner at 4 frames a second."""
        if not self.needs("bytes of the live scanner", "btop"):
            return
        seconds = self.seconds(60)
        exchange = self.exchange(["--synthetic", "125"])
        ours = self.hamatop([*exchange.flags(), "--data-fps", "4"], WIDE)
        theirs = self.other("btop", WIDE)
        self._warm(ours)
        start, before = time.monotonic(), exchange.messages()
        time.sleep(seconds)
        end, after = time.monotonic(), exchange.messages()
        data, reference = ours.between(start, end), theirs.between(start, end)
        ours.stop(b"Q")
        theirs.stop(b"q")
        exchange.stop()
        span = end - start
        self.table.ratio("bytes a second, busy, 120x36", len(data) / span, len(reference) / span, "B/s", 1 / 3, "btop")
        count = len(frames(data))
        # Four for data, one for the clock's second.
        self.table.most("frames a second, busy", count / span, "/s", 5)
        self.table.note(f"{(after - before) / span:.0f} messages/s, {count} frames of {len(data) / max(count, 1):.0f} bytes")

    def _warm(self, terminal, seconds=240):
        """Waits for the end of the warm-up, then until nothing of it is on the screen."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seen = terminal.count()
            # Painted in full, so that no word of it is split.
            terminal.type(b"\x0c")
            whole = terminal.wait(lambda data: b"\x1b[2J" in data and data.endswith(END), 5, seen)
            if whole and b"warm-up" not in terminal.since(seen):
                time.sleep(8)
                return
            time.sleep(1)
        raise SystemExit("the warm-up does not end")

    # -- an idle market ---------------------------------------------------------------------------

    def idle(self):
        """Bytes and processor time in a market in which nobody trades while bars go on closing."""
        seconds = self.seconds(300)
        folder = tempfile.mkdtemp(prefix="hamatop-idle-")
        write_idle_market(folder)
        exchange = self.exchange(["--data", folder, "--start", str(START)])
        ours = self.hamatop(exchange.flags(), WIDE)
        theirs = self.other("htop", WIDE) if self.needs("CPU of an idle market", "htop") else None
        self._warm(ours)
        before = exchange.stats()["frames"]
        start, spent = time.monotonic(), ours.cpu()
        ref_spent = theirs.cpu() if theirs else 0
        while time.monotonic() < start + seconds:
            time.sleep(1)
            # Threads come and go; what they used is kept.
            ours.cpu()
        end, spent = time.monotonic(), ours.cpu() - spent
        ref_spent = theirs.cpu() - ref_spent if theirs else 0
        data, after = ours.between(start, end), exchange.stats()["frames"]
        ours.stop(b"Q")
        if theirs:
            theirs.stop(b"q")
        exchange.stop()
        shutil.rmtree(folder)
        span = end - start
        self.table.most(f"bytes a second, idle, 120x36, {span:.0f} s", len(data) / span, "B/s", 60)
        self.table.note(f"{len(frames(data))} frames; {after['updates'] - before['updates']} updates, {after['closes'] - before['closes']} closes meanwhile")
        if theirs:
            ours_share, their_share = 100 * spent / span, 100 * ref_spent / span
            self.table.ratio(f"CPU, idle market, {span:.0f} s", ours_share, their_share, "%", 2, "htop")

    # -- one write a frame ------------------------------------------------------------------------

    def writes(self):
        """Each frame arrives by one write of the system."""
        if not self.needs("writes a frame", "strace"):
            return
        log = os.path.join(self.home, "writes")
        calls = "trace=write,writev,pwrite64,sendto"
        argv = ["strace", "-f", "-qq", "-e", calls, "-s", "16", "-o", log, self.program, "demo", "--data-fps", "10"]
        ours = self.started(Terminal(argv, WIDE, self.home))
        self._warm(ours)
        for n in range(20):
            ours.type(b"jk"[n % 2 : n % 2 + 1])
            time.sleep(0.1)
        ours.stop(b"Q")
        data = b"".join(piece for _, piece in ours.pieces)
        painted, written, odd, begun = len(frames(data)), 0, 0, {}
        with open(log, errors="replace") as file:
            for line in file:
                thread = line.split()[0]
                call = re.search(r'write\(1, "(.*?)"\.*, (\d+)', line)
                if call and call[1].startswith(r"\33[?2026h"):
                    written += 1
                    begun[thread] = call[2]
                # A call during which another thread had its turn ends in a line of its own.
                ended = re.search(r"\) += (-?\d+)", line)
                if ended and thread in begun and ("write(1" in line or "write resumed" in line):
                    odd += begun.pop(thread) != ended[1]
        self.table.line("writes a frame", f"{written}/{painted}", "", f"{written / max(painted, 1):.2f}", "1", written == painted and painted > 20)
        self.table.line("writes cut short", str(odd), "", "", "0", odd == 0)

    # -- keys -------------------------------------------------------------------------------------

    def keys(self):
        """From a key to the bytes of the frame that shows what it did."""
        presses = 100 if self.quick else 1000
        exchange = self.exchange(["--synthetic", "500"])
        flags = [*exchange.flags(), "--top", "500", "--intervals", "15m,1h,4h,1d"]
        ours = self.hamatop(flags, WIDE)
        self._warm(ours, 600)
        ours.type(b"g")
        time.sleep(0.5)
        start, before, took, lost = time.monotonic(), exchange.messages(), [], 0
        draw = random.Random(7)
        for n in range(presses):
            # Never in step with the frames.
            time.sleep(draw.uniform(0.05, 0.4))
            seen = ours.count()
            pressed = ours.type(b"j" if n % 2 == 0 else b"k")
            done = ours.wait(cursor_moved, 2, seen)
            if done is None:
                lost += 1
            else:
                took.append((done - pressed) * 1e3)
        span = time.monotonic() - start
        rate = (exchange.messages() - before) / span
        streams = exchange.stats()["streams"]
        ours.stop(b"Q")
        exchange.stop()
        took.sort()
        at = lambda share: took[min(int(len(took) * share), len(took) - 1)]
        self.table.most(f"key to paint, p99 of {len(took)}", at(0.99), "ms", 33)
        self.table.note(f"p50 {at(0.5):.1f}, worst {took[-1]:.1f} ms; {rate:.0f} messages/s on {streams} streams")
        self.table.line("keys without a frame", str(lost), "", "", "0", lost == 0)
        self.table.line("messages a second meanwhile", f"{rate:.0f}", "", "", ">= 1000", rate >= 1000)


def cursor_moved(data):
    """Whether a whole frame in `data` draws the cursor's mark at the left edge."""
    return any(re.search(rb"\x1b\[\d+;1H(?:\x1b\[[0-9;]*m)*>", frame) for frame in frames(data))


NAMES = ("start", "busy", "idle", "writes", "keys")


def install():
    """Installs the references where that may be done."""
    missing = [name for name in ("htop", "btop", "strace") if not shutil.which(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(apt, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **quiet)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="20 s where the budget says minutes: to try it out")
    parser.add_argument("--program", help="a hamatop that is built already")
    parser.add_argument("--only", help=f"some of {','.join(NAMES)}")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else NAMES
    if set(names) - set(NAMES):
        parser.error(f"--only takes some of {','.join(NAMES)}")
    install()
    if options.program:
        options.program = os.path.abspath(options.program)
    else:
        subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
        options.program = os.path.join(os.environ.get("CARGO_TARGET_DIR", f"{ROOT}/target"), "release", "hamatop")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    table = Table()
    bench = Bench(options, table)
    try:
        for name in names:
            getattr(bench, name)()
    finally:
        bench.end()
    if table.unmeasured:
        return 2
    return 1 if table.over else 0


if __name__ == "__main__":
    sys.exit(main())
