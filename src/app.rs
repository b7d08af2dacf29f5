//! What the screen shows, as a state machine: messages in, effects out.
//!
//! Invariant: pure. No IO, no ambient clock, no terminal library: the same messages give the same
//! state, and the drawing reads it without changing it.

pub mod action;
pub mod alerts;
pub mod behind;
pub mod cache;
pub mod changed;
pub mod chart;
pub mod check;
mod clipboard;
pub mod column;
pub mod columns;
pub mod detail;
pub mod keymap;
pub mod keys;
pub mod layout;
pub mod list;
pub mod look;
mod mouse;
pub mod order;
mod page;
mod palette;
pub mod popup;
mod prompt;
mod readout;
pub mod saved;
mod scanner;
pub mod scheduler;
pub mod signals;
pub mod text;
mod toast;
pub mod value;
mod view;
mod watched;
pub mod zone;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::text::CleanText;
use crate::domain::time::{Mono, UnixMs};
use crate::engine::{Command, Scope};
use crate::market::snapshot::{DataState, Level, Row, Snapshot};
use crate::rule::names::Names;

use self::action::{Action, Context};
use self::columns::{ColumnSet, Columns};
use self::keymap::Keymap;
use self::keys::Chord;
use self::layout::Shape;
use self::list::Motion;
use self::look::{Look, ThemeName, Wears};
pub use self::palette::Palette;
pub use self::popup::{LOG_FOOT, Overlay};
pub use self::prompt::Prompt;
use self::saved::{Memory, Saved};
use self::scanner::Scanner;
pub use self::scanner::{HOLD, Shown};
pub use self::toast::Toast;
use self::value::Notation;
pub use self::view::View;
use self::watched::Watched;
use self::zone::Zone;

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
    /// Something outside of the market that the user should know.
    Word(Level, CleanText),
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
    /// Keep this for the next start.
    Save(Box<Saved>),
    /// Put this on the clipboard of the terminal's machine.
    Copy(String),
    /// Tell the user even where the terminal is not looked at.
    Notify(String),
    /// Show this page in the user's browser, or give its address where there is none.
    Link(String),
    /// Stop, until the shell goes on with us.
    Suspend,
    /// Leave.
    Quit,
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
    /// The zone of the times that are shown.
    pub zone: Zone,
    /// The themes that can be chosen.
    pub themes: Arc<[ThemeName]>,
    /// The look at the start.
    pub look: Look,
}

impl Default for AppConfig {
    fn default() -> Self {
        Self {
            notation: Notation::Ascii,
            replay: None,
            place: None,
            zone: Zone::default(),
            themes: Arc::default(),
            look: Look::default(),
        }
    }
}

/// What the user has set up: keys, columns, and where the program was left.
#[derive(Debug, Default)]
pub struct Setup {
    /// The keys.
    pub keys: Keymap,
    /// Sets of columns of the config.
    pub columns: Vec<ColumnSet>,
    /// What was saved; `None` where nothing was, or is to be.
    pub saved: Option<Saved>,
    /// Which look is put on.
    pub wears: Wears,
    /// What went wrong before there was a screen to say it on.
    pub problems: Vec<CleanText>,
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
    keys: Keymap,
    view: View,
    last_view: View,
    scanner: Scanner,
    columns: Columns,
    memory: Memory,
    detail: detail::Detail,
    signals: signals::Signals,
    cache: cache::Cache,
    scheduler: scheduler::Scheduler,
    alerts: alerts::Alerts,
    overlay: Option<Overlay>,
    prompt: Option<Prompt>,
    names: Arc<Names>,
    toast: Option<Toast>,
    words: toast::Words,
    notices_seen: Option<u64>,
    watched: Watched,
    look: Look,
    /// When a row in view last changed.
    news: Mono,
    troubled: Troubled,
}

