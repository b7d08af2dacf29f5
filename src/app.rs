//! What the screen shows, as a state machine: messages in, effects out.
//!
//! Invariant: pure. No IO, no ambient clock, no terminal library: the same messages give the same
//! state, and the drawing reads it without changing it.

pub mod action;
pub mod alerts;
pub mod behind;
pub mod cache;
pub mod check;
pub mod column;
pub mod detail;
pub mod keymap;
pub mod keys;
pub mod layout;
pub mod list;
pub mod order;
mod popup;
mod prompt;
mod readout;
mod scanner;
pub mod scheduler;
pub mod signals;
pub mod text;
pub mod value;
mod view;
mod watched;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::engine::{Command, Scope};
use crate::market::snapshot::{Level, Snapshot};

use self::action::{Action, Context};
use self::keymap::Keymap;
use self::keys::Chord;
use self::layout::Shape;
use self::list::Motion;
pub use self::prompt::Prompt;
pub use self::scanner::HOLD;
use self::scanner::Scanner;
use self::value::Notation;
pub use self::view::View;
use self::watched::Watched;

/// Rows that a notch of the wheel scrolls.
const WHEEL: i16 = 3;

/// What the state is told.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A new picture of the market.
    Snapshot(Arc<Snapshot>),
    /// A key.
    Key(Chord),
    /// Text from the clipboard.
    Paste(String),
    /// The terminal's size: cells a line, lines.
    Resize(u16, u16),
    /// The mouse, where it is ours.
    Mouse(Mouse),
    /// The terminal has come to the front, or gone behind.
    Focus(bool),
    /// The engine had no room for this.
    Busy(Command),
    /// Time has passed.
    Tick,
}

/// What the mouse did, at which cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// Its left button went down.
    Click {
        /// From the left edge.
        x: u16,
        /// From the top.
        y: u16,
    },
    /// The wheel was turned by so many notches; down is positive.
    Wheel(i16),
}

/// What the state wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask the engine.
    Send(Command),
    /// Paint everything anew.
    Redraw,
    /// Put this on the clipboard of the terminal's machine.
    Copy(String),
    /// Tell the user even where the terminal is not looked at.
    Notify(String),
    /// Stop, until the shell goes on with us.
    Suspend,
    /// Leave.
    Quit,
}

/// What lies over the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The keys and the legend; lines scrolled.
    Help(usize),
    /// Choose the sort column: which line is chosen.
    SortPicker(usize),
}

/// A replay that is shown instead of the market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replay {
    /// How many times as fast as it was.
    pub speed: f64,
    /// Where it ends.
    pub end: UnixMs,
}

/// What does not change while the program runs.
#[derive(Clone, Debug)]
pub struct AppConfig {
    /// How cells are written.
    pub notation: Notation,
    /// The replay, in the demo.
    pub replay: Option<Replay>,
    /// The host asked instead of Binance; see [`text::host`].
    pub place: Option<CleanText>,
}

/// A word to the user that goes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// The word.
    pub text: String,
    /// How bad.
    pub level: Level,
    until: Mono,
}

/// Everything the screen shows.
#[derive(Debug)]
pub struct App {
    config: AppConfig,
    snapshot: Arc<Snapshot>,
    now: Mono,
    shape: Shape,
    keys: Keymap,
    view: View,
    last_view: View,
    scanner: Scanner,
    detail: detail::Detail,
    signals: signals::Signals,
    cache: cache::Cache,
    scheduler: scheduler::Scheduler,
    alerts: alerts::Alerts,
    overlay: Option<Overlay>,
    prompt: Option<Prompt>,
    toast: Option<Toast>,
    notices_seen: Option<u64>,
    watched: Watched,
}

impl App {
    /// Of the first picture.
    pub fn new(config: AppConfig, snapshot: Arc<Snapshot>) -> Self {
        let mut app = Self {
            config,
            now: snapshot.made,
            shape: Shape::of(80, 24),
            keys: Keymap::default(),
            view: View::Scanner,
            last_view: View::Scanner,
            scanner: Scanner::default(),
            detail: detail::Detail::default(),
            signals: signals::Signals::default(),
            cache: cache::Cache::default(),
            scheduler: scheduler::Scheduler::default(),
            alerts: alerts::Alerts::default(),
            overlay: None,
            prompt: None,
            toast: None,
            notices_seen: None,
            watched: Watched::default(),
            snapshot,
        };
        app.reorder();
        app
    }

    /// Takes what happened at `now`, and says what is to be done.
    pub fn update(&mut self, now: Mono, msg: Msg) -> Vec<Effect> {
        self.now = self.now.max(now);
        let mut effects = Vec::new();
        match msg {
            Msg::Snapshot(snapshot) => self.take_snapshot(snapshot),
            Msg::Key(chord) => self.key(chord, &mut effects),
            Msg::Paste(text) => self.paste(&text),
            Msg::Resize(cols, rows) => {
                self.shape = Shape::of(cols, rows);
                self.scanner.reveal(&self.snapshot, self.shape.pane());
            }
            Msg::Mouse(mouse) => self.mouse(mouse),
            Msg::Focus(_) => {}
            // Nobody asked for that: it is told again by itself.
            Msg::Busy(Command::Visible(_)) => self.watched.forget(),
            Msg::Busy(_) => {
                self.say(Level::Warn, "busy: the engine has more to do than it can take; try again");
            }
            Msg::Tick => self.tell_watched(&mut effects),
        }
        self.expire();
        if self.view == View::Cache {
            self.settle_cache();
        }
        effects
    }

