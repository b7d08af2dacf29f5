//! Taking the terminal, and giving it back whatever happens.

use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio_util::sync::CancellationToken;

/// Alternate screen, bracketed paste, word of the focus, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?1004h\x1b[?25l";
/// Buttons and wheel, with coordinates of any size; no movements, which nobody here looks at.
const TAKE_MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// The end of a frame that may be half out, then everything back.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// The terminal, while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub struct Terminal {
    taken: Arc<AtomicBool>,
    mouse: Mouse,
}

/// Whose the mouse is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The program's.
    Ours,
    /// The terminal's, to select text with.
    Theirs,
}

impl Terminal {
    /// Takes the terminal behind stdout. A panic anywhere gives it back before its message is
    /// printed, and cancels `cancel`, so that the program ends instead of drawing on.
    pub fn enter(cancel: CancellationToken, mouse: Mouse) -> io::Result<Self> {
        enable_raw_mode()?;
        let taken = Arc::new(AtomicBool::new(true));
        let terminal = Self { taken: Arc::clone(&taken), mouse };
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            cancel.cancel();
            give_back(&taken);
            before(info);
        }));
        // From here on a failure drops `terminal`, which leaves raw mode again.
        terminal.take()?;
        Ok(terminal)
    }

    /// Takes the terminal again, whatever others have made of it meanwhile.
    pub fn retake(&self) -> io::Result<()> {
        self.taken.store(true, Ordering::SeqCst);
        // The library believes to know the mode, and would do nothing.
        disable_raw_mode()?;
        enable_raw_mode()?;
        self.take()
    }

    fn take(&self) -> io::Result<()> {
        let mouse = if self.mouse == Mouse::Ours { TAKE_MOUSE } else { b"" };
        write_out(&[ENTER, mouse].concat())
    }

    /// Gives the terminal back; once.
    pub fn leave(&self) {
        give_back(&self.taken);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.leave();
    }
}

fn give_back(taken: &AtomicBool) {
    if taken.swap(false, Ordering::SeqCst) {
        // Where this fails there is no terminal left to give back.
        let _ = write_out(LEAVE);
        let _ = disable_raw_mode();
    }
}

fn write_out(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
