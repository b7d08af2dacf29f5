//! The table of actions: what can be done, with which keys, where. [`Keymap`](super::keymap::Keymap)
//! is made of it.

use super::columns::Edit;
use super::keys::{Chord, Key};
use super::list::Motion;
use super::{View, alerts, cache, detail, scheduler, signals};

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// A view.
    View(View),
    /// The filter prompt.
    Prompt,
    /// A window over the view, with lines to choose from.
    Popup,
    /// The column editor.
    Columns,
    /// A window over the view, where typing looks for lines.
    Search,
    /// Anywhere.
    Always,
}

impl Context {
    /// Every place where a key can be pressed.
    pub fn all() -> impl Iterator<Item = Self> {
        VIEWS.iter().copied().chain([Self::Prompt, Self::Popup, Self::Columns, Self::Search])
    }

    /// As sentences name it.
    pub fn place(self) -> String {
        match self {
            Self::View(view) => format!("in the {}", view.titles().0.to_lowercase()),
            Self::Prompt => "in the filter".to_owned(),
            Self::Popup => "in a list".to_owned(),
            Self::Columns => "in the column editor".to_owned(),
            Self::Search => "in the palette".to_owned(),
            Self::Always => "everywhere".to_owned(),
        }
    }

    /// Whether letters are text there.
    pub fn is_typed(self) -> bool {
        matches!(self, Self::Prompt | Self::Search)
    }
}

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Move the cursor, or what is on screen.
    Move(Motion),
    /// Start typing a filter.
    EditFilter,
    /// Drop the filter.
    ClearFilter,
    /// Sort by the column to the left.
    SortLeft,
    /// Sort by the column to the right.
    SortRight,
    /// Turn the order round.
    Invert,
    /// Choose the sort column from a list.
    PickSort,
    /// Follow the selected pair, or keep the screen where it is.
    Follow,
    /// Keep the order as it is, or let it go.
    Freeze,
    /// Mark the selected pair, or take its mark off.
    Mark,
    /// Take all marks off.
    Unmark,
    /// Show the marked rows alone, or all of them.
    OnlyMarked,
    /// The next set of columns.
    NextColumns,
    /// Choose and order the columns.
    EditColumns,
    /// Something of the column editor.
    Edit(Edit),
    /// Copy the pair's name.
    CopyName,
    /// Copy the row.
    CopyRow,
    /// The pair's page at the exchange.
    OpenPage,
    /// Show the selected pair in detail.
    Open,
    /// Show the figures of the shorter interval.
    IntervalPrev,
    /// Show the figures of the longer interval.
    IntervalNext,
    /// Find an action, a pair, a column, a view by typing.
    Palette,
    /// What the program has said.
    Log,
    /// Show a view.
    Show(View),
    /// Show the view from before.
    LastView,
    /// Something of the detail view.
    Detail(detail::Act),
    /// Something of the signals view.
    Signals(signals::Act),
    /// Something of the cache view.
    Cache(cache::Act),
    /// Something of the scheduler view.
    Scheduler(scheduler::Act),
    /// Something of the alerts view.
    Alerts(alerts::Act),
    /// Check the selected pair.
    RefreshOne,
    /// Check everything.
    RefreshAll,
    /// Help.
    Help,
    /// Choose theme and palette.
    PickLook,
    /// Try the next palette.
    NextPalette,
    /// Paint everything anew.
    Redraw,
    /// Close what is open, clear what is typed.
    Escape,
    /// Take what is chosen or typed.
    Accept,
    /// Stop, until the shell goes on with it.
    Suspend,
    /// Leave the program, or close the window.
    Back,
    /// Leave the program.
    Quit,
}

/// Under which heading help shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Moving.
    Move,
    /// The table.
    Table,
    /// Data and program.
    Program,
    /// The column editor.
    Columns,
}

impl Group {
    /// In the order of the help.
    pub const ALL: [Self; 4] = [Self::Move, Self::Table, Self::Program, Self::Columns];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Move => "MOVE",
            Self::Table => "TABLE",
            Self::Program => "DATA / PROGRAM",
            Self::Columns => "COLUMN EDITOR",
        }
    }
}

