//! For tests of those who ask: the fetcher's own queue, served by hand.

use super::queue::{Ask, Queue, Series};
use crate::exchange::{ExchangeError, Fetched, KlinesAnswer, KlinesRequest};

/// Requests that wait.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Queue);

impl Waiting {
    pub(crate) fn add(&mut self, request: KlinesRequest) {
        self.0.add_klines(request.key.pair.market, request);
    }

    /// The next request leaves.
    pub(crate) fn start(&mut self) -> Option<UnderWay> {
        match self.0.pop()?.ask {
            Ask::Klines(series) => Some(UnderWay(*series)),
            other => panic!("{other:?}"),
        }
    }
}

/// A request that left.
#[derive(Debug)]
pub(crate) struct UnderWay(Series);

impl UnderWay {
    pub(crate) fn request(&self) -> &KlinesRequest {
        &self.0.request
    }

    pub(crate) fn ended(self, result: Result<KlinesAnswer, ExchangeError>) -> Fetched {
        self.0.ended(result)
    }
}
