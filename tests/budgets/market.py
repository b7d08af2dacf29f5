"""Markets to look at: the embedded exchange, a host that never answers, and a market in which
nobody trades."""

import csv
import json
import os
import random
import socket
import subprocess
import threading
import time
import urllib.request

# 2026-01-05T00:12Z: three minutes before bars of 15 minutes close.
START = 1_767_571_920_000
MINUTE = 60_000


class Exchange:
    """`hamatop exchange` with `args`, on a free port."""

    def __init__(self, program, args):
        command = [program, "exchange", *args]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit("the embedded exchange did not start")
        where = json.loads(line)
        self.rest, self.ws = where["rest"], where["ws"]

    def flags(self, rate=1):
        return ["--rest-url", self.rest, "--ws-url", self.ws, "--clock-rate", str(rate)]

    def stats(self):
        with urllib.request.urlopen(self.rest + "/sim/stats", timeout=10) as answer:
            return json.load(answer)

    def messages(self):
        frames = self.stats()["frames"]
        return frames["updates"] + frames["closes"]

    def stop(self):
        self.child.terminate()
        self.child.wait()


class Silence:
    """A host that takes connections and never says a word."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.taken = []  # (when, connection)
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.taken.append((time.monotonic(), connection))

    def flags(self):
        port = self.socket.getsockname()[1]
        return ["--rest-url", f"http://127.0.0.1:{port}", "--ws-url", f"ws://127.0.0.1:{port}"]

    def stop(self):
        self.socket.close()
        for _, connection in self.taken:
            connection.close()


def write_idle_market(folder, symbols=125, bars=520, quiet=100):
    """Kline files in Binance's layout of pairs in which nobody has traded for a day: bars go on
    closing, each at the price of the one before. All but one, whose price stands and which trades
    every ten seconds: a market without any frame at all would be taken for a dead socket."""
    draw = random.Random(1)
    for number in range(symbols):
        name = ["BTCUSDT", "ETHUSDT"][number] if number < 2 else f"IDLE{number:03}USDT"
        pulse = number == symbols - 1
        last = 10 ** draw.uniform(-2, 4)
        volume = 10 ** draw.uniform(3, 6) / last
        for interval, minutes in (("15m", 15), ("1h", 60), ("4h", 240)):
            step = minutes * MINUTE
            first = START - START % step - bars * step
            # The same day without a trade, whatever the interval.
            still = START - quiet * 15 * MINUTE
            closes = [last]
            while len(closes) <= bars:
                closes.append(last if pulse else closes[-1] * (1 + draw.gauss(0, 0.003)))
            # Back from the last price, so that all intervals meet in it.
            closes.reverse()
            with open(os.path.join(folder, f"{name}-{interval}.csv"), "w", newline="") as file:
                out = csv.writer(file, lineterminator="\n")
                for bar in range(bars + 12):
                    start = first + bar * step
                    end = start + step - 1
                    idle = end >= still and not pulse
                    opened = last if idle else closes[min(bar, bars)]
                    closed = last if idle or end + 1 >= still else closes[min(bar + 1, bars)]
                    high, low = max(opened, closed), min(opened, closed)
                    size, trades = (0, 0) if idle else (volume, 9_000)
                    prices = [f"{price:.6f}" for price in (opened, high, low, closed)]
                    quote = size * closed
                    bought = [f"{size / 2:.3f}", f"{quote / 2:.3f}"]
                    out.writerow([start, *prices, f"{size:.3f}", end, f"{quote:.3f}", trades, *bought, 0])
