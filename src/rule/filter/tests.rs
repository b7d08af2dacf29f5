use std::sync::Arc;

use super::*;
use crate::domain::hama::{BandState, Sign};
use crate::fixture::{RowBuilder, row, snapshot};
use crate::market::snapshot::Pool;

mod errors;
mod fuzz;
mod grammar;

fn names() -> Names {
    let mut names = Names::new();
    names.set_list("majors", ["BTCUSDT", "ETHUSDT"].map(|s| s.parse().unwrap()));
    names.add_alias("币安人生USDT".parse().unwrap(), "bianrensheng");
    names
}

fn read(filter: &str) -> Filter {
    Filter::parse(filter).unwrap_or_else(|e| panic!("{filter}: {e}"))
}

/// What a filter says of a row, with the first interval in view.
fn truth(filter: &str, row: RowBuilder) -> Truth {
    let picture = snapshot(vec![row]);
    let at = Reading::new(&picture, picture.made, 0).with_names(&Arc::new(names()));
    read(filter).test(&picture.rows[0], &at)
}

/// A table of filters and what each says of one row.
fn table(row: &RowBuilder, lines: &[(&str, Truth)]) {
    for (filter, want) in lines {
        assert_eq!(truth(filter, row.clone()), *want, "{filter}");
        let contrary = format!("-({filter})");
        assert_eq!(truth(&contrary, row.clone()), !*want, "{contrary}");
    }
}
