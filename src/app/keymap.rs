//! The keys in force: the table of actions with the keys that the user may have put in their place.
//! Lookup, help, hints, and every sentence that names a key read this.

use super::action::{Action, ActionSpec, Context, actions};
use super::keys::{Chord, Key};
use super::list::Motion;
use super::scheduler::Act::{Longer, Shorter};

/// An action with its keys.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Its line of the table.
    pub spec: &'static ActionSpec,
    /// The keys in force.
    pub chords: Vec<Chord>,
}

impl Bound {
    /// All keys, as help shows them.
    pub fn keys(&self) -> String {
        self.chords.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    /// Whether the key does it there. Where text is typed, a letter is text.
    fn is_hit(&self, context: Context, chord: Chord) -> bool {
        let typed = context.is_typed() && !chord.ctrl && matches!(chord.key, Key::Char(_));
        !typed && self.spec.is_in(context) && self.chords.contains(&chord)
    }
}

/// Every action with its keys.
#[derive(Clone, Debug)]
pub struct Keymap {
    lines: Vec<Bound>,
}

impl Default for Keymap {
    /// The keys of the table.
    fn default() -> Self {
        Self { lines: actions().map(|spec| Bound { spec, chords: spec.chords.to_vec() }).collect() }
    }
}

impl Keymap {
    /// In the order of the table.
    pub fn lines(&self) -> &[Bound] {
        &self.lines
    }

    /// What a key does in a context.
    pub fn lookup(&self, context: Context, chord: Chord) -> Option<Action> {
        self.lines.iter().find(|l| l.is_hit(context, chord)).map(|l| l.spec.action)
    }

    /// The first key of an action, for sentences that name it.
    pub fn key_of(&self, action: Action) -> String {
        self.first(action).map_or_else(String::new, |c| c.to_string())
    }

    fn first(&self, action: Action) -> Option<Chord> {
        self.lines.iter().find(|l| l.spec.action == action)?.chords.first().copied()
    }

    /// The hint bar's words: keys and what they do. Pairs of actions share one (`< > sort`).
    pub fn hints(&self, context: Context) -> Vec<(String, &'static str)> {
        let mut out: Vec<(String, &'static str)> = Vec::new();
        for line in &self.lines {
            let what = line.spec.hint_in(context);
            let is_key = |c: &&Chord| line.is_hit(context, **c);
            let Some(first) = line.chords.iter().find(is_key).filter(|_| !what.is_empty()) else { continue };
            let twin = match line.spec.action {
                Action::Move(Motion::Down) => self.first(Action::Move(Motion::Up)),
                Action::SortLeft => self.first(Action::SortRight),
                Action::IntervalPrev => self.first(Action::IntervalNext),
                Action::Scheduler(Longer) => self.first(Action::Scheduler(Shorter)),
                _ => None,
            };
            let keys = twin.map_or_else(|| first.to_string(), |second| format!("{first} {second}"));
            out.push((keys, what));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::View;
    use super::*;

    #[test]
    fn the_hint_bar_comes_from_the_table() {
        let keys = Keymap::default();
        let hints = keys.hints(Context::View(View::Scanner));
        assert_eq!(hints[0], ("j k".to_owned(), "move"));
        assert!(hints.contains(&("< >".to_owned(), "sort")), "{hints:?}");
        assert!(hints.contains(&("?".to_owned(), "help")));
        assert!(hints.iter().all(|(keys, _)| keys != "Esc"));
        let prompt = keys.hints(Context::Prompt);
        assert_eq!(prompt, [("Enter".to_owned(), "keep"), ("Esc".to_owned(), "as before")]);
        assert!(keys.hints(Context::Popup).contains(&("Enter".to_owned(), "take")));
        assert_eq!(
            (keys.key_of(Action::Show(View::Cache)), keys.key_of(Action::Quit)),
            ("4".to_owned(), "Q".to_owned())
        );
    }
}
