//! The screen's loop: input, pictures of the market and time in, frames and commands out.
//!
//! It may stall as long as a terminal does; nothing but the screen waits for it.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Effect, Msg};
use crate::domain::time::Mono;
use crate::engine::Command;
use crate::market::snapshot::Snapshot;
use crate::stopwatch::Stopwatch;

use super::draw;
use super::hangup::hung_up;
use super::input::{message, sane};
use super::keyboard;
use super::screen::Screen;
use super::terminal::Terminal;
use super::theme::Theme;

/// Bursts of keys are painted no more often.
const INPUT_FRAME: Duration = Duration::from_millis(33);
/// Ages and the clock move this often.
const SECOND: Duration = Duration::from_secs(1);

/// How the screen looks and how often it changes.
#[derive(Clone, Debug)]
pub struct UiConfig {
    /// The styles.
    pub theme: Theme,
    /// Whether there are colours at all.
    pub colors: bool,
    /// Frames a second that new data may cause, at least 1.
    pub data_fps: u8,
}

/// What the loop is wired to.
#[derive(Debug)]
pub struct Wires {
    /// The newest picture.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// To the engine. Full: the command is dropped, and the user told so.
    pub commands: mpsc::Sender<Command>,
    /// Our clock.
    pub stopwatch: Stopwatch,
    /// Ends the loop.
    pub cancel: CancellationToken,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user wanted to leave.
    Quit,
    /// The program is told to end.
    Cancelled,
    /// The terminal is gone.
    NoTerminal,
    /// No more pictures come: the engine has ended.
    NoData,
}

/// Takes the terminal and runs until one of [`Ended`]; the terminal is given back before it
/// returns.
pub async fn run(app: App, wires: Wires, config: UiConfig) -> io::Result<Ended> {
    let terminal = Terminal::enter(wires.cancel.clone())?;
    crossterm::style::force_color_output(config.colors);
    let (cols, rows) = sane(crossterm::terminal::size()?);
    let screen = Screen::new(io::stdout(), cols, rows);
    let ended = Loop::new(app, wires, config, screen, (cols, rows)).run(keyboard::events()?, hung_up()).await;
    terminal.leave();
    ended
}

struct Loop<W> {
    app: App,
    wires: Wires,
    theme: Theme,
    screen: Screen<W>,
    data_frame: Duration,
    /// Not painted again before that, for data.
    data_due: Mono,
    /// Not painted again before that, after a frame for keys. A frame for data holds no key up.
    input_due: Mono,
    /// A key came since the last frame.
    typed: bool,
    /// Ages and the clock are painted then.
    tick_due: Mono,
    /// Something changed since the last frame.
    dirty: bool,
}

impl<W: Write> Loop<W> {
    fn new(mut app: App, wires: Wires, config: UiConfig, screen: Screen<W>, size: (u16, u16)) -> Self {
        let theme = if config.colors { config.theme } else { config.theme.without_colors() };
        app.update(wires.stopwatch.now(), Msg::Resize(size.0, size.1));
        Self {
            app,
            wires,
            theme,
            screen,
            data_frame: Duration::from_secs(1) / u32::from(config.data_fps.max(1)),
            data_due: Mono::default(),
            input_due: Mono::default(),
            typed: false,
            tick_due: Mono::default(),
            dirty: true,
        }
    }

    async fn run(
        mut self,
        mut events: impl Stream<Item = io::Result<Event>> + Unpin,
        gone: impl Future<Output = ()>,
    ) -> io::Result<Ended> {
        tokio::pin!(gone);
        loop {
            let now = self.wires.stopwatch.now();
            if self.dirty && now >= self.input_due {
                self.paint(now)?;
            }
            let wake = self.wires.stopwatch.instant(self.wake());
            let data_at = self.wires.stopwatch.instant(self.data_due);
            tokio::select! {
                biased;
                () = self.wires.cancel.cancelled() => return Ok(Ended::Cancelled),
                () = &mut gone => return Ok(Ended::NoTerminal),
                event = events.next() => match event {
                    Some(Ok(event)) => if self.take(event) { return Ok(Ended::Quit) },
                    Some(Err(_)) | None => return Ok(Ended::NoTerminal),
                },
                () = sleep_until(wake.into()) => self.tick(),
                changed = async {
                    sleep_until(data_at.into()).await;
                    self.wires.snapshots.changed().await
                } => match changed {
                    Ok(()) => self.take_snapshot(),
                    Err(_) => return Ok(Ended::NoData),
                },
            }
        }
    }

    fn wake(&self) -> Mono {
        let frame = if self.dirty { self.input_due } else { self.tick_due };
        let next = self.app.deadline().map_or(self.tick_due, |d| d.min(self.tick_due));
        next.min(frame)
    }

    fn tick(&mut self) {
        let now = self.wires.stopwatch.now();
        if now >= self.wake() {
            self.update(now, Msg::Tick);
            self.dirty = true;
        }
    }

    fn take_snapshot(&mut self) {
        let now = self.wires.stopwatch.now();
        let snapshot = Arc::clone(&self.wires.snapshots.borrow_and_update());
        self.data_due = now + self.data_frame;
        self.update(now, Msg::Snapshot(snapshot));
        self.dirty = true;
    }

    /// Says whether the user wants to leave.
    fn take(&mut self, event: Event) -> bool {
        let Some(msg) = message(event) else { return false };
        if let Msg::Resize(cols, rows) = msg {
            self.screen.resize(cols, rows);
        }
        (self.dirty, self.typed) = (true, true);
        self.update(self.wires.stopwatch.now(), msg)
    }

    fn update(&mut self, now: Mono, msg: Msg) -> bool {
        let mut quit = false;
        for effect in self.app.update(now, msg) {
            match effect {
                Effect::Quit => quit = true,
                Effect::Redraw => self.screen.forget(),
                Effect::Copy(_) | Effect::Notify(_) | Effect::Suspend => {}
                Effect::Send(command) => {
                    if let Err(TrySendError::Full(command) | TrySendError::Closed(command)) =
                        self.wires.commands.try_send(command)
                    {
                        self.app.update(now, Msg::Busy(command));
                    }
                }
            }
        }
        quit
    }

    fn paint(&mut self, now: Mono) -> io::Result<()> {
        self.update(now, Msg::Tick);
        self.screen.paint(|buffer| draw(&self.app, &self.theme, buffer))?;
        self.dirty = false;
        if std::mem::take(&mut self.typed) {
            self.input_due = now + INPUT_FRAME;
        }
        // On the exchange's full second where one is known, so that its clock does not limp.
        let into = self.app.exchange_now().map_or(0, |t| t.0.rem_euclid(1_000).unsigned_abs());
        let clock_runs_as_ours = self.app.reading().rate.to_bits() == 1.0_f64.to_bits();
        let rest = if clock_runs_as_ours { Duration::from_millis(1_000 - into) } else { SECOND };
        self.tick_due = now + rest.max(INPUT_FRAME);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
