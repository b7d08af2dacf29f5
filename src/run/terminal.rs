//! The terminal program: a session and a screen on it.

use std::io::{self, Write as _};
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::app::saved::Saved;
use crate::app::text::host;
use crate::app::value::{Notation, is_utf8, locale};
use crate::app::{App, AppConfig, Replay, Setup};
use crate::config::Config;
use crate::config::color::Depth;
use crate::config::manners::NotifyChoice;
use crate::domain::text::CleanText;
use crate::ui::Letters;
use crate::ui::event_loop::{self, UiConfig, Wires};
use crate::ui::outside::{Notify, Outside};
use crate::ui::shade::Level as Colors;
use crate::ui::terminal::Mouse;
use crate::ui::themes::{Named, Wardrobe};

use super::failure::Failure;
use super::kept::{self, Found};
use super::names::names;
use super::session::{Place, Purpose, Session};
use super::themes::Themes;
use super::{DemoRun, demo, setup, zone};

/// Runs until the user leaves or `cancel`.
pub(super) async fn run(
    config: &Config,
    demo: Option<DemoRun>,
    log_problem: Option<String>,
    cancel: CancellationToken,
) -> Result<(), Failure> {
    let (place, replay) = match demo {
        None => (Place::of(config), None),
        Some(run) => {
            let (exchange, place) = demo::start(run.start, run.speed, cancel.clone()).await?;
            let end = exchange.clock().end().unwrap_or_default();
            (place, Some(Replay { speed: run.speed, end }))
        }
    };
    let zone = zone::find(&config.tz)?;
    let themes = Themes::gather();
    let (look, broken) = themes.look(config)?;
    let mut session = Session::start(config, &place, Purpose::LIVE, cancel.clone())?;
    let first = Arc::clone(&session.snapshots.borrow());
    let named = config.rest_url.as_deref().or(config.ws_url.as_deref()).map(host);
    let choice = themes.all.iter().map(|t| t.name.clone()).collect();
    let mut app = App::new(
        AppConfig { notation: signs(config).0, replay, place: named, zone, themes: choice, look },
        first,
    );
    let found = if replay.is_some() { Found::default() } else { kept::find() };
    app.set_names(names(config));
    let problems = [log_problem, broken, found.problem].into_iter().flatten();
    let problems: Vec<_> = problems.map(|problem| CleanText::new(&problem)).collect();
    for problem in &problems {
        tracing::warn!("{problem}");
    }
    app.set_up(Setup { problems, ..setup::of(config, found.saved)? });
    let (to_keep, saves) = watch::channel(Saved::default());
    let wires = Wires {
        snapshots: session.snapshots.clone(),
        commands: session.commands.clone(),
        stopwatch: session.stopwatch,
        saves: found.path.is_some().then_some(to_keep),
        cancel: cancel.clone(),
    };
    let ui = ui(config, themes.all);
    // The screen is the root future: a terminal that blocks the write blocks nothing else.
    let screen = async {
        let keeping = async {
            match found.path {
                Some(path) => kept::keep(path, saves).await,
                None => None,
            }
        };
        tokio::join!(event_loop::run(app, wires, ui), keeping)
    };
    tokio::pin!(screen);
    let ((ended, not_kept), broken) = tokio::select! {
        ended = &mut screen => (ended, None),
        died = session.died() => {
            // Told to end, tasks may end before the screen does.
            let broken = (!cancel.is_cancelled()).then_some(died);
            cancel.cancel();
            ((&mut screen).await, broken)
        }
    };
    session.end().await;
    if let Some(problem) = not_kept {
        // The terminal is given back: it can be said there.
        drop(writeln!(io::stderr(), "hamatop: {problem}"));
    }
    match (broken, ended) {
        (Some(died), _) => Err(died.into()),
        (None, Err(error)) => Err(Failure::Terminal(error)),
        (None, Ok(_)) => Ok(()),
    }
}

/// Signs beyond ASCII only where they are wanted and the locale can show them; letters beyond it,
/// as in Chinese names, wherever the locale has them.
fn signs(config: &Config) -> (Notation, Letters) {
    if config.ascii {
        return (Notation::Ascii, Letters::SevenBit);
    }
    let var = |name: &str| std::env::var(name).ok();
    let (all, ctype, lang) = (var("LC_ALL"), var("LC_CTYPE"), var("LANG"));
    let (all, ctype, lang) = (all.as_deref(), ctype.as_deref(), lang.as_deref());
    let utf8 = is_utf8(&locale(all, ctype, lang));
    (Notation::for_locale(all, ctype, lang), if utf8 { Letters::All } else { Letters::SevenBit })
}

fn ui(config: &Config, themes: Vec<Named>) -> UiConfig {
    let var = |name: &str| std::env::var(name).ok();
    let level = match config.depth(var) {
        Depth::None => Colors::Plain,
        Depth::Sixteen => Colors::Sixteen,
        Depth::Indexed => Colors::Indexed,
        Depth::True => Colors::True,
    };
    let found = Outside::of(var);
    let notify = match config.notify {
        NotifyChoice::Auto => found.notify,
        NotifyChoice::Bell => Notify::Bell,
        NotifyChoice::Off => Notify::Off,
    };
    UiConfig {
        wardrobe: Wardrobe::new(themes, level),
        data_fps: u8::try_from(config.data_fps).unwrap_or(u8::MAX),
        letters: signs(config).1,
        mouse: if config.mouse.resolve(found.over_ssh) { Mouse::Ours } else { Mouse::Theirs },
        outside: Outside { notify, ..found },
    }
}
