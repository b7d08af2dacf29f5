//! Whatever is pressed while the market moves: nothing breaks, and the cursor is on its pair.

use proptest::prelude::*;

use super::*;
use crate::app::list::Keep;

const KEYS: &[&str] = &[
    "j",
    "k",
    "<c-d>",
    "<c-u>",
    "<pagedown>",
    "<pageup>",
    "g",
    "G",
    "<ret>",
    "/",
    "\\",
    "<lt>",
    "<gt>",
    "s",
    "I",
    "[",
    "]",
    "<space>",
    "W",
    "U",
    "F",
    "Z",
    "w",
    "C",
    "H",
    "L",
    "!",
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "<backspace>",
    "r",
    "R",
    "y",
    "Y",
    ":",
    "`",
    "?",
    "T",
    "<tab>",
    "<esc>",
    "q",
    "a",
    "b",
    "x",
    "e",
    "t",
    "M",
    "<up>",
    "<down>",
    "<left>",
    "<right>",
    "<home>",
    "<end>",
    "@",
    "(",
    "币",
];

#[derive(Clone, Debug)]
enum Step {
    Key(usize),
    Click(u16, u16),
    Wheel(i16),
    Rows(Vec<(u8, i8)>),
    Resize(u16, u16),
    Wait(u16),
    Paste(String),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..KEYS.len()).prop_map(Step::Key),
        1 => (0_u16..130, 0_u16..40).prop_map(|(x, y)| Step::Click(x, y)),
        1 => any::<i16>().prop_map(Step::Wheel),
        4 => prop::collection::vec((0_u8..40, any::<i8>()), 0..40).prop_map(Step::Rows),
        1 => (0_u16..200, 0_u16..60).prop_map(|(c, r)| Step::Resize(c, r)),
        2 => (0_u16..4_000).prop_map(Step::Wait),
        1 => ".{0,20}".prop_map(Step::Paste),
    ]
}

fn picture(rows: &[(u8, i8)]) -> Arc<Snapshot> {
    let mut names: Vec<u8> = rows.iter().map(|(n, _)| *n).collect();
    names.sort_unstable();
    names.dedup();
    let score = |n: u8| f64::from(rows.iter().find(|(m, _)| *m == n).map_or(0, |(_, s)| *s));
    Arc::new(snapshot(names.into_iter().map(|n| row(&format!("S{n:02}USDT")).score(score(n))).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_breaks_it_and_new_figures_never_move_the_selection(
        steps in prop::collection::vec(step(), 0..120)
    ) {
        let mut app = app_of(assorted());
        for step in steps {
            let now = app.now() + Duration::from_millis(5);
            let on = app.selected().map(|r| r.pair.clone());
            let was_top = app.place() == 0;
            match &step {
                Step::Key(n) => {
                    for chord in Chord::parse_macro(KEYS[*n]).unwrap() {
                        app.update(now, Msg::Key(chord));
                    }
                }
                Step::Click(x, y) => drop(app.update(now, Msg::Mouse(Mouse::Click { x: *x, y: *y }))),
                Step::Wheel(by) => drop(app.update(now, Msg::Mouse(Mouse::Wheel(*by)))),
                Step::Rows(rows) => drop(app.update(now, Msg::Snapshot(picture(rows)))),
                Step::Resize(cols, rows) => drop(app.update(now, Msg::Resize(*cols, *rows))),
                Step::Wait(ms) => {
                    drop(app.update(now + Duration::from_millis(u64::from(*ms)), Msg::Tick));
                }
                Step::Paste(text) => drop(app.update(now, Msg::Paste(text.clone()))),
            }
            let here = app.selected().map(|r| r.pair.clone());
            let moves = matches!(step, Step::Rows(_) | Step::Wait(_) | Step::Resize(..));
            // On top nobody has chosen a pair, or may not have.
            if let Some(on) = on.filter(|_| moves && !was_top) {
                let still = app.rows_from(0).any(|r| r.pair == on);
                prop_assert!(!still || here == Some(on), "{step:?}");
            }
            prop_assert!(app.matches() == 0 || app.place() < app.matches());
            prop_assert!(app.top() == 0 || app.top() + app.shape().page() <= app.matches().max(app.top() + 1));
            if app.keeps() == Keep::Cursor && app.matches() > 0 && matches!(step, Step::Rows(_)) {
                let on_screen = app.top()..app.top() + app.shape().page();
                prop_assert!(on_screen.contains(&app.place()), "{step:?}");
            }
        }
    }
}