/// One line of the key map.
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// What is done.
    pub action: Action,
    /// Its name in files.
    pub id: &'static str,
    /// What help says.
    pub help: &'static str,
    /// What the hint bar says; empty where it says nothing.
    pub hint: &'static str,
    /// Under which heading.
    pub group: Group,
    /// Where the keys count.
    pub contexts: &'static [Context],
    /// The keys.
    pub chords: &'static [Chord],
}

/// All views.
pub(super) const VIEWS: &[Context] = &[
    Context::View(View::Scanner),
    Context::View(View::Detail),
    Context::View(View::Signals),
    Context::View(View::Cache),
    Context::View(View::Scheduler),
    Context::View(View::Alerts),
];
/// Views and lists.
const LISTS: &[Context] = &[
    Context::View(View::Scanner),
    Context::View(View::Detail),
    Context::View(View::Signals),
    Context::View(View::Cache),
    Context::View(View::Scheduler),
    Context::View(View::Alerts),
    Context::Popup,
    Context::Columns,
];
/// The same, and windows with lines below a text that is typed.
const LINES: &[Context] = &[
    Context::View(View::Scanner),
    Context::View(View::Detail),
    Context::View(View::Signals),
    Context::View(View::Cache),
    Context::View(View::Scheduler),
    Context::View(View::Alerts),
    Context::Popup,
    Context::Columns,
    Context::Search,
    Context::Prompt,
];
/// The views of the pairs' rows.
const TABLE: &[Context] = &[Context::View(View::Scanner), Context::View(View::Cache)];
/// The same, and the pair alone.
const PAIRS: &[Context] =
    &[Context::View(View::Scanner), Context::View(View::Detail), Context::View(View::Cache)];
/// Where a pair is picked that has a page.
const PAGES: &[Context] = &[Context::View(View::Scanner), Context::View(View::Detail)];
const SCANNER: &[Context] = &[Context::View(View::Scanner)];
/// Whose order can be chosen: the cache's is its own.
const ORDERED: &[Context] = &[Context::View(View::Scanner), Context::Popup];
const EDITOR: &[Context] = &[Context::Columns];
const INPUTS: &[Context] = &[Context::Prompt, Context::Popup, Context::Columns, Context::Search];
const POPUP: &[Context] = &[Context::Popup];
const ALWAYS: &[Context] = &[Context::Always];

pub(super) const fn c(c: char) -> Chord {
    Chord::char(c)
}

pub(super) const fn k(key: Key) -> Chord {
    Chord::plain(key)
}

const fn go(motion: Motion) -> Action {
    Action::Move(motion)
}

pub(super) const fn line(
    action: Action,
    id: &'static str,
    texts: (&'static str, &'static str),
    place: (Group, &'static [Context]),
    chords: &'static [Chord],
) -> ActionSpec {
    ActionSpec { action, id, help: texts.0, hint: texts.1, group: place.0, contexts: place.1, chords }
}

/// Every action, in the order of the hint bar within a context: those of several views, then each
/// view's own, which stand beside its state.
pub fn actions() -> impl Iterator<Item = &'static ActionSpec> + Clone {
    [SHARED, detail::ACTIONS, signals::ACTIONS, cache::ACTIONS, scheduler::ACTIONS, alerts::ACTIONS]
        .into_iter()
        .flatten()
}

