//! What is left of a panic: a report in the state folder, since the terminal's scrollback may not
//! have it.

use std::backtrace::Backtrace;
use std::io::Write;
use std::panic;
use std::path::{Path, PathBuf};

use crate::stopwatch::wall_clock;

/// From here on a panic is also written into `folder`, and the report's path is said last.
pub fn install(folder: PathBuf) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        before(info);
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("without a name");
        let text = format!(
            "hamatop {}\nthread {name}\n{info}\n\n{}",
            env!("CARGO_PKG_VERSION"),
            Backtrace::force_capture()
        );
        let said = match write(&folder, &text) {
            Ok(path) => format!("hamatop: this is a bug; the report is {}", path.display()),
            Err(error) => {
                format!("hamatop: this is a bug; no report could be written to {}: {error}", folder.display())
            }
        };
        drop(writeln!(std::io::stderr(), "{said}"));
    }));
}

fn write(folder: &Path, text: &str) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("panic-{}-{}.txt", wall_clock().as_secs(), std::process::id()));
    std::fs::write(&path, text)?;
    Ok(path)
}
