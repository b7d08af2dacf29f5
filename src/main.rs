//! The program's entry.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    hamatop::cli::execute::main(std::env::args_os())
}
