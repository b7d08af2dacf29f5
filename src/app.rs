//! What the screen shows, as a state machine: messages in, effects out.
//!
//! Invariant: pure. No IO, no ambient clock, no terminal library: the same messages give the same
//! state, and the drawing reads it without changing it.

pub mod action;
pub mod alerts;
pub mod behind;
pub mod column;
pub mod detail;
pub mod keys;
pub mod layout;
pub mod order;
mod popup;
mod prompt;
mod readout;
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

use crate::domain::symbol::Pair;
use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::engine::{Command, Scope};
use crate::market::snapshot::{DataState, Level, Row, Snapshot};
use crate::rule::filter::{Filter, FilterError};

use self::action::{Action, Context};
use self::column::Column;
use self::keys::Chord;
use self::layout::Shape;
use self::order::SortBy;
pub use self::prompt::Prompt;
use self::value::Notation;
pub use self::view::View;
use self::watched::Watched;

/// The order stays as it is for so long after the cursor moved, so that no row slips away from
/// under it.
pub const HOLD: Duration = Duration::from_secs(2);

/// So long after the last news of a row in view the market counts as quiet: then the clock goes by
/// the minute, so that nothing is written for its sake alone.
pub const QUIET: Duration = Duration::from_secs(2);

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

/// Where the cursor is: by pair, never by row number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cursor {
    /// On whatever comes first; nobody has moved it yet.
    Top,
    /// On a pair. The place it had is where the cursor stays when the pair goes.
    On(Pair, usize),
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

/// How many rows are not as they should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Troubled {
    /// Whose data can't be had.
    pub failed: usize,
    /// Whose data is not true now.
    pub stale: usize,
}

impl Troubled {
    /// Once a picture, so that a frame costs what is in view and no more.
    fn of(snapshot: &Snapshot) -> Self {
        let in_state = |s| snapshot.rows.iter().filter(|r| r.state == s).count();
        Self { failed: in_state(DataState::Failed), stale: in_state(DataState::Stale) }
    }
}

/// Everything the screen shows.
#[derive(Debug)]
pub struct App {
    config: AppConfig,
    snapshot: Arc<Snapshot>,
    now: Mono,
    shape: Shape,
    view: View,
    last_view: View,
    detail: detail::Detail,
    signals: signals::Signals,
    scheduler: scheduler::Scheduler,
    alerts: alerts::Alerts,
    overlay: Option<Overlay>,
    prompt: Option<Prompt>,
    filter: Filter,
    filter_error: Option<FilterError>,
    sort: SortBy,
    lane: usize,
    order: Vec<usize>,
    cursor: Cursor,
    top: usize,
    hold_until: Option<Mono>,
    toast: Option<Toast>,
    notices_seen: Option<u64>,
    watched: Watched,
    /// When a row in view last changed.
    news: Mono,
    troubled: Troubled,
}

