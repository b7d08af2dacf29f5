//! `ui/draw_900`: a 200x60 frame of 900 rows, a tenth of them changed, against ratatui's Table
//! with only the visible rows built from the same figures. Both turn figures into text each frame.
//! The two take turns, so that a busy machine slows both.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints its result")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hamatop::app::column::Align;
use hamatop::app::layout::{MARGIN, Placed, place};
use hamatop::app::value::{Notation, Tone};
use hamatop::app::{App, AppConfig, Msg};
use hamatop::domain::hama::Sign;
use hamatop::market::snapshot::Snapshot;
use hamatop::ui::draw;
use hamatop::ui::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

#[path = "../tests/support/fixture.rs"]
mod fixture;
#[path = "measure/interleaved.rs"]
#[allow(dead_code, unreachable_pub, reason = "the turns are taken here")]
mod interleaved;
#[path = "kernel/table.rs"]
mod table;

use interleaved::Pair;

const SIZE: (u16, u16) = (200, 60);
const ROUNDS: usize = 400;
/// At most so many times the time of the reference.
const GOAL: f64 = 1.2;

fn main() {
    let pictures: Vec<Arc<Snapshot>> = (0..10).map(|n| Arc::new(picture(n))).collect();
    let config = AppConfig { notation: Notation::Unicode, ..AppConfig::default() };
    let mut app = App::new(config, Arc::clone(&pictures[0]));
    app.update(fixture::MADE, Msg::Resize(SIZE.0, SIZE.1));
    let theme = Theme::dark();
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let mut ours = Buffer::empty(area);
    let mut theirs = Buffer::empty(area);
    let (mut t_ours, mut t_theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        app.update(fixture::MADE, Msg::Snapshot(Arc::clone(&pictures[round % pictures.len()])));
        let mut measure_ours = || {
            let start = Instant::now();
            ours.reset();
            black_box(draw(&app, &theme, &mut ours));
            t_ours.push(start.elapsed());
        };
        let mut measure_theirs = || {
            let start = Instant::now();
            theirs.reset();
            reference(&app, &mut theirs);
            black_box(&mut theirs);
            t_theirs.push(start.elapsed());
        };
        if round % 2 == 0 {
            measure_ours();
            measure_theirs();
        } else {
            measure_theirs();
            measure_ours();
        }
        assert_same_table(&app, &ours, &theirs);
    }
    let (ours, theirs) = (median(t_ours), median(t_theirs));
    Pair { subject: ours, reference: theirs }.print("ui/draw_900", "ratatui's Table", GOAL);
}

fn picture(n: usize) -> Snapshot {
    let rows = (0..900).map(|i| {
        let moved = if i % 10 == n { 0.5 } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let base = i as f64;
        let trends = if i % 3 == 0 { [Sign::Up; 3] } else { [Sign::Down, Sign::Flat, Sign::Up] };
        fixture::row(&format!("S{i:03}USDT"))
            .last(100.0 + base + moved, 2)
            .score(90.0 - base / 10.0)
            .trends(trends)
    });
    fixture::snapshot(rows.collect())
}

fn placed(app: &App) -> Vec<Placed> {
    place(&app.column_set(), SIZE.0)
}

/// The visible rows' figures as a Table.
fn reference(app: &App, buffer: &mut Buffer) {
    let placed = placed(app);
    let reading = app.reading();
    let rows: Vec<Vec<table::Plain>> = app
        .rows_from(app.top())
        .take(app.shape().page())
        .map(|row| {
            let cell = |p: &Placed| {
                let value = p.column.value(row, &reading);
                let mut text = String::new();
                value.write(Notation::Unicode, usize::from(p.width), &mut text);
                (text, color(value.tone()), p.column.field.look().align == Align::Right)
            };
            placed.iter().map(cell).collect()
        })
        .collect();
    let widths: Vec<u16> = placed.iter().map(|p| p.width).collect();
    let top = app.shape().above();
    let page = u16::try_from(app.shape().page()).unwrap_or(u16::MAX);
    let area = Rect::new(MARGIN, top, SIZE.0 - MARGIN, page);
    table::draw(&rows, &widths, Some(app.place() - app.top()), area, buffer);
}

fn color(tone: Tone) -> Color {
    match tone {
        Tone::Plain => Color::Reset,
        Tone::Dim | Tone::Preview => Color::DarkGray,
        Tone::Up => Color::Green,
        Tone::UpStrong => Color::LightGreen,
        Tone::Down => Color::Red,
        Tone::DownStrong | Tone::Bad => Color::LightRed,
        Tone::Flat => Color::Gray,
        Tone::Warn => Color::Yellow,
    }
}

fn assert_same_table(app: &App, ours: &Buffer, theirs: &Buffer) {
    let top = app.shape().above();
    let page = u16::try_from(app.shape().page()).unwrap_or(u16::MAX);
    for y in top..top + page {
        for x in MARGIN..SIZE.0 {
            assert_eq!(ours[(x, y)].symbol(), theirs[(x, y)].symbol(), "cell {x},{y}");
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
