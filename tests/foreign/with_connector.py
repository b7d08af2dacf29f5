"""Binance's official USD-M connector `binance-futures-connector` against the embedded exchange."""

import json
from importlib.metadata import version

from binance.error import ClientError
from binance.um_futures import UMFutures
from binance.websocket.um_futures.websocket_client import UMFuturesWebsocketClient

from exchange import Checks, Exchange, Inbox

checks = Checks(f"binance-futures-connector {version('binance-futures-connector')}")


def rest(exchange):
    um = UMFutures(base_url=exchange.rest, show_limit_usage=True)
    checks.that("ping", um.ping()["data"] == {})
    checks.that("time", um.time()["data"]["serverTime"] > 0)
    info = um.exchange_info()["data"]
    symbols = {s["symbol"] for s in info["symbols"]}
    checks.that("exchange_info", {"BTCUSDT", "BTCUSDT_261225", "TSLAUSDT"} <= symbols, f"{len(symbols)} symbols")
    for symbol, interval in (("BTCUSDT", "15m"), ("币安人生USDT", "1h"), ("FLATUSDT", "4h")):
        answer = um.klines(symbol, interval, limit=300)
        truth = exchange.truth("um", symbol, interval)
        checks.same_candles(f"klines {symbol} {interval}", answer["data"], truth, 299)
    checks.that("limit_usage", "x-mbx-used-weight-1m" in answer["limit_usage"], f"{answer['limit_usage']}")
    rows = um.continuous_klines("BTCUSDT", "PERPETUAL", "1h", limit=100)["data"]
    checks.same_candles("continuous_klines", rows, exchange.truth("um", "BTCUSDT", "1h"), 99)
    day = um.ticker_24hr_price_change()["data"]
    checks.that("ticker_24hr_price_change", {"BTCUSDT", "TSLAUSDT"} <= {d["symbol"] for d in day}, f"{len(day)} rows")
    one = um.ticker_24hr_price_change("BTCUSDT")["data"]
    checks.that("ticker_24hr_price_change of one", one["symbol"] == "BTCUSDT" and float(one["quoteVolume"]) > 0)
    price = um.ticker_price("BTCUSDT")["data"]
    checks.that("ticker_price", float(price["price"]) > 0, f"{price}")
    try:
        um.klines("NOPEUSDT", "1h")
        checks.that("an unknown symbol is a ClientError", False, "answered")
    except ClientError as error:
        checks.that("an unknown symbol is a ClientError", error.error_code == -1121, f"{error.status_code} {error.error_code}")


def closed(frames, event):
    return [f["k"] for f in frames if isinstance(f, dict) and f.get("e") == event and f["k"]["x"]]


def stream(exchange, combined):
    inbox = Inbox()

    def told(_, text):
        frame = json.loads(text)
        inbox.put(frame["data"] if "stream" in frame else frame)

    form = "combined" if combined else "raw"
    client = UMFuturesWebsocketClient(stream_url=f"{exchange.ws}/market", on_message=told, is_combined=combined)
    try:
        client.kline("BTCUSDT", "1m", id=1)
        client.continuous_kline("BTCUSDT", "perpetual", "1m", id=2)
        client.mini_ticker(id=3)
        client.ping()
        frames = inbox.until(
            lambda f: len(closed(f, "kline")) >= 3 and len(closed(f, "continuous_kline")) >= 3 and any(isinstance(x, list) for x in f)
        )
    finally:
        client.stop()
    frames, arrays = [f for f in frames if isinstance(f, dict)], [f for f in frames if isinstance(f, list)]
    acks = [f["id"] for f in frames if "result" in f]
    checks.that(f"{form} subscriptions are acknowledged", sorted(acks) == [1, 2, 3], f"{acks}")
    truth = exchange.truth("um", "BTCUSDT", "1m")
    for event in ("kline", "continuous_kline"):
        rows = [[k["t"], k["o"], k["h"], k["l"], k["c"], k["v"]] for k in closed(frames, event)]
        checks.same_candles(f"{form} stream {event}", rows, truth, 3)
    checks.that(f"{form} stream mini_ticker", bool(arrays) and any(t["s"] == "BTCUSDT" for t in arrays[0]))


with Exchange("--synthetic", "12", "--speed", "60") as exchange:
    checks.attempt("REST", lambda: rest(exchange))
    for combined in (False, True):
        checks.attempt("streams", lambda c=combined: stream(exchange, c))
checks.end()
