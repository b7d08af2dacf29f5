//! `ui/draw_9000`: a 120x36 frame over 9,000 rows against one over 900. Only what is in view may cost
//! anything. `ui/bytes`: what a run of frames writes against ratatui's own terminal and backend for
//! the same frames; both end in the same screen.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints its result")]

use std::hint::black_box;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hamatop::app::{App, AppConfig, Msg};
use hamatop::domain::hama::Sign;
use hamatop::market::snapshot::Snapshot;
use hamatop::ui::theme::Theme;
use hamatop::ui::{Screen, draw};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

#[path = "../tests/support/fixture.rs"]
mod fixture;
#[path = "measure/interleaved.rs"]
#[allow(dead_code, unreachable_pub, reason = "the turns are taken here")]
mod interleaved;

use interleaved::Pair;

const SIZE: (u16, u16) = (120, 36);
const ROUNDS: usize = 600;

fn main() {
    rows();
    bytes();
}

/// At most so many times the time over a tenth of the rows.
const ROWS_GOAL: f64 = 1.1;

fn rows() {
    let apps = [900, 9_000].map(|rows| app(Arc::new(picture(rows, 0))));
    let theme = Theme::dark();
    let mut buffers = [0, 1].map(|_| Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1)));
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..2 * ROUNDS {
        // Each goes first as often as the other.
        let n = (round / 2 + round) % 2;
        let start = Instant::now();
        buffers[n].reset();
        black_box(draw(&apps[n], &theme, &mut buffers[n]));
        times[n].push(start.elapsed());
    }
    let table = |b: &Buffer| (apps[0].shape().above()..20).map(|y| line(b, y)).collect::<Vec<_>>();
    assert_eq!(table(&buffers[0]), table(&buffers[1]), "the same rows in view");
    let [reference, subject] = times.map(median);
    Pair { subject, reference }.print("ui/draw_9000", "over 900 rows", ROWS_GOAL);
}

fn line(buffer: &Buffer, y: u16) -> String {
    (0..SIZE.0).map(|x| buffer[(x, y)].symbol()).collect()
}

/// At most so many times the bytes of plain ratatui.
const BYTES_GOAL: f64 = 1.1;

fn bytes() {
    let theme = Theme::dark();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut painted = 0;
    {
        let mut screen = Screen::new(&mut ours, SIZE.0, SIZE.1);
        let viewport = Viewport::Fixed(Rect::new(0, 0, SIZE.0, SIZE.1));
        let backend = CrosstermBackend::new(&mut theirs);
        let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).ok();
        let pictures: Vec<_> = (0..10).map(|n| Arc::new(picture(900, n))).collect();
        let mut app = app(Arc::clone(&pictures[0]));
        for round in 0..400 {
            // A tenth of the rows moves; each fourth frame finds nothing new.
            if round % 4 != 3 {
                app.update(fixture::MADE, Msg::Snapshot(Arc::clone(&pictures[round % 10])));
            }
            let frame = screen.paint(|buffer| draw(&app, &theme, buffer));
            painted += usize::from(frame.is_ok());
            if let Some(terminal) = &mut terminal {
                let frame = terminal.draw(|frame| {
                    draw(&app, &theme, frame.buffer_mut());
                });
                painted += usize::from(frame.is_ok());
            }
        }
    }
    assert_eq!(painted, 800, "all frames of both");
    assert_eq!(shown(&ours), shown(&theirs), "both end in the same screen");
    #[expect(clippy::cast_precision_loss, reason = "a few hundred kilobytes")]
    let ratio = ours.len() as f64 / theirs.len() as f64;
    let verdict = if ratio <= BYTES_GOAL { "ok" } else { "OVER" };
    println!(
        "{:<22} {:>10} bytes {:<40} {:>10} bytes ratio {ratio:.2} (goal <= {BYTES_GOAL:.2}) {verdict}",
        "ui/bytes",
        ours.len(),
        "ratatui's Terminal",
        theirs.len(),
    );
}

fn shown(bytes: &[u8]) -> String {
    let cells = |n| NonZeroU16::new(n).unwrap_or(NonZeroU16::MIN);
    let mut terminal = vt100::Parser::new(cells(SIZE.1), cells(SIZE.0), 0);
    terminal.process(bytes);
    terminal.screen().contents_formatted()
}

fn app(picture: Arc<Snapshot>) -> App {
    let config = AppConfig::default();
    let mut app = App::new(config, picture);
    app.update(fixture::MADE, Msg::Resize(SIZE.0, SIZE.1));
    app
}

/// Of so many rows; a tenth of them differs from that of another `n`.
fn picture(rows: usize, n: usize) -> Snapshot {
    let rows = (0..rows).map(|i| {
        let moved = if i % 10 == n { 0.5 } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let base = i as f64;
        let trends = if i % 3 == 0 { [Sign::Up; 3] } else { [Sign::Down, Sign::Flat, Sign::Up] };
        fixture::row(&format!("S{i:04}USDT"))
            .last(100.0 + base + moved, 2)
            .score(90.0 - base / 100.0 + moved * 10.0)
            .trends(trends)
    });
    fixture::snapshot(rows.collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
