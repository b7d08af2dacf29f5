//! The terminal program: a session and a screen on it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::text::host;
use crate::app::value::Notation;
use crate::app::{App, AppConfig, Replay};
use crate::config::Config;
use crate::ui::event_loop::{self, UiConfig, Wires};
use crate::ui::theme::Theme;

use super::failure::Failure;
use super::names::names;
use super::session::{Place, Purpose, Session};
use super::{DemoRun, demo};

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
    let mut session = Session::start(config, &place, Purpose::LIVE, cancel.clone())?;
    let first = Arc::clone(&session.snapshots.borrow());
    let named = config.rest_url.as_deref().or(config.ws_url.as_deref()).map(host);
    let mut app = App::new(AppConfig { notation: notation(config), replay, place: named }, first);
    app.set_names(names(config));
    if let Some(problem) = log_problem {
        tracing::warn!("{problem}");
    }
    let wires = Wires {
        snapshots: session.snapshots.clone(),
        commands: session.commands.clone(),
        stopwatch: session.stopwatch,
        saves: None,
        cancel: cancel.clone(),
    };
    let ui = UiConfig {
        theme: Theme::dark(),
        colors: colors(config),
        data_fps: u8::try_from(config.data_fps).unwrap_or(u8::MAX),
    };
    // The screen is the root future: a terminal that blocks the write blocks nothing else.
    let screen = event_loop::run(app, wires, ui);
    tokio::pin!(screen);
    let (ended, broken) = tokio::select! {
        ended = &mut screen => (ended, None),
        died = session.died() => {
            // Told to end, tasks may end before the screen does.
            let broken = (!cancel.is_cancelled()).then_some(died);
            cancel.cancel();
            ((&mut screen).await, broken)
        }
    };
    session.end().await;
    match (broken, ended) {
        (Some(died), _) => Err(died.into()),
        (None, Err(error)) => Err(Failure::Terminal(error)),
        (None, Ok(_)) => Ok(()),
    }
}

/// Signs beyond ASCII only where they are wanted and the locale can show them.
fn notation(config: &Config) -> Notation {
    if config.ascii {
        return Notation::Ascii;
    }
    let var = |name: &str| std::env::var(name).ok();
    let (all, ctype, lang) = (var("LC_ALL"), var("LC_CTYPE"), var("LANG"));
    Notation::for_locale(all.as_deref(), ctype.as_deref(), lang.as_deref())
}

fn colors(config: &Config) -> bool {
    let var = |name: &str| std::env::var(name).ok();
    let (no_color, force, term) = (var("NO_COLOR"), var("CLICOLOR_FORCE"), var("TERM"));
    config.color.resolve(no_color.as_deref(), force.as_deref(), term.as_deref())
}
