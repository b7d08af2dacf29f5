//! Makes the bundled recording from a folder of kline files:
//! `cargo run --release --example make_replay -- FOLDER src/sim/replay/um-2025-10.gz`
#![allow(clippy::print_stdout, missing_docs)]

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(out)) = (args.next(), args.next()) else {
        return Err("usage: make_replay FOLDER OUTPUT".into());
    };
    let bytes = hamatop::sim::replay::make(Path::new(&folder))?;
    std::fs::write(&out, &bytes)?;
    println!("{out}: {} bytes", bytes.len());
    Ok(())
}
