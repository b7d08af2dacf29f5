//! Makes the bundled recording from a folder of kline files:
//! `cargo run --release --example make_replay -- FOLDER src/sim/replay/um-2025-10.gz`
#![allow(clippy::print_stdout, missing_docs)]

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(out)) = (args.next(), args.next()) else {
        anyhow::bail!("usage: make_replay FOLDER OUTPUT");
    };
    let bytes = hamatop::sim::replay::make(Path::new(&folder))?;
    std::fs::write(&out, &bytes)?;
    println!("{out}: {} bytes", bytes.len());
    Ok(())
}