impl App {
    /// Of the first picture.
    pub fn new(config: AppConfig, snapshot: Arc<Snapshot>) -> Self {
        let mut app = Self {
            look: config.look,
            config,
            now: snapshot.made,
            shape: Shape::of(80, 24),
            keys: Keymap::default(),
            view: View::Scanner,
            last_view: View::Scanner,
            scanner: Scanner::default(),
            columns: Columns::default(),
            memory: Memory::default(),
            detail: detail::Detail::default(),
            signals: signals::Signals::default(),
            cache: cache::Cache::default(),
            scheduler: scheduler::Scheduler::default(),
            alerts: alerts::Alerts::default(),
            overlay: None,
            prompt: None,
            names: Arc::new(Names::new()),
            toast: None,
            words: toast::Words::default(),
            notices_seen: None,
            watched: Watched::default(),
            news: snapshot.made,
            troubled: Troubled::of(&snapshot),
            snapshot,
        };
        app.reorder();
        app.take_signals();
        app.restore(None);
        app.take_alerts(&mut Vec::new());
        app
    }

    /// With the user's keys and columns, where the program was left. Nothing comes of it that would
    /// have to be done.
    pub fn set_up(&mut self, setup: Setup) {
        self.keys = setup.keys;
        self.columns = Columns::new(setup.columns);
        self.restore(setup.saved);
        if setup.wears == Wears::Asked {
            self.look = self.config.look;
        }
        for problem in setup.problems {
            self.hear_word(Level::Warn, problem);
        }
    }

    /// Takes the names that filters refer to: lists of pairs, aliases, filters. Marks are its own.
    pub fn set_names(&mut self, names: Arc<Names>) {
        self.names = names;
        self.name_marks();
        self.reorder();
    }

    /// Takes what happened at `now`, and says what is to be done.
    pub fn update(&mut self, now: Mono, msg: Msg) -> Vec<Effect> {
        self.now = self.now.max(now);
        let mut effects = Vec::new();
        let (place, said) = (self.whereabouts(), self.toast.clone());
        if matches!(msg, Msg::Key(_) | Msg::Paste(_) | Msg::Mouse(_)) {
            self.touched();
        }
        match msg {
            Msg::Snapshot(snapshot) => {
                self.take_snapshot(snapshot);
                self.take_alerts(&mut effects);
            }
            Msg::Key(chord) => self.key(chord, &mut effects),
            Msg::Paste(text) => self.paste(&text),
            Msg::Resize(cols, rows) => {
                self.shape = Shape::of(cols, rows);
                self.scanner.reveal(&self.snapshot, self.shape.pane());
                self.reveal_signal();
            }
            Msg::Mouse(mouse) => self.mouse(mouse, &mut effects),
            Msg::Focus(_) => {}
            Msg::Word(level, text) => self.hear_word(level, text),
            // Nobody asked for that: it is told again by itself.
            Msg::Busy(Command::Visible(_)) => self.watched.forget(),
            Msg::Busy(Command::Focus(_)) => {
                self.detail.forget_told();
                // Not at once: there is no room still, and it would go round for ever.
                return effects;
            }
            Msg::Busy(command) => {
                self.scheduler.forget_asked(&command);
                self.say(Level::Warn, "busy: the engine has more to do than it can take; try again");
            }
            Msg::Tick => self.tell_watched(&mut effects),
        }
        if self.whereabouts() != place {
            self.leave_toast(said.as_ref());
        }
        self.expire();
        self.settle_detail(&mut effects);
        if self.view == View::Cache {
            self.settle_cache();
        }
        if effects.contains(&Effect::Quit) {
            self.memory.due = Some(self.now);
        }
        self.save(&mut effects);
        effects
    }

    /// Somebody is there.
    fn touched(&mut self) {
        self.scanner.see(&self.snapshot);
        self.memory.newcomer = false;
        self.memory.touch(self.now);
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
        [self.scanner.deadline(), self.memory.due, toast].into_iter().flatten().min()
    }

    /// The view, and what lies over it.
    fn whereabouts(&self) -> (View, Option<std::mem::Discriminant<Overlay>>) {
        (self.view, self.overlay.as_ref().map(std::mem::discriminant))
    }

    fn expire(&mut self) {
        if self.toast.as_ref().is_some_and(|t| t.until <= self.now) {
            self.toast = None;
        }
        self.let_go();
    }

