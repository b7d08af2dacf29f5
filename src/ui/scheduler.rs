//! The jobs: what runs, what is due, what came of it.

use std::fmt::Write as _;

use crate::app::App;
use crate::app::layout::Tier;
use crate::app::scheduler::every_text;
use crate::app::text::Precision;
use crate::app::value::{Notation, write_span};
use crate::schedule::{JobView, Mode, Progress, Run, Timer};

use super::canvas::Canvas;
use super::header::lag_text;
use super::theme::Role;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let shape = app.shape();
    let end = shape.rows - if shape.tier == Tier::Roomy { 2 } else { 1 };
    let pane = app.job_pane();
    // From the bottom of the block up, since the jobs' line is fixed.
    let top = if shape.tier == Tier::Reduced { 2 } else { 3 };
    draw_state(app, canvas, top, shape.tier == Tier::Reduced);
    canvas.rule(pane.first - 2, "jobs");
    draw_head(canvas, pane.first - 1, &JOB_CELLS);
    for (y, job) in (pane.first..end).zip(&app.snapshot().schedule.jobs) {
        let selected = app.job().is_some_and(|j| j.id == job.id);
        draw_job(app, canvas, (y, selected), job);
    }
    let mut y = pane.first + u16::try_from(pane.rows).unwrap_or(1);
    let Some(job) = app.job() else { return };
    if shape.tier != Tier::Reduced {
        canvas.text(LEFT, y, canvas.cols() - LEFT, job.id.spec().about, Role::Dim);
        y += 1;
    }
    draw_runs(app, canvas, (y, end), job);
}

/// Whether jobs run, the last run and the one under way.
fn draw_state(app: &App, canvas: &mut Canvas<'_>, top: u16, reduced: bool) {
    let mut y = top;
    let cols = canvas.cols();
    if !reduced {
        canvas.rule(y, "scheduler");
        y += 1;
    }
    let (word, what, role) = match app.snapshot().schedule.mode {
        Mode::Running => ("RUNNING", "jobs begin by themselves", Role::Up),
        Mode::Stopped => ("STOPPED", "no job begins until it is started or asked for", Role::Warn),
        Mode::Off => ("OFF", "there is no scheduler here", Role::Dim),
    };
    canvas.spans(1, y, cols, &[(word, role), ("  ", Role::Text), (what, Role::Text)]);
    let Some(job) = app.job() else { return };
    canvas.items(1, y + 1, &last_items(app, job));
    // The run of the job under the cursor, else whichever is under way.
    let jobs = &app.snapshot().schedule.jobs;
    let running = std::iter::once(job).chain(jobs).find_map(|j| Some((j, j.current.as_ref()?)));
    match running {
        Some((job, (run, progress))) => draw_progress(app, canvas, y + 2, (job, run, progress)),
        None => {
            canvas.text(1, y + 2, cols - 1, "no run is under way", Role::Dim);
        }
    }
}

/// What came of the last run, the most important first.
fn last_items(app: &App, job: &JobView) -> Vec<Vec<(String, Role)>> {
    let name = job.id.spec().name;
    let Some(run) = job.last() else {
        let waits = app.snapshot().rows.is_empty();
        let why = if waits { "; it waits for the list of pairs" } else { "" };
        return vec![vec![(format!("{name} has not run yet{why}"), Role::Dim)]];
    };
    let c = run.counts;
    let role = if c.failed > 0 { Role::Warn } else { Role::Text };
    let mut items = vec![format!("last {name} {}", ago(app, run)), format!("  took {}", lag_text(run.took))];
    for (word, n) in [
        ("ok", c.ok),
        ("failed", c.failed),
        ("fresh", c.fresh),
        ("loaded", c.loaded),
        ("repaired", c.repaired),
    ] {
        items.push(format!("  {word} {n}"));
    }
    let begun = |at| format!("  begun at {}", app.config().zone.stamp(at, Precision::Second));
    items.extend(run.at.map(begun));
    items.into_iter().map(|text| vec![(text, role)]).collect()
}

/// `refresh [#####.....] 250/500  48.5/s  ETA 5s`
fn draw_progress(
    app: &App,
    canvas: &mut Canvas<'_>,
    y: u16,
    (job, run, progress): (&JobView, &Run, &Progress),
) {
    let mut right = format!(" {}/{}", progress.done, progress.total);
    if let Some(rate) = progress.rate() {
        let _ = write!(right, "  {rate:.1}/s");
    }
    if let Some(eta) = progress.eta() {
        let _ = write!(right, "  ETA {}s", eta.as_secs() + 1);
    }
    if run.counts.failed > 0 {
        let _ = write!(right, "  {} failed", run.counts.failed);
    }
    let _ = write!(right, "  {}", lag_text(progress.elapsed(app.now())));
    let left = format!("{} #{} ", job.id.spec().name, run.number);
    let cells = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX);
    let room = canvas.cols().saturating_sub(cells(&left) + cells(&right) + 4).clamp(4, 60);
    let bar = bar(progress, room, canvas.notation);
    let cols = canvas.cols();
    canvas.spans(1, y, cols, &[(&left, Role::Title), (&bar, Role::Text), (&right, Role::Text)]);
}

