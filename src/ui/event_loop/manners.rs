//! What the loop does beside painting: leaving the terminal for a while, the clipboard, the browser.

use std::io::{self, Write};
use std::sync::Arc;

use crate::app::Msg;
use crate::domain::text::CleanText;
use crate::market::snapshot::Level;
use crate::ui::input::sane;
use crate::ui::jobs::Jobs;
use crate::ui::outside::{Failed, MAX_COPY, Multiplexer, copy_by_tmux, is_address, open};

use super::Loop;

impl<W: Write> Loop<W> {
    /// What the app has to know beside keys and pictures; nobody leaves by it.
    pub(super) fn tell(&mut self, msg: Msg) -> io::Result<()> {
        self.dirty = true;
        self.update(self.wires.stopwatch.now(), msg).map(drop)
    }

    pub(super) fn say(&mut self, level: Level, text: &str) -> io::Result<()> {
        self.tell(Msg::Word(level, CleanText::new(text)))
    }

    /// Gives the terminal back, stops, and takes it again when the shell goes on with us.
    pub(super) async fn suspend(&mut self) -> io::Result<()> {
        if !Jobs::can_stop() {
            return self.say(Level::Warn, "there is no shell to stop for: it would never go on");
        }
        let Some(seat) = self.seat.as_mut() else { return Ok(()) };
        seat.terminal.leave();
        if let Err(error) = seat.jobs.stop().await {
            self.say(Level::Warn, &format!("can't stop: {error}"))?;
        }
        self.come_back()
    }

    /// Takes the terminal after a stop, of which there may have been no word before.
    pub(super) fn come_back(&mut self) -> io::Result<()> {
        let Some(seat) = self.seat.as_ref() else { return Ok(()) };
        seat.terminal.retake()?;
        let (cols, rows) = sane(crossterm::terminal::size()?);
        self.screen.resize(cols, rows);
        self.behind_since = None;
        self.tell(Msg::Resize(cols, rows))
    }

    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        if text.len() > MAX_COPY {
            return self.say(Level::Warn, "too much for a terminal's clipboard: nothing was copied");
        }
        if self.outside.multiplexer == Multiplexer::Tmux {
            let Ok(turn) = Arc::clone(&self.turns.copy).try_acquire_owned() else {
                return self.say(Level::Warn, "tmux is still busy with the copy before: try again");
            };
            return copy_by_tmux(text, turn, self.failures.0.clone());
        }
        self.screen.send(&self.outside.copy(text))
    }

    /// In the browser of this machine; where the terminal is on another one, its address goes onto
    /// that one's clipboard.
    pub(super) fn open(&mut self, url: String) -> io::Result<()> {
        match self.outside.opener {
            _ if !is_address(&url) => self.say(Level::Warn, "that is no web address"),
            Some(opener) => match Arc::clone(&self.turns.page).try_acquire_owned() {
                Ok(turn) => open(opener, url, turn, self.failures.0.clone()),
                Err(_) => self.make_up(Failed::Open(url)),
            },
            None => self.make_up(Failed::Open(url)),
        }
    }

    /// The second way, where the first one failed.
    pub(super) fn make_up(&mut self, failed: Failed) -> io::Result<()> {
        match failed {
            Failed::Copy(text) => self.screen.send(&self.outside.copy(&text)),
            Failed::Open(url) => {
                self.copy(&url)?;
                self.say(Level::Info, &format!("copied {url}"))
            }
        }
    }
}
