//! The screen's loop: input, pictures of the market and time in, frames and commands out.
//!
//! It may stall as long as a terminal does; nothing but the screen waits for it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event;
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::app::saved::Saved;
use crate::app::{App, Effect, Msg};
use crate::domain::time::Mono;
use crate::engine::Command;
use crate::market::snapshot::Snapshot;
use crate::stopwatch::Stopwatch;

use super::draw;
use super::encode::Letters;
use super::hangup::hung_up;
use super::input::{message, sane};
use super::jobs::{Job, Jobs};
use super::keyboard;
use super::outside::{Failed, Outside, Turns};
use super::screen::Screen;
use super::terminal::{Mouse, Terminal};
use super::themes::Wardrobe;

/// Bursts of keys are painted no more often.
const INPUT_FRAME: Duration = Duration::from_millis(33);
/// Ages and the clock move this often.
const SECOND: Duration = Duration::from_secs(1);

/// How long out of sight before nothing is painted any more.
const UNSEEN: Duration = Duration::from_secs(60);
/// What other programs could not do: seldom anything, and never much.
const FAILED: usize = 4;

/// How the screen looks, how often it changes and what else reaches the user.
#[derive(Clone, Debug)]
pub struct UiConfig {
    /// The themes, as many of the app's [`AppConfig`](crate::app::AppConfig) in the same order.
    pub wardrobe: Wardrobe,
    /// Frames a second that new data may cause, at least 1.
    pub data_fps: u8,
    /// Which letters the terminal shows.
    pub letters: Letters,
    /// Whose the mouse is.
    pub mouse: Mouse,
    /// The way to the clipboard and the user.
    pub outside: Outside,
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
    /// What outlives the program, to whoever writes it; the newest wins. `None`: nobody does.
    pub saves: Option<watch::Sender<Saved>>,
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
    let terminal = Terminal::enter(wires.cancel.clone(), config.mouse)?;
    let (cols, rows) = sane(crossterm::terminal::size()?);
    let screen = Screen::new(io::stdout(), cols, rows).with_letters(config.letters);
    let mut screen = Loop::new(app, wires, config, screen, (cols, rows))?;
    screen.seat = Some(Seat { terminal, jobs: Jobs::new()? });
    screen.run(keyboard::events()?, hung_up()).await
}

/// The terminal as a place that can be left for a while.
struct Seat {
    terminal: Terminal,
    jobs: Jobs,
}

struct Loop<W> {
    app: App,
    wires: Wires,
    wardrobe: Wardrobe,
    outside: Outside,
    screen: Screen<W>,
    /// `None` where there is no terminal, as in tests.
    seat: Option<Seat>,
    failures: (mpsc::Sender<Failed>, mpsc::Receiver<Failed>),
    turns: Turns,
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
    /// Since when the terminal is behind others.
    behind_since: Option<Mono>,
}

/// What follows from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Suspend,
    Quit,
}

impl<W: Write> Loop<W> {
    fn new(
        app: App,
        wires: Wires,
        config: UiConfig,
        screen: Screen<W>,
        size: (u16, u16),
    ) -> io::Result<Self> {
        let mut made = Self {
            app,
            wires,
            wardrobe: config.wardrobe,
            outside: config.outside,
            screen,
            seat: None,
            failures: mpsc::channel(FAILED),
            turns: Turns::default(),
            data_frame: Duration::from_secs(1) / u32::from(config.data_fps.max(1)),
            data_due: Mono::default(),
            input_due: Mono::default(),
            typed: false,
            tick_due: Mono::default(),
            dirty: true,
            behind_since: None,
        };
        made.tell(Msg::Resize(size.0, size.1))?;
        Ok(made)
    }

    async fn run(
        mut self,
        events: impl Stream<Item = io::Result<Event>> + Unpin,
        gone: impl Future<Output = ()>,
    ) -> io::Result<Ended> {
        let ended = self.turn(events, gone).await;
        // However it ended: what was changed shortly before is kept, too.
        if let Some(saved) = self.app.unsaved() {
            self.save(saved);
        }
        ended
    }