fn bar(progress: &Progress, room: u16, notation: Notation) -> String {
    let full = u64::from(room) * u64::from(progress.done) / u64::from(progress.total.max(1));
    let full = usize::try_from(full).unwrap_or(0).min(usize::from(room));
    let (on, off) = if notation == Notation::Ascii { ("#", ".") } else { ("█", "░") };
    format!("[{}{}]", on.repeat(full), off.repeat(usize::from(room) - full))
}

/// The cells before the first column.
const LEFT: u16 = 3;

/// Titles and widths. What does not fit on the right is cut off, so the least comes last.
type Cells<const N: usize> = [(&'static str, u16); N];

const JOB_CELLS: Cells<7> =
    [("JOB", 8), ("EVERY", 10), ("STATE", 7), ("NEXT", 7), ("STARTED", 7), ("TOOK", 5), ("OK/FAIL", 7)];

const RUN_CELLS: Cells<9> = [
    ("RUN", 5),
    ("STARTED", 7),
    ("TOOK", 5),
    ("OK", 5),
    ("FAIL", 4),
    ("FRESH", 5),
    ("LOADED", 6),
    ("FIXED", 5),
    ("TRIGGER", 7),
];

fn draw_head<const N: usize>(canvas: &mut Canvas<'_>, y: u16, cells: &Cells<N>) {
    let titles = cells.map(|(title, _)| (title.to_owned(), Role::Heading));
    draw_cells(canvas, y, cells, &titles);
}

fn draw_cells<const N: usize>(
    canvas: &mut Canvas<'_>,
    y: u16,
    cells: &Cells<N>,
    texts: &[(String, Role); N],
) {
    let mut x = LEFT;
    for ((_, width), (text, role)) in cells.iter().zip(texts) {
        canvas.text(x, y, *width, text, *role);
        x += width + 1;
    }
}

fn draw_job(app: &App, canvas: &mut Canvas<'_>, (y, selected): (u16, bool), job: &JobView) {
    let mode = app.snapshot().schedule.mode;
    let (state, role) = match (&job.current, mode) {
        (Some(_), _) => ("running", Role::Up),
        (None, Mode::Running) => ("idle", Role::Text),
        (None, Mode::Stopped) => ("stopped", Role::Warn),
        (None, Mode::Off) => ("off", Role::Dim),
    };
    let absent = || canvas.notation.absent().to_owned();
    let mut next = absent();
    if let Some(at) = job.next.filter(|_| job.current.is_none()) {
        next.clear();
        match at.since(app.now()) {
            left if left.as_secs() < 5 => next.push_str("now"),
            left => {
                next.push_str("in ");
                let _ = write_span(left, &mut next);
            }
        }
    }
    let last = job.last();
    let text = |text: String| (text, Role::Text);
    let texts = [
        text(job.id.spec().name.to_owned()),
        text(often(app, job)),
        (state.to_owned(), role),
        text(next),
        text(last.map_or_else(absent, |r| ago(app, r))),
        text(last.map_or_else(absent, |r| lag_text(r.took))),
        (format!("{}/{}", job.good, job.bad), if job.bad > 0 { Role::Warn } else { Role::Text }),
    ];
    draw_cells(canvas, y, &JOB_CELLS, &texts);
    if selected {
        canvas.text(0, y, 1, ">", Role::Title);
        canvas.select(y, LEFT..LEFT + JOB_CELLS[0].1);
    }
}

/// The runs of the job under the cursor, newest first.
fn draw_runs(app: &App, canvas: &mut Canvas<'_>, (y, end): (u16, u16), job: &JobView) {
    if y + 1 >= end {
        return;
    }
    canvas.rule(y, &format!("runs of {}", job.id.spec().name));
    if job.past.is_empty() {
        let word = if app.snapshot().schedule.mode == Mode::Off { "none" } else { "none is over yet" };
        canvas.text(LEFT, y + 1, canvas.cols() - LEFT, word, Role::Dim);
        return;
    }
    draw_head(canvas, y + 1, &RUN_CELLS);
    for (y, run) in (y + 2..end).zip(job.past.iter()) {
        let c = run.counts;
        let n = |n: u32| (n.to_string(), Role::Text);
        let texts = [
            (format!("#{}", run.number), Role::Text),
            (ago(app, run), Role::Text),
            (lag_text(run.took), Role::Text),
            n(c.ok),
            (c.failed.to_string(), if c.failed > 0 { Role::Warn } else { Role::Text }),
            n(c.fresh),
            n(c.loaded),
            n(c.repaired),
            (run.trigger.as_str().to_owned(), Role::Dim),
        ];
        draw_cells(canvas, y, &RUN_CELLS, &texts);
    }
}

/// How long ago a run began, on our clock as the time of the next is.
fn ago(app: &App, run: &Run) -> String {
    let mut out = String::new();
    match app.now().since(run.start) {
        age if age.as_secs() < 5 => out.push_str("now"),
        age => {
            let _ = write_span(age, &mut out);
            out.push_str(" ago");
        }
    }
    out
}

/// `10m +0-5m`: how often, and how much later than that it may be, on our clock: in a replay the
/// exchange's goes faster.
fn often(app: &App, job: &JobView) -> String {
    let clock = app.snapshot().clock.filter(|c| job.id.spec().timer == Timer::Exchange && !c.is_standing());
    let every = clock.map_or(job.every, |c| c.ours(job.every));
    let late = job.id.spread(every);
    let mut out = every_text(every);
    if late.as_secs() > 0 {
        let _ = write!(out, " +0-{}", every_text(late));
    }
    out
}
