//! Which column is what.

use super::{Why, clean};

/// A column of a kline file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    OpenTime,
    Open,
    High,
    Low,
    Close,
    Volume,
    CloseTime,
    QuoteVolume,
    Trades,
    TakerBase,
    TakerQuote,
    /// The archive's last one, and those we have no use for.
    Ignored,
}

use Column as C;

/// The order in the archive and in this project's own files.
const ORDER: [C; 12] = [
    C::OpenTime,
    C::Open,
    C::High,
    C::Low,
    C::Close,
    C::Volume,
    C::CloseTime,
    C::QuoteVolume,
    C::Trades,
    C::TakerBase,
    C::TakerQuote,
    C::Ignored,
];

/// Columns without which there is no candle.
const REQUIRED: usize = 6;

/// The columns of a file, in its order.
#[derive(Clone, Debug)]
pub(super) struct Header(Vec<Column>);

impl Header {
    /// Of rows without a header.
    pub(super) fn positional(fields: usize) -> Result<Self, Why> {
        let columns = ORDER.get(..fields).filter(|_| fields >= REQUIRED);
        columns.map(|c| Self(c.to_vec())).ok_or(Why::Positional(fields))
    }

    /// Of a header line.
    pub(super) fn named(line: &str) -> Result<Self, Why> {
        let columns: Vec<_> = line.split(',').map(|name| column(clean(name))).collect();
        let missing = ORDER[..REQUIRED].iter().find(|c| !columns.contains(c));
        missing.map_or(Ok(Self(columns)), |c| Err(Why::NoColumn(c.name())))
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.0
    }
}

/// The column of that name, in this project's words or the archive's.
fn column(name: &str) -> Column {
    match name {
        "count" => C::Trades,
        "taker_buy_volume" | "taker_buy_base_volume" => C::TakerBase,
        "taker_buy_quote_volume" => C::TakerQuote,
        _ => ORDER.into_iter().find(|c| c.name() == name).unwrap_or(C::Ignored),
    }
}