    fn take_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.hear(&snapshot);
        self.take_picture(snapshot);
        self.take_signals();
        self.settle_popup();
    }

    /// The rows of a new picture, and whether it brings news of those in view.
    fn take_picture(&mut self, snapshot: Arc<Snapshot>) {
        let in_view = self.in_view();
        self.troubled = Troubled::of(&snapshot);
        self.take_rows(snapshot);
        // What did not change is the same row still.
        let now_in_view = self.in_view();
        let same = in_view.iter().map(Arc::as_ptr).eq(now_in_view.iter().map(Arc::as_ptr));
        if !same || !self.snapshot.warmup.is_over() {
            self.news = self.now;
        }
    }

    fn in_view(&self) -> Vec<Arc<Row>> {
        let shown = self.scanner.order.iter().skip(self.top()).take(self.shape.page());
        shown.filter_map(|n| self.snapshot.rows.get(*n)).map(Arc::clone).collect()
    }

    fn key(&mut self, chord: Chord, effects: &mut Vec<Effect>) {
        let context = self.context();
        match self.keys.lookup(context, chord) {
            Some(action @ (Action::Quit | Action::Redraw | Action::Suspend)) => self.act(action, effects),
            found if context == Context::Prompt => self.key_in_prompt(found, chord),
            found if self.overlay.is_some() => self.key_in_popup(found, chord, effects),
            Some(action) => self.act(action, effects),
            None => {}
        }
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match action {
            Action::Move(motion) => self.go(motion),
            Action::EditFilter => self.open_prompt(),
            Action::Escape if !self.is_filtered() => {}
            Action::ClearFilter | Action::Escape => self.clear_filter(),
            Action::SortLeft => self.shift_sort(-1),
            Action::SortRight => self.shift_sort(1),
            Action::Invert => self.invert(),
            Action::PickSort => self.open_sort_picker(),
            Action::Follow => self.toggle_follow(),
            Action::Freeze => self.toggle_freeze(),
            Action::Mark => self.toggle_mark(),
            Action::Unmark => self.unmark_all(),
            Action::OnlyMarked => self.toggle_marked(),
            Action::NextColumns => self.next_columns(),
            Action::EditColumns => self.open_editor(),
            Action::CopyName => self.copy_name(effects),
            Action::CopyRow => self.copy_row(effects),
            Action::OpenPage => self.open_page(effects),
            Action::Open => self.open_selected(),
            Action::IntervalPrev => self.shift_lane(self.scanner.lane.saturating_sub(1)),
            Action::IntervalNext => self.shift_lane(self.scanner.lane + 1),
            Action::Show(view) => self.show(view),
            Action::LastView => self.show(self.last_view),
            Action::Detail(act) => self.act_in_detail(act),
            Action::Signals(act) => self.act_in_signals(act),
            Action::Cache(act) => self.act_in_cache(act),
            Action::Scheduler(act) => self.act_in_scheduler(act, effects),
            Action::Alerts(act) => self.act_in_alerts(act, effects),
            Action::RefreshOne => self.refresh_one(effects),
            Action::RefreshAll => {
                effects.push(Effect::Send(Command::Refresh(Scope::All)));
                self.say(Level::Info, "checking all pairs, those in view first");
            }
            Action::Palette => self.open_palette(),
            Action::Log => self.open_log(),
            Action::Help => self.open_help(),
            Action::PickLook => self.open_look(),
            Action::Back if self.view != View::Scanner => self.show(View::Scanner),
            Action::Back | Action::Quit => effects.push(Effect::Quit),
            Action::Redraw => effects.push(Effect::Redraw),
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Accept | Action::Edit(_) | Action::NextPalette => {}
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

    fn show(&mut self, view: View) {
        if view != self.view {
            // By the cursor of the view that is left.
            let picked = self.picked().map(|row| row.pair.clone());
            self.last_view = std::mem::replace(&mut self.view, view);
            match view {
                View::Detail => self.enter_detail(self.last_view, picked),
                View::Cache => self.cache.enter(),
                View::Scanner | View::Signals | View::Scheduler | View::Alerts => {}
            }
        }
    }

    fn open_selected(&mut self) {
        match self.picked() {
            Some(_) => self.show(View::Detail),
            None => self.say(Level::Info, "no pair is selected"),
        }
    }
}
