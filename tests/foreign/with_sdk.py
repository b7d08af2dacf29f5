"""Binance's newer USD-M package `binance-sdk-derivatives-trading-usds-futures` against the embedded
exchange. Its models are strict: a number in the place of a string is refused."""

import asyncio
from importlib.metadata import version

from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketStreams
from binance_common.errors import BadRequestError
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

from exchange import Checks, Exchange, PATIENCE

NAME = "binance-sdk-derivatives-trading-usds-futures"
checks = Checks(f"{NAME} {version(NAME)}")


def rest(exchange, api):
    checks.that("check_server_time", api.check_server_time().data().server_time > 0)
    symbols = api.exchange_information().data().symbols
    named = {s.symbol: s for s in symbols}
    checks.that("exchange_information", {"BTCUSDT", "币安人生USDT", "TSLAUSDT"} <= set(named), f"{len(named)} symbols")
    quarter = named["BTCUSDT_261225"]
    checks.that("a quarterly's fields", quarter.contract_type == "CURRENT_QUARTER" and quarter.delivery_date > 0)
    for symbol, interval in (("BTCUSDT", "15m"), ("币安人生USDT", "1h"), ("FLATUSDT", "4h")):
        answer = api.kline_candlestick_data(symbol, interval, limit=300)
        checks.same_candles(f"kline_candlestick_data {symbol} {interval}", answer.data(), exchange.truth("um", symbol, interval), 299)
    rows = api.continuous_contract_kline_candlestick_data("BTCUSDT", "PERPETUAL", "1h", limit=100).data()
    checks.same_candles("continuous_contract_kline_candlestick_data", rows, exchange.truth("um", "BTCUSDT", "1h"), 99)
    limits = [(r.rateLimitType, r.interval, r.intervalNum, r.count) for r in answer.rate_limits]
    weight = [count for kind, unit, number, count in limits if (kind, unit, number) == ("REQUEST_WEIGHT", "MINUTE", 1)]
    checks.that("weight read from the headers", bool(weight) and weight[0] >= 2, f"{limits}")
    day = api.ticker24hr_price_change_statistics("BTCUSDT").data().to_dict()
    checks.that("ticker24hr_price_change_statistics", float(day["quoteVolume"]) > 0, f"{day['symbol']} {day['lastPrice']}")
    price = api.symbol_price_ticker_v2("BTCUSDT").data().to_dict()
    checks.that("symbol_price_ticker_v2", float(price["price"]) > 0)
    try:
        api.kline_candlestick_data("NOPEUSDT", "1h")
        checks.that("an unknown symbol is a BadRequestError", False, "answered")
    except BadRequestError as error:
        checks.that("an unknown symbol is a BadRequestError", "Invalid symbol" in str(error), f"{error}")


async def streams(exchange, api):
    """The package itself puts `/market` in front of the path."""
    await api.create_connection()
    got = {"kline": [], "continuous": [], "mini": [], "tickers": []}
    try:
        for name, stream in [
            ("kline", await api.kline_candlestick_streams(symbol="btcusdt", interval="1m")),
            ("continuous", await api.continuous_contract_kline_candlestick_streams(pair="btcusdt", contract_type="perpetual", interval="1m")),
            ("mini", await api.individual_symbol_mini_ticker_stream(symbol="btcusdt")),
            ("tickers", await api.all_market_mini_tickers_stream()),
        ]:
            stream.on("message", got[name].append)

        async def enough():
            while not (all(got.values()) and all(sum(f.k.x for f in got[n]) >= 3 for n in ("kline", "continuous"))):
                await asyncio.sleep(0.05)

        try:
            await asyncio.wait_for(enough(), PATIENCE)
        except asyncio.TimeoutError:
            pass
    finally:
        await api.close_connection(close_session=True)
    truth = exchange.truth("um", "BTCUSDT", "1m")
    for name in ("kline", "continuous"):
        rows = [[k.t, k.o, k.h, k.l, k.c, k.v] for k in (f.k for f in got[name]) if k.x]
        checks.same_candles(f"stream {name}", rows, truth, 3)
    checks.that("stream mini ticker", bool(got["mini"]) and got["mini"][0].s == "BTCUSDT", f"{len(got['mini'])} frames")
    checks.that("stream all mini tickers", bool(got["tickers"]), f"{len(got['tickers'])} frames")


with Exchange("--synthetic", "12", "--speed", "60") as exchange:
    client = DerivativesTradingUsdsFutures(
        config_rest_api=ConfigurationRestAPI(api_key="", api_secret="", base_path=exchange.rest),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=exchange.ws),
    )
    checks.attempt("REST", lambda: rest(exchange, client.rest_api))
    checks.attempt("streams", lambda: asyncio.run(streams(exchange, client.websocket_streams)))
checks.end()
