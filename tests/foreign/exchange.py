"""A running `hamatop exchange`, its own word on what is true, and the lines that checks print."""

import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

# No proxy of the environment stands between a client and loopback.
for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
os.environ["NO_PROXY"] = "*"

PATIENCE = 30


class Exchange:
    """One process of its own on a free port; ended with the block."""

    def __init__(self, *flags):
        self.flags = flags

    def __enter__(self):
        command = [os.environ["HAMATOP"], "exchange", "--listen", "127.0.0.1:0", *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.rest, self.ws = ready["rest"], ready["ws"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def get(self, path, **query):
        url = f"{self.rest}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)

    def truth(self, market, symbol, interval, limit=2000):
        """Closed candles by open time: [open, high, low, close, volume] as numbers."""
        rows = self.get("/sim/truth", market=market, symbol=symbol, interval=interval, limit=limit)
        return {row[0]: [float(v) for v in row[1:6]] for row in rows}

    def violations(self):
        return self.get("/sim/stats")["violations"]


class Checks:
    """Prints one line a check and remembers whether any failed."""

    def __init__(self, client):
        self.client, self.failed, self.passed = client, 0, 0

    def that(self, what, holds, figures=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {self.client}: {what}{f' ({figures})' if figures else ''}", flush=True)

    def same_candles(self, what, rows, truth, least):
        """`rows` are [time, open, high, low, close, volume]. Those of candles that are closed by now
        equal the truth; there are at least so many."""
        seen = {int(row[0]): [float(v) for v in row[1:6]] for row in rows}
        closed = {t: v for t, v in seen.items() if t in truth}
        wrong = [(t, v, truth[t]) for t, v in closed.items() if v != truth[t]]
        figures = f"{len(closed)} closed candles equal"
        if wrong:
            figures = f"{len(wrong)} of {len(closed)} differ, first: {wrong[0]}"
        self.that(what, not wrong and len(closed) >= least, figures)

    def attempt(self, what, check):
        """A check that raises has failed."""
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the check's failure
            self.that(what, False, f"{type(error).__name__}: {error}"[:400])

    def end(self):
        print(f"{self.client}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)


class Inbox:
    """What a client with threads was told; waits for what is wanted, not for a time."""

    def __init__(self):
        self.items, self.changed = [], threading.Condition()

    def put(self, item):
        with self.changed:
            self.items.append(item)
            self.changed.notify_all()

    def until(self, wanted):
        """All items, as soon as `wanted` holds for them or patience ends."""
        end = time.monotonic() + PATIENCE
        with self.changed:
            while not wanted(self.items) and (left := end - time.monotonic()) > 0:
                self.changed.wait(left)
            return list(self.items)