impl App {
    /// Of the first picture.
    pub fn new(config: AppConfig, snapshot: Arc<Snapshot>) -> Self {
        let mut app = Self {
            config,
            now: snapshot.made,
            shape: Shape::of(80, 24),
            view: View::Scanner,
            last_view: View::Scanner,
            detail: detail::Detail::default(),
            signals: signals::Signals::default(),
            scheduler: scheduler::Scheduler::default(),
            alerts: alerts::Alerts::default(),
            overlay: None,
            prompt: None,
            filter: Filter::default(),
            filter_error: None,
            sort: SortBy::default(),
            lane: 0,
            order: Vec::new(),
            cursor: Cursor::Top,
            top: 0,
            hold_until: None,
            toast: None,
            notices_seen: None,
            watched: Watched::default(),
            news: snapshot.made,
            troubled: Troubled::of(&snapshot),
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
                self.keep_cursor_in_view();
            }
            Msg::Mouse(_) | Msg::Focus(_) => {}
            // Nobody asked for that: it is told again by itself.
            Msg::Busy(Command::Visible(_)) => self.watched.forget(),
            Msg::Busy(_) => {
                self.say(Level::Warn, "busy: the engine has more to do than it can take; try again");
            }
            Msg::Tick => self.tell_watched(&mut effects),
        }
        self.expire();
        effects
    }

    fn tell_watched(&mut self, effects: &mut Vec<Effect>) {
        let rows = &self.snapshot.rows;
        let shown = self.order.iter().skip(self.top).take(self.shape.page());
        let view = shown.filter_map(|n| rows.get(*n)).map(|r| &r.pair);
        let news = self.watched.news(self.now, view);
        effects.extend(news.map(|pairs| Effect::Send(Command::Visible(pairs))));
    }

    /// When the screen changes by itself, apart from ages and the clock.
    pub fn deadline(&self) -> Option<Mono> {
        let toast = self.toast.as_ref().map(|t| t.until);
        [self.hold_until, toast].into_iter().flatten().min()
    }

    fn expire(&mut self) {
        if self.toast.as_ref().is_some_and(|t| t.until <= self.now) {
            self.toast = None;
        }
        if self.hold_until.is_some_and(|t| t <= self.now) {
            self.hold_until = None;
            self.reorder();
        }
    }

    fn take_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        let newest = snapshot.notices.last().filter(|n| self.notices_seen.is_none_or(|seen| n.seq > seen));
        if let Some(notice) = newest {
            self.notices_seen = Some(notice.seq);
            self.say(notice.level, notice.text.as_str());
        }
        let held = self.hold_until.is_some_and(|t| t > self.now);
        let before: Vec<Pair> = if held { self.pairs() } else { Vec::new() };
        let in_view = self.in_view();
        self.lane = self.lane.min(snapshot.intervals.len().saturating_sub(1));
        self.troubled = Troubled::of(&snapshot);
        self.snapshot = snapshot;
        if held {
            self.order = order::keep_order(&self.snapshot.rows, &self.filter, &before);
            self.settle_cursor();
        } else {
            self.reorder();
        }
        // What did not change is the same row still.
        let now_in_view = self.in_view();
        let same = in_view.iter().map(Arc::as_ptr).eq(now_in_view.iter().map(Arc::as_ptr));
        if !same || !self.snapshot.warmup.is_over() {
            self.news = self.now;
        }
    }

    fn in_view(&self) -> Vec<Arc<Row>> {
        let shown = self.order.iter().skip(self.top).take(self.shape.page());
        shown.filter_map(|n| self.snapshot.rows.get(*n)).map(Arc::clone).collect()
    }

    fn pairs(&self) -> Vec<Pair> {
        self.order.iter().filter_map(|n| self.snapshot.rows.get(*n)).map(|r| r.pair.clone()).collect()
    }

    fn reorder(&mut self) {
        self.order = order::order(&self.snapshot.rows, &self.filter, self.sort, &self.reading());
        self.settle_cursor();
    }

    /// Finds the cursor's pair in the new order; where it has gone, its place is kept.
    fn settle_cursor(&mut self) {
        if let Cursor::On(pair, place) = &self.cursor {
            let found = self.order.iter().position(|n| self.snapshot.rows[*n].pair == *pair);
            let place = found.unwrap_or((*place).min(self.order.len().saturating_sub(1)));
            self.cursor = match self.order.get(place) {
                Some(n) => Cursor::On(self.snapshot.rows[*n].pair.clone(), place),
                None => Cursor::On(pair.clone(), 0),
            };
        }
        self.keep_cursor_in_view();
    }

    fn keep_cursor_in_view(&mut self) {
        let page = self.shape.page();
        let place = self.place();
        let last_top = self.order.len().saturating_sub(page);
        self.top = self.top.clamp((place + 1).saturating_sub(page), place).min(last_top);
    }

    fn move_to(&mut self, place: usize) {
        let place = place.min(self.order.len().saturating_sub(1));
        self.cursor = match self.order.get(place) {
            Some(n) if place > 0 || self.order.len() == 1 => {
                Cursor::On(self.snapshot.rows[*n].pair.clone(), place)
            }
            _ => Cursor::Top,
        };
        self.hold_until = Some(self.now + HOLD);
        self.keep_cursor_in_view();
    }

    fn say(&mut self, level: Level, text: &str) {
        let seconds = if level == Level::Info { 4 } else { 8 };
        let until = self.now + Duration::from_secs(seconds);
        self.toast = Some(Toast { text: text.to_owned(), level, until });
    }

    fn key(&mut self, chord: Chord, effects: &mut Vec<Effect>) {
        let context = self.context();
        match action::lookup(context, chord) {
            Some(Action::Quit) => effects.push(Effect::Quit),
            Some(Action::Redraw) => effects.push(Effect::Redraw),
            found if context == Context::Prompt => self.key_in_prompt(found, chord),
            Some(action) if context == Context::Popup => self.act_in_popup(action),
            Some(action) => self.act(action, effects),
            None => {}
        }
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        let page = self.shape.page();
        let place = self.place();
        match action {
            Action::Up => self.move_to(place.saturating_sub(1)),
            Action::Down => self.move_to(place + 1),
            Action::HalfUp => self.move_to(place.saturating_sub(page / 2)),
            Action::HalfDown => self.move_to(place + page / 2),
            Action::PageUp => self.move_to(place.saturating_sub(page)),
            Action::PageDown => self.move_to(place + page),
            Action::First => self.move_to(0),
            Action::Last => self.move_to(usize::MAX),
            Action::EditFilter => self.open_prompt(),
            Action::ClearFilter | Action::Escape => self.set_filter(""),
            Action::SortLeft => self.shift_sort(-1),
            Action::SortRight => self.shift_sort(1),
            Action::Invert => self.invert(),
            Action::PickSort => self.open_sort_picker(),
            Action::IntervalPrev => self.shift_lane(self.lane.saturating_sub(1)),
            Action::IntervalNext => self.shift_lane(self.lane + 1),
            Action::Show(view) => self.show(view),
            Action::LastView => self.show(self.last_view),
            Action::Detail(act) => self.act_in_detail(act, effects),
            Action::Signals(act) => self.act_in_signals(act, effects),
            Action::Scheduler(act) => self.act_in_scheduler(act, effects),
            Action::Alerts(act) => self.act_in_alerts(act, effects),
            Action::RefreshOne => self.refresh_one(effects),
            Action::RefreshAll => {
                effects.push(Effect::Send(Command::Refresh(Scope::All)));
                self.say(Level::Info, "refreshing all pairs");
            }
            Action::Help => self.overlay = Some(Overlay::Help(0)),
            Action::Back if self.view != View::Scanner => self.show(View::Scanner),
            Action::Back => effects.push(Effect::Quit),
            Action::Accept | Action::Redraw | Action::Quit => {}
        }
    }

    fn show(&mut self, view: View) {
        if view != self.view {
            self.last_view = std::mem::replace(&mut self.view, view);
        }
    }

    fn refresh_one(&mut self, effects: &mut Vec<Effect>) {
        let Some(pair) = self.selected().map(|r| r.pair.clone()) else {
            return self.say(Level::Info, "no pair is selected; R refreshes all");
        };
        self.say(Level::Info, &format!("refreshing {}", pair.symbol));
        effects.push(Effect::Send(Command::Refresh(Scope::One(pair))));
    }

    fn shift_lane(&mut self, lane: usize) {
        self.lane = lane.min(self.snapshot.intervals.len().saturating_sub(1));
        self.reorder();
    }

    fn shift_sort(&mut self, by: isize) {
        let columns = self.columns();
        let here = columns.iter().position(|c| *c == self.sort.column).unwrap_or(0);
        let there = here.saturating_add_signed(by).min(columns.len().saturating_sub(1));
        if let Some(column) = columns.get(there) {
            self.sort_by(*column);
        }
    }

    fn sort_by(&mut self, column: Column) {
        if column != self.sort.column {
            self.sort = SortBy { column, inverted: false };
        }
        self.hold_until = None;
        self.reorder();
    }

    fn invert(&mut self) {
        self.sort.inverted = !self.sort.inverted;
        self.hold_until = None;
        self.reorder();
    }
}