const SHARED: &[ActionSpec] = &[
    line(go(Motion::Down), "down", ("next row", "move"), (Group::Move, LINES), &[c('j'), k(Key::Down)]),
    line(go(Motion::Up), "up", ("previous row", ""), (Group::Move, LINES), &[c('k'), k(Key::Up)]),
    line(
        go(Motion::HalfDown),
        "half-down",
        ("half a page down", ""),
        (Group::Move, LISTS),
        &[Chord::ctrl('d')],
    ),
    line(go(Motion::HalfUp), "half-up", ("half a page up", ""), (Group::Move, LISTS), &[Chord::ctrl('u')]),
    line(go(Motion::PageDown), "page-down", ("page down", ""), (Group::Move, LINES), &[k(Key::PageDown)]),
    line(go(Motion::PageUp), "page-up", ("page up", ""), (Group::Move, LINES), &[k(Key::PageUp)]),
    line(go(Motion::First), "first", ("first row", ""), (Group::Move, LISTS), &[c('g'), k(Key::Home)]),
    line(go(Motion::Last), "last", ("last row", ""), (Group::Move, LISTS), &[c('G'), k(Key::End)]),
    line(Action::Open, "open", ("open the pair", "open"), (Group::Move, SCANNER), &[k(Key::Enter)]),
    line(Action::EditFilter, "filter", ("type a filter", "filter"), (Group::Table, TABLE), &[c('/')]),
    line(Action::ClearFilter, "clear-filter", ("clear the filter", ""), (Group::Table, TABLE), &[c('\\')]),
    line(Action::SortLeft, "sort-left", ("sort left", "sort"), (Group::Table, SCANNER), &[c('<')]),
    line(Action::SortRight, "sort-right", ("sort right", ""), (Group::Table, SCANNER), &[c('>')]),
    line(Action::Follow, "follow", ("follow the pair", "follow"), (Group::Table, SCANNER), &[c('F')]),
    line(Action::Freeze, "freeze", ("freeze the order", "freeze"), (Group::Table, SCANNER), &[c('Z')]),
    line(
        Action::PickSort,
        "sort",
        ("pick sort column", ""),
        (Group::Table, SCANNER),
        &[c('s'), k(Key::F(6))],
    ),
    line(Action::Invert, "invert", ("invert the order", "invert"), (Group::Table, ORDERED), &[c('I')]),
    line(
        Action::IntervalPrev,
        "interval-prev",
        ("interval before", "interval"),
        (Group::Table, PAIRS),
        &[c('[')],
    ),
    line(Action::IntervalNext, "interval-next", ("interval after", ""), (Group::Table, PAIRS), &[c(']')]),
    line(Action::Mark, "mark", ("mark the pair", "mark"), (Group::Table, SCANNER), &[c(' ')]),
    line(Action::OnlyMarked, "only-marked", ("marked only", ""), (Group::Table, SCANNER), &[c('W')]),
    line(Action::Unmark, "unmark-all", ("take marks off", ""), (Group::Table, SCANNER), &[c('U')]),
    line(Action::NextColumns, "columns-next", ("other columns", ""), (Group::Table, SCANNER), &[c('w')]),
    line(Action::EditColumns, "columns", ("edit columns", ""), (Group::Table, SCANNER), &[c('C')]),
    line(Action::Show(View::Scanner), "view-scanner", ("scanner", ""), (Group::Program, VIEWS), &[c('1')]),
    line(Action::Show(View::Detail), "view-detail", ("detail", ""), (Group::Program, VIEWS), &[c('2')]),
    line(Action::Show(View::Signals), "view-signals", ("signals", ""), (Group::Program, VIEWS), &[c('3')]),
    line(Action::Show(View::Cache), "view-cache", ("cache", ""), (Group::Program, VIEWS), &[c('4')]),
    line(
        Action::Show(View::Scheduler),
        "view-scheduler",
        ("scheduler", ""),
        (Group::Program, VIEWS),
        &[c('5')],
    ),
    line(Action::Show(View::Alerts), "view-alerts", ("alerts", ""), (Group::Program, VIEWS), &[c('6')]),
    line(
        Action::LastView,
        "view-last",
        ("view from before", ""),
        (Group::Program, VIEWS),
        &[k(Key::Backspace)],
    ),
    line(Action::RefreshOne, "refresh", ("check by REST", "check"), (Group::Program, PAIRS), &[c('r')]),
    line(
        Action::RefreshAll,
        "refresh-all",
        ("refresh all", "all"),
        (Group::Program, TABLE),
        &[c('R'), Chord::ctrl('r'), k(Key::F(5))],
    ),
    line(Action::CopyName, "copy", ("copy the name", ""), (Group::Program, TABLE), &[c('y')]),
    line(Action::CopyRow, "copy-row", ("copy the row", ""), (Group::Program, TABLE), &[c('Y')]),
    line(Action::OpenPage, "page", ("open in browser", ""), (Group::Program, PAGES), &[c('o')]),
    line(
        Action::Palette,
        "palette",
        ("find anything", "find"),
        (Group::Program, VIEWS),
        &[c(':'), Chord::ctrl('p')],
    ),
    line(Action::Log, "log", ("what was said", ""), (Group::Program, VIEWS), &[c('`')]),
    line(Action::Help, "help", ("help", "help"), (Group::Program, VIEWS), &[c('?'), k(Key::F(1))]),
    line(Action::PickLook, "look", ("theme, palette", ""), (Group::Program, LISTS), &[c('T')]),
    line(Action::NextPalette, "palette-next", ("next palette", ""), (Group::Program, POPUP), &[k(Key::Tab)]),
    line(Action::Accept, "accept", ("take the choice", "take"), (Group::Table, INPUTS), &[k(Key::Enter)]),
    line(
        Action::Edit(Edit::Toggle),
        "column-toggle",
        ("show, hide", "show"),
        (Group::Columns, EDITOR),
        &[c(' ')],
    ),
    line(
        Action::Edit(Edit::Left),
        "column-left",
        ("column left", "left"),
        (Group::Columns, EDITOR),
        &[c('H'), k(Key::Left)],
    ),
    line(
        Action::Edit(Edit::Right),
        "column-right",
        ("column right", "right"),
        (Group::Columns, EDITOR),
        &[c('L'), k(Key::Right)],
    ),
    line(
        Action::Edit(Edit::Pin),
        "column-pin",
        ("pin the column", "pin"),
        (Group::Columns, EDITOR),
        &[c('!')],
    ),
    line(
        Action::Edit(Edit::Reset),
        "column-reset",
        ("as they were", "reset"),
        (Group::Columns, EDITOR),
        &[c('0')],
    ),
    line(Action::Escape, "escape", ("close, clear", "close"), (Group::Program, ALWAYS), &[k(Key::Esc)]),
    line(Action::Redraw, "redraw", ("paint anew", ""), (Group::Program, ALWAYS), &[Chord::ctrl('l')]),
    line(Action::Suspend, "suspend", ("stop; fg goes on", ""), (Group::Program, ALWAYS), &[Chord::ctrl('z')]),
    line(Action::Back, "back", ("back, quit", "quit"), (Group::Program, LISTS), &[c('q')]),
    line(Action::Quit, "quit", ("quit", ""), (Group::Program, LISTS), &[c('Q')]),
    line(Action::Quit, "quit-now", ("quit at once", ""), (Group::Program, ALWAYS), &[Chord::ctrl('c')]),
];

