"""The package ccxt (REST, and the WebSocket client that comes in it) against the embedded exchange."""

import asyncio

import ccxt.pro

from exchange import Checks, Exchange, PATIENCE

checks = Checks(f"ccxt {ccxt.__version__}")


def client(exchange, kind, types):
    """Only addresses are changed, as for any mirror of the exchange."""
    made = getattr(ccxt.pro, kind)({"options": {"fetchMarkets": {"types": types}}})
    api, rest = made.urls["api"], exchange.rest
    api.update({"public": f"{rest}/api/v3", "v1": f"{rest}/api/v1", "fapiPublic": f"{rest}/fapi/v1"})
    api.update({"fapiPublicV2": f"{rest}/fapi/v2", "dapiPublic": f"{rest}/dapi/v1"})
    api["ws"].update({"spot": f"{exchange.ws}/ws", "linear": f"{exchange.ws}/ws"})
    return made


async def load(of, name, symbols):
    markets = await of.load_markets()
    active = [s for s, m in markets.items() if m["active"]]
    checks.that(f"{name} load_markets", all(s in active for s in symbols), f"{len(markets)} markets, {len(active)} active")
    return markets


async def ohlcv(exchange, of, name, market, symbol, interval):
    wanted = of.market(symbol)["id"]
    rows = await of.fetch_ohlcv(symbol, interval, limit=300)
    truth = exchange.truth(market, wanted, interval)
    checks.same_candles(f"{name} fetch_ohlcv {symbol} {interval}", rows, truth, 250)
    since = rows[100][0]
    page = await of.fetch_ohlcv(symbol, interval, since=since, limit=50)
    checks.that(f"{name} fetch_ohlcv since", page == rows[100:150], f"{len(page)} rows")


async def tickers(exchange, of, name, market, symbol):
    all_of = await of.fetch_tickers()
    one = all_of[symbol]
    newest = exchange.truth(market, of.market(symbol)["id"], "15m", 100)
    low, high = min(v[2] for v in newest.values()), max(v[1] for v in newest.values())
    fine = 0.5 * low <= one["low"] <= one["last"] <= one["high"] <= 2 * high and one["quoteVolume"] > 0
    checks.that(f"{name} fetch_tickers", fine, f"{len(all_of)} tickers, {symbol} {one['last']} {one['percentage']} %")
    price = await of.fetch_last_prices([symbol])
    checks.that(f"{name} fetch_last_prices", low * 0.5 <= price[symbol]["price"] <= high * 2, f"{price[symbol]['price']}")


async def watched(exchange, of, name, market, symbol, interval, closes):
    """Follows a stream over some closes, then compares every one of them."""
    seen = {}

    async def follow():
        while len(seen) <= closes:
            for row in await of.watch_ohlcv(symbol, interval):
                seen[row[0]] = row

    await asyncio.wait_for(follow(), PATIENCE)
    # The first was joined half way, the last is running.
    rows = sorted(seen.values())[:-1]
    truth = exchange.truth(market, of.market(symbol)["id"], interval)
    checks.same_candles(f"{name} watch_ohlcv {symbol} {interval}", rows, truth, closes)


async def watched_tickers(of, name, symbols):
    got = await asyncio.wait_for(of.watch_tickers(symbols, {"name": "miniTicker"}), PATIENCE)
    checks.that(f"{name} watch_tickers", all(t["last"] > 0 for t in got.values()), f"{len(got)} of {len(symbols)}")


async def attempt(what, check):
    try:
        await check
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the check's failure
        checks.that(what, False, f"{type(error).__name__}: {error}"[:400])


async def refusals(of, name, symbol):
    for what, kind, call in [
        ("an unknown interval is BadRequest", ccxt.BadRequest, of.fetch_ohlcv(symbol, "7m")),
        ("too high a limit is BadRequest", ccxt.BadRequest, of.fapiPublicGetKlines({"symbol": "BTCUSDT", "interval": "1h", "limit": 9999})),
        ("an unknown symbol is BadSymbol", ccxt.BadSymbol, of.fapiPublicGetKlines({"symbol": "NOPE", "interval": "1h"})),
    ]:
        try:
            await call
            checks.that(f"{name} {what}", False, "answered")
        except ccxt.BaseError as error:
            checks.that(f"{name} {what}", isinstance(error, kind), f"{type(error).__name__}")


async def synthetic():
    with Exchange("--synthetic", "12", "--speed", "60") as exchange:
        spot, um = client(exchange, "binance", ["spot"]), client(exchange, "binanceusdm", ["linear"])
        try:
            await load(spot, "spot", ["BTC/USDT", "币安人生/USDT"])
            await load(um, "usdm", ["BTC/USDT:USDT", "币安人生/USDT:USDT", "1000SATS/USDT:USDT"])
            quarter = [m for m in um.markets.values() if m["future"]]
            checks.that("usdm quarterly is a future with its expiry", bool(quarter) and quarter[0]["expiry"] > 0)
            for of, name, market, symbol in [
                (spot, "spot", "spot", "BTC/USDT"),
                (um, "usdm", "um", "BTC/USDT:USDT"),
                (um, "usdm", "um", "币安人生/USDT:USDT"),
            ]:
                for interval in ("15m", "1h", "4h"):
                    await attempt(f"{name} fetch_ohlcv", ohlcv(exchange, of, name, market, symbol, interval))
                await attempt(f"{name} fetch_tickers", tickers(exchange, of, name, market, symbol))
                await attempt(f"{name} watch_ohlcv", watched(exchange, of, name, market, symbol, "1m", 3))
                await attempt(f"{name} watch_tickers", watched_tickers(of, name, [symbol]))
            server = await um.fetch_time()
            checks.that("usdm fetch_time", abs(server - exchange.get("/sim/clock")["now"]) < 600_000)
            await refusals(um, "usdm", "BTC/USDT:USDT")
        finally:
            await spot.close()
            await um.close()


async def replay():
    with Exchange("--speed", "60") as exchange:
        um = client(exchange, "binanceusdm", ["linear"])
        try:
            await load(um, "replay", ["BTC/USDT:USDT", "1000PEPE/USDT:USDT"])
            for symbol in ("BTC/USDT:USDT", "1000PEPE/USDT:USDT"):
                for interval in ("15m", "1h", "4h"):
                    if interval == "4h":
                        rows = await um.fetch_ohlcv(symbol, interval, limit=100)
                        truth = exchange.truth("um", um.market(symbol)["id"], interval)
                        checks.same_candles(f"replay fetch_ohlcv {symbol} {interval}", rows, truth, 90)
                    else:
                        await attempt("replay fetch_ohlcv", ohlcv(exchange, um, "replay", "um", symbol, interval))
            await attempt("replay fetch_tickers", tickers(exchange, um, "replay", "um", "BTC/USDT:USDT"))
            await attempt("replay watch_ohlcv", watched(exchange, um, "replay", "um", "BTC/USDT:USDT", "5m", 2))
        finally:
            await um.close()


asyncio.run(synthetic())
asyncio.run(replay())
checks.end()