    async fn turn(
        &mut self,
        mut events: impl Stream<Item = io::Result<Event>> + Unpin,
        gone: impl Future<Output = ()>,
    ) -> io::Result<Ended> {
        tokio::pin!(gone);
        loop {
            let now = self.wires.stopwatch.now();
            if self.dirty && now >= self.input_due && self.is_seen(now) {
                self.paint(now)?;
            }
            let wake = self.wires.stopwatch.instant(self.wake(now));
            let data_at = self.wires.stopwatch.instant(self.data_due);
            tokio::select! {
                biased;
                () = self.wires.cancel.cancelled() => return Ok(Ended::Cancelled),
                () = &mut gone => return Ok(Ended::NoTerminal),
                event = events.next() => match event {
                    Some(Ok(event)) => match self.take(event)? {
                        Next::GoOn => {}
                        Next::Suspend => self.suspend().await?,
                        Next::Quit => return Ok(Ended::Quit),
                    },
                    Some(Err(_)) | None => return Ok(Ended::NoTerminal),
                },
                job = job(self.seat.as_mut()) => match job {
                    Job::Stop => self.suspend().await?,
                    Job::Continue => self.come_back()?,
                },
                Some(failed) = self.failures.1.recv() => self.make_up(failed)?,
                () = sleep_until(wake.into()) => self.tick()?,
                changed = async {
                    sleep_until(data_at.into()).await;
                    self.wires.snapshots.changed().await
                } => match changed {
                    Ok(()) => self.take_snapshot()?,
                    Err(_) => return Ok(Ended::NoData),
                },
            }
        }
    }

    /// Frames for nobody cost the line and the battery. A terminal that never tells of its focus is
    /// always looked at.
    fn is_seen(&self, now: Mono) -> bool {
        self.behind_since.is_none_or(|since| now.since(since) < UNSEEN)
    }

    fn wake(&self, now: Mono) -> Mono {
        let frame = if self.dirty && self.is_seen(now) { self.input_due } else { self.tick_due };
        let next = self.app.deadline().map_or(self.tick_due, |d| d.min(self.tick_due));
        next.min(frame)
    }

    fn tick(&mut self) -> io::Result<()> {
        let now = self.wires.stopwatch.now();
        if now >= self.wake(now) {
            if !self.is_seen(now) {
                self.tick_due = now + SECOND;
            }
            self.update(now, Msg::Tick)?;
            self.dirty = true;
        }
        Ok(())
    }

    fn take_snapshot(&mut self) -> io::Result<()> {
        let now = self.wires.stopwatch.now();
        let snapshot = Arc::clone(&self.wires.snapshots.borrow_and_update());
        self.data_due = now + self.data_frame;
        self.update(now, Msg::Snapshot(snapshot))?;
        self.dirty = true;
        Ok(())
    }

    fn take(&mut self, event: Event) -> io::Result<Next> {
        let Some(msg) = message(event) else { return Ok(Next::GoOn) };
        let now = self.wires.stopwatch.now();
        match msg {
            Msg::Resize(cols, rows) => self.screen.resize(cols, rows),
            Msg::Focus(false) => self.behind_since = self.behind_since.or(Some(now)),
            // Whoever types looks, whatever was said of the focus.
            _ => self.behind_since = None,
        }
        (self.dirty, self.typed) = (true, true);
        self.update(now, msg)
    }

    /// The one way to the app: an effect that is not carried out is lost, since the app believes it
    /// done.
    fn update(&mut self, now: Mono, msg: Msg) -> io::Result<Next> {
        let mut next = Next::GoOn;
        let mut work = VecDeque::from(self.app.update(now, msg));
        while let Some(effect) = work.pop_front() {
            match effect {
                Effect::Quit => next = Next::Quit,
                Effect::Redraw => self.screen.forget(),
                Effect::Save(saved) => self.save(*saved),
                Effect::Suspend => next = Next::Suspend,
                Effect::Copy(text) => self.copy(&text)?,
                Effect::Notify(text) => self.screen.send(&self.outside.notify(&text))?,
                Effect::Link(url) => self.open(url)?,
                Effect::Send(command) => {
                    if let Err(TrySendError::Full(command) | TrySendError::Closed(command)) =
                        self.wires.commands.try_send(command)
                    {
                        work.extend(self.app.update(now, Msg::Busy(command)));
                    }
                }
            }
        }
        Ok(next)
    }

    fn save(&self, saved: Saved) {
        if let Some(saves) = &self.wires.saves {
            saves.send_replace(saved);
        }
    }

    fn paint(&mut self, now: Mono) -> io::Result<()> {
        self.update(now, Msg::Tick)?;
        let theme = self.wardrobe.wear(self.app.look());
        self.screen.paint(|buffer| draw(&self.app, theme, buffer))?;
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

async fn job(seat: Option<&mut Seat>) -> Job {
    match seat {
        Some(seat) => seat.jobs.next().await,
        None => std::future::pending().await,
    }
}

mod manners;

#[cfg(test)]
mod tests;