impl ActionSpec {
    /// The one view that it is of, besides the scanner.
    pub fn own_view(&self) -> Option<View> {
        match self.contexts {
            [Context::View(view)] if *view != View::Scanner => Some(*view),
            _ => None,
        }
    }

    /// Whether the keys count there.
    pub fn is_in(&self, context: Context) -> bool {
        self.contexts.iter().any(|c| *c == context || *c == Context::Always)
    }

    /// What the hint bar says there; empty where it says nothing.
    pub(super) fn hint_in(&self, context: Context) -> &'static str {
        match (self.action, context) {
            (Action::Move(Motion::Up), Context::Prompt) => "earlier",
            // A window or a prompt is what Escape closes; a view it does not.
            (Action::Escape, Context::View(_))
            | (Action::Move(_), Context::Prompt)
            | (Action::Accept | Action::Back, Context::Columns) => "",
            (Action::Escape, Context::Prompt) => "as before",
            (Action::Accept, Context::Prompt) => "keep",
            _ => self.hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for context in Context::all() {
            let mut seen: Vec<(Chord, &str)> = Vec::new();
            for spec in actions().filter(|a| a.is_in(context)) {
                for chord in spec.chords {
                    let twin = seen.iter().find(|(c, _)| c == chord);
                    assert!(twin.is_none(), "{chord} is {} and {:?} in {context:?}", spec.id, twin);
                    seen.push((*chord, spec.id));
                }
            }
        }
    }

    #[test]
    fn ids_are_unique_and_every_action_has_a_key_and_a_sentence() {
        for (n, a) in actions().enumerate() {
            assert!(actions().skip(n + 1).all(|b| b.id != a.id), "{}", a.id);
            assert!(!a.chords.is_empty() && !a.help.is_empty() && a.help.len() <= 16, "{}", a.id);
        }
    }
}
