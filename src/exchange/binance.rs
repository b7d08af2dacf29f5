//! Binance's dialect: its addresses, its words, its refusals.

pub mod bodies;
mod decimal;
pub mod endpoint;
pub mod refusal;
pub mod session;
pub mod socket;
pub mod wire;
