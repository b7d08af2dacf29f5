//! The program's entry.

use std::process::ExitCode;

fn main() -> ExitCode {
    hamatop::cli::execute::main(std::env::args_os())
}