    fn tell_watched(&mut self, effects: &mut Vec<Effect>) {
        let rows = &self.snapshot.rows;
        let shown = self.scanner.order.iter().skip(self.top()).take(self.shape.page());
        let view = shown.filter_map(|n| rows.get(*n)).map(|r| &r.pair);
        let news = self.watched.news(self.now, view);
        effects.extend(news.map(|pairs| Effect::Send(Command::Visible(pairs))));
    }

    /// When the screen changes by itself, apart from ages and the clock.
    pub fn deadline(&self) -> Option<Mono> {
        let toast = self.toast.as_ref().map(|t| t.until);
        [self.scanner.hold_until, toast].into_iter().flatten().min()
    }

    fn expire(&mut self) {
        if self.toast.as_ref().is_some_and(|t| t.until <= self.now) {
            self.toast = None;
        }
        self.let_go();
    }

    fn take_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        let newest = snapshot.notices.last().filter(|n| self.notices_seen.is_none_or(|seen| n.seq > seen));
        if let Some(notice) = newest {
            self.notices_seen = Some(notice.seq);
            self.say(notice.level, notice.text.as_str());
        }
        self.take_rows(snapshot);
    }

    fn say(&mut self, level: Level, text: &str) {
        let seconds = if level == Level::Info { 4 } else { 8 };
        let until = self.now + Duration::from_secs(seconds);
        self.toast = Some(Toast { text: text.to_owned(), level, until });
    }

    fn key(&mut self, chord: Chord, effects: &mut Vec<Effect>) {
        let context = self.context();
        match self.keys.lookup(context, chord) {
            Some(Action::Quit) => effects.push(Effect::Quit),
            Some(Action::Redraw) => effects.push(Effect::Redraw),
            found if context == Context::Prompt => self.key_in_prompt(found, chord),
            Some(action) if context == Context::Popup => self.act_in_popup(action),
            Some(action) => self.act(action, effects),
            None => {}
        }
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match action {
            Action::Move(motion) => self.go(motion),
            Action::EditFilter => self.open_prompt(),
            Action::ClearFilter | Action::Escape => self.clear_filter(),
            Action::SortLeft => self.shift_sort(-1),
            Action::SortRight => self.shift_sort(1),
            Action::Invert => self.invert(),
            Action::PickSort => self.open_sort_picker(),
            Action::IntervalPrev => self.shift_lane(self.scanner.lane.saturating_sub(1)),
            Action::IntervalNext => self.shift_lane(self.scanner.lane + 1),
            Action::Show(view) => self.show(view),
            Action::LastView => self.show(self.last_view),
            Action::Detail(act) => self.act_in_detail(act, effects),
            Action::Signals(act) => self.act_in_signals(act, effects),
            Action::Cache(act) => self.act_in_cache(act),
            Action::Scheduler(act) => self.act_in_scheduler(act, effects),
            Action::Alerts(act) => self.act_in_alerts(act, effects),
            Action::RefreshOne => self.refresh_one(effects),
            Action::RefreshAll => {
                effects.push(Effect::Send(Command::Refresh(Scope::All)));
                self.say(Level::Info, "checking all pairs, those in view first");
            }
            Action::Help => self.overlay = Some(Overlay::Help(0)),
            Action::Back if self.view != View::Scanner => self.show(View::Scanner),
            Action::Back => effects.push(Effect::Quit),
            Action::Accept | Action::Redraw | Action::Quit => {}
        }
    }

    /// The one place that says whom a motion is for.
    fn go(&mut self, motion: Motion) {
        match self.view {
            View::Scanner => self.move_in_scanner(motion),
            View::Cache => self.move_in_cache(motion),
            View::Detail => self.move_in_detail(motion),
            View::Signals => self.move_in_signals(motion),
            View::Scheduler => self.move_in_scheduler(motion),
            View::Alerts => self.move_in_alerts(motion),
        }
    }

    fn mouse(&mut self, mouse: Mouse) {
        if self.overlay.is_some() || self.prompt.is_some() {
            return;
        }
        match mouse {
            Mouse::Click { y, .. } => self.go(Motion::Line(y)),
            Mouse::Wheel(by) => self.go(Motion::Scroll(by.saturating_mul(WHEEL))),
        }
    }

    fn show(&mut self, view: View) {
        if view != self.view {
            self.last_view = std::mem::replace(&mut self.view, view);
        }
    }

    fn refresh_one(&mut self, effects: &mut Vec<Effect>) {
        if self.view == View::Cache {
            return self.refresh_series(effects);
        }
        let Some(pair) = self.selected().map(|r| r.pair.clone()) else {
            return self.say(Level::Info, "no pair is selected; R checks all");
        };
        self.say(Level::Info, &format!("checking {}", pair.symbol));
        effects.push(Effect::Send(Command::Refresh(Scope::One(pair))));
    }
}
