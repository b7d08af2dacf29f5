//! One pair on one interval, as a chart and as figures.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::app::action::Action;
use crate::app::behind;
use crate::app::chart::{Candles, Chart, Layer};
use crate::app::column::{Column, Field, Reading};
use crate::app::detail::area::{AXIS, Area};
use crate::app::detail::study::{Crossed, Excursion};
use crate::app::layout::Tier;
use crate::app::text::{Precision, bar_end};
use crate::app::value::{Notation, Value, state_tone};
use crate::app::zone::Zone;
use crate::app::{App, View};
use crate::domain::hama::Parts;
use crate::domain::symbol::Tick;
use crate::market::snapshot::{DataState, LaneView, LinkState, Row};

use super::canvas::Canvas;
use super::chart;
use super::scanner::{is_figure, name};
use super::signals::cross_word;
use super::theme::Role;

type Spans = Vec<(String, Role)>;

/// Draws the view.
pub(super) fn draw(app: &App, canvas: &mut Canvas<'_>) {
    let area = Area::of(app.shape());
    let found = app.chart();
    draw_title(app, found.as_ref(), area, canvas);
    let Some((row, lane)) = app.detail_row().zip(app.detail_lane()) else {
        draw_nothing(app, area, canvas);
        return;
    };
    if area.head > 0 {
        let spans = trends(row, app, canvas.notation);
        put(canvas, 1, area.top + 1, canvas.cols(), &spans);
    }
    match &found {
        Some(found) => {
            chart::draw(found, area, (row.tick, app.chart_view().layers, &app.config().zone), canvas);
            // Of what stands still or is looked at in the past, the price is none of now.
            let live = row.last.filter(|_| lane.state == DataState::Live && app.chart_view().follows);
            if let Some(price) = live.filter(|_| !app.has_ended()) {
                chart::draw_live(found, area, price, canvas);
            }
        }
        None => draw_no_chart(app, lane, area, canvas),
    }
    if area.side > 0 {
        draw_side(app, row, lane, area, canvas);
    }
    draw_below(app, row, lane, area, canvas);
}

fn put(canvas: &mut Canvas<'_>, x: u16, y: u16, limit: u16, spans: &Spans) -> u16 {
    let spans: Vec<(&str, Role)> = spans.iter().map(|(t, r)| (t.as_str(), *r)).collect();
    canvas.spans(x, y, limit, &spans)
}

/// Name, interval and what is drawn; on the right what may be thought of it, at every size.
fn draw_title(app: &App, found: Option<&Chart>, area: Area, canvas: &mut Canvas<'_>) {
    let (y, cols) = (area.top, canvas.cols());
    if app.shape().tier == Tier::Roomy {
        canvas.rule(y, "");
    }
    let (state, role) = state_text(app);
    let wide = u16::try_from(state.chars().count() + 2).unwrap_or(u16::MAX).min(cols / 2);
    let right = cols - wide;
    canvas.text(right, y, wide, &format!(" {state} "), role);
    let Some(pair) = app.detail_pair() else {
        canvas.text(1, y, right - 1, " no pair ", Role::Title);
        return;
    };
    let interval = app.snapshot().intervals.get(app.lane()).map_or("", |i| i.as_str());
    let mut spans = vec![(format!(" {} {interval} ", name(app, pair)), Role::Title)];
    if let Some(row) = app.detail_row() {
        let reading = app.reading();
        for field in [Field::Last, Field::Chg] {
            let (text, role) = cell(Column::of(field), row, &reading, canvas.notation);
            spans.push((format!(" {text}"), role));
        }
        spans.push(("  ".to_owned(), Role::Text));
    }
    let place = app
        .detail_place()
        .map_or_else(|| "not in the filter".to_owned(), |p| format!("{} of {}", p + 1, app.matches()));
    spans.push((format!("{place}  "), Role::Dim));
    spans.push((drawn_text(app, found, canvas.notation), Role::Dim));
    put(canvas, 1, y, right, &spans);
}

/// `HAMA + WMA100 ━ + bands ·  84 of 499 bars`
fn drawn_text(app: &App, found: Option<&Chart>, notation: Notation) -> String {
    let view = app.chart_view();
    let (ma, band) = chart::line_signs(notation);
    let preset = &app.snapshot().preset;
    let mut out = match view.candles {
        Candles::Hama => "HAMA".to_owned(),
        Candles::Market => "market".to_owned(),
    };
    if view.layers.has(Layer::Ma) {
        let _ = write!(out, " + {} {ma}", preset.ma);
    }
    if let Some(bands) = preset.bands.filter(|_| view.layers.has(Layer::Bands)) {
        let _ = write!(out, " + BB{} {band}", bands.length);
        if found.is_some_and(Chart::is_beyond) {
            out.push_str(" partly beyond");
        }
    }
    if view.bars > 1 {
        let _ = write!(out, "  {} bars a column", view.bars);
    }
    if !view.follows {
        out.push_str("  not the newest");
    }
    out.push(' ');
    out
}

/// What may be thought of the series in view.
fn state_text(app: &App) -> (String, Role) {
    let Some(lane) = app.detail_lane() else { return ("no data".to_owned(), Role::Warn) };
    let mut text = lane.state.as_str().to_uppercase();
    match (lane.state, behind::missing(lane, app.exchange_now())) {
        (DataState::Live, _) if app.has_ended() => return ("ENDED".to_owned(), Role::Warn),
        (DataState::Live, _) => return (text, Role::Up),
        (DataState::Warming, _) => {
            let _ = write!(text, " {}/{}", lane.bars, lane.need_score);
        }
        (_, 0) => {}
        (_, missing) => {
            text.push(' ');
            let _ = behind::write_missing(missing, &mut text);
        }
    }
    (text, state_tone(lane.state).into())
}

/// A figure's text and role, as the scanner has them.
fn cell(column: Column, row: &Row, reading: &Reading, notation: Notation) -> (String, Role) {
    let value = column.value(row, reading);
    let mut text = String::new();
    value.write(notation, 10, &mut text);
    let role = if is_figure(&value) && column.state(row, reading) != DataState::Live {
        Role::Stale
    } else {
        value.tone().into()
    };
    (text, role)
}

/// What to do about having nothing to show.
fn draw_nothing(app: &App, area: Area, canvas: &mut Canvas<'_>) {
    let back = app.key_of(Action::Show(View::Scanner));
    let text = match app.detail_pair() {
        Some(pair) => format!("{} is not among the rows any more; {back} shows the rows", pair.symbol),
        None if app.snapshot().rows.is_empty() => "waiting for the exchange's list of pairs".to_owned(),
        None => format!("no pair is selected; {back} shows the rows"),
    };
    canvas.text(2, area.chart(), canvas.cols().saturating_sub(2), &text, Role::Text);
}

/// Why there is no chart.
fn draw_no_chart(app: &App, lane: &LaneView, area: Area, canvas: &mut Canvas<'_>) {
    let text = match app.study() {
        Some(study) if study.klines.is_empty() => "no closed bar yet".to_owned(),
        Some(_) if app.chart_view().candles == Candles::Hama => {
            format!("too few bars for HAMA candles: {} of {}", lane.bars, lane.need_score)
        }
        Some(_) => "nothing to draw".to_owned(),
        None if lane.bars == 0 => "no closed bar yet".to_owned(),
        None => "waiting for the bars".to_owned(),
    };
    canvas.text(2, area.chart(), area.cols.saturating_sub(2), &text, Role::Dim);
    if let Some(why) = &lane.why {
        canvas.text(
            2,
            area.chart() + 1,
            area.cols.saturating_sub(2),
            why.as_str(),
            state_tone(lane.state).into(),
        );
    }
}

/// `15m ▲ up 6b  1h ▲ up 14b`
fn trends(row: &Row, app: &App, notation: Notation) -> Spans {
    let reading = app.reading();
    let mut spans = Spans::new();
    for (n, lane) in row.lanes.iter().enumerate() {
        let role = if n == app.lane() { Role::Title } else { Role::Text };
        spans.push((format!("{} ", lane.interval), role));
        let (trend, role) = cell(Column::on(lane.interval, Field::Trend), row, &reading, notation);
        spans.push((trend, role));
        let (cross, role) = cell(Column::on(lane.interval, Field::Cross), row, &reading, notation);
        spans.push((format!(" {cross}   "), role));
    }
    spans.push(("score ".to_owned(), Role::Text));
    spans.push(cell(Column::of(Field::Score), row, &reading, notation));
    spans
}

/// The figures on the right.
fn draw_side(app: &App, row: &Row, lane: &LaneView, area: Area, canvas: &mut Canvas<'_>) {
    let x = area.cols + AXIS;
    let bar = if canvas.notation == Notation::Ascii { "|" } else { "│" };
    for y in area.top + 1..=area.times() {
        canvas.text(x - 1, y, 1, bar, Role::Rule);
    }
    let lines = side_lines(app, row, lane, canvas.notation);
    for (y, (label, text, role)) in (area.top + 1..=area.times()).zip(lines) {
        let end = canvas.text(x + 1, y, area.side - 2, &label, Role::Dim);
        let room = canvas.cols().saturating_sub(end + 2);
        canvas.field((end + 1, y), room, crate::app::column::Align::Right, &text, role);
    }
}

/// Label, figure and role, the most important first.
fn side_lines(app: &App, row: &Row, lane: &LaneView, notation: Notation) -> Vec<(String, String, Role)> {
    let reading = app.reading();
    let of = |field| cell(Column::of(field), row, &reading, notation);
    let mut out = Vec::new();
    for (n, other) in row.lanes.iter().enumerate().filter(|(n, _)| shown_trends(row, app.lane()).contains(n))
    {
        let (trend, role) = cell(Column::on(other.interval, Field::Trend), row, &reading, notation);
        let (cross, _) = cell(Column::on(other.interval, Field::Cross), row, &reading, notation);
        let here = if n == app.lane() { ">" } else { " " };
        out.push((format!("{here}{:<4}", other.interval), format!("{trend}  {cross:>7}"), role));
    }
    let mut add = |label: &str, (text, role): (String, Role)| out.push((label.to_owned(), text, role));
    for field in [Field::Hama, Field::Ma, Field::Dist] {
        add(&Column::of(field).title().to_lowercase(), of(field));
    }
    let bands = lane.point.bands.as_ref();
    let band = |f: fn(&crate::domain::hama::Bands) -> f64| price(bands.map(f), row.tick, lane, notation);
    add("bb up", band(|b| b.upper));
    add("bb mid", band(|b| b.basis));
    add("bb low", band(|b| b.lower));
    for field in [Field::Width, Field::Pos, Field::Bands, Field::Gradient] {
        add(&Column::of(field).title().to_lowercase(), of(field));
    }
    for (label, text) in parts_texts(lane, notation) {
        add(&label, (text, figure_role(lane)));
    }
    add("vol24", of(Field::Vol));
    add("pair", of(Field::Score));
    out
}

/// Four trends at most stand on the right; the one in view is among them.
fn shown_trends(row: &Row, lane: usize) -> std::ops::Range<usize> {
    let first = lane.saturating_sub(2).min(row.lanes.len().saturating_sub(4));
    first..first + 4
}

fn price(price: Option<f64>, tick: Tick, lane: &LaneView, notation: Notation) -> (String, Role) {
    let mut out = String::new();
    let value = price.map_or(Value::Absent, |p| Value::Price(p, tick));
    value.write(notation, 10, &mut out);
    (out, if price.is_some() { figure_role(lane) } else { Role::Dim })
}

fn figure_role(lane: &LaneView) -> Role {
    if lane.state == DataState::Live { Role::Text } else { Role::Stale }
}

/// The interval's score and its four parts, each from -1 to 1.
fn parts_texts(lane: &LaneView, notation: Notation) -> [(String, String); 5] {
    let absent = || notation.absent().to_owned();
    let part = |f: fn(&Parts) -> f64| {
        lane.point.parts.as_ref().map_or_else(absent, |parts| format!("{:+.2}", f(parts)))
    };
    let score = lane.point.score.map_or_else(absent, |s| format!("{s:+.1}"));
    [
        (format!("{} score", lane.interval), score),
        ("S trend".to_owned(), part(|p| p.trend)),
        ("D dist".to_owned(), part(|p| p.distance)),
        ("G grad".to_owned(), part(|p| p.gradient)),
        ("B body".to_owned(), part(|p| p.body)),
    ]
}

/// Figures where there is no room beside the chart, crosses, the feed.
fn draw_below(app: &App, row: &Row, lane: &LaneView, area: Area, canvas: &mut Canvas<'_>) {
    let mut y = area.times() + 1;
    let cols = canvas.cols();
    let roomy = app.shape().tier == Tier::Roomy;
    if roomy {
        let title = format!("last crosses of {}, of closed bars", lane.interval);
        canvas.rule(y, &app.config().zone.heading(&title, app.exchange_now(), usize::MAX));
        draw_crosses(app, row.tick, area.crosses, y + 1, canvas);
        y += area.crosses + 2;
        canvas.rule(y, "feed");
        canvas.items(1, y + 1, &[forming(lane, row.tick, cols - 1)]);
        let mut items = vec![last_word(app, row, lane, canvas.notation)];
        items.extend(feed(app, row, lane));
        canvas.items(1, y + 2, &items);
        return;
    }
    canvas.items(1, y, &figures(app, row, lane, canvas.notation));
    y += 1;
    if app.shape().tier == Tier::Full {
        let role = figure_role(lane);
        let parts = parts_texts(lane, canvas.notation);
        let gap = |n| if n == 0 { "" } else { "  " };
        let parts = parts.iter().enumerate();
        let items = parts.map(|(n, (label, text))| vec![(format!("{}{label} {text}", gap(n)), role)]);
        canvas.items(1, y, &items.collect::<Vec<Spans>>());
        y += 1;
    }
    for (n, crossed) in (0..area.crosses).zip(crosses(app)) {
        canvas.items(1, y + n, &short_cross(crossed, row.tick, &app.config().zone));
    }
    if crosses(app).is_empty() {
        canvas.text(1, y, cols - 1, no_cross(app), Role::Dim);
    }
    y += area.crosses;
    let mut first = last_word(app, row, lane, canvas.notation);
    first.push(("  ".to_owned(), Role::Text));
    let room = cols.saturating_sub(1 + wide(&first));
    let mut items = vec![first, forming(lane, row.tick, room)];
    items.extend(feed(app, row, lane));
    canvas.items(1, y, &items);
}

fn wide(spans: &Spans) -> u16 {
    let wide: usize = spans.iter().map(|(text, _)| text.width()).sum();
    u16::try_from(wide).unwrap_or(u16::MAX)
}

/// `HAMA 213.77  MA 209.92  +1.83%  BB 201.40 / 209.00 / 216.60  7%`
fn figures(app: &App, row: &Row, lane: &LaneView, notation: Notation) -> Vec<Spans> {
    let reading = app.reading();
    let of = |field| cell(Column::of(field), row, &reading, notation);
    let label = |text: &str| (text.to_owned(), Role::Dim);
    let band = |f: fn(&crate::domain::hama::Bands) -> f64| {
        price(lane.point.bands.as_ref().map(f), row.tick, lane, notation)
    };
    let mut bands = vec![label(" BB "), band(|b| b.lower), label("/"), band(|b| b.basis), label("/")];
    bands.extend([band(|b| b.upper), label(" "), of(Field::Width)]);
    vec![
        vec![label("HAMA "), of(Field::Hama)],
        vec![label(" MA "), of(Field::Ma)],
        vec![label(" "), of(Field::Dist)],
        bands,
        vec![label(" "), of(Field::Bands)],
    ]
}

fn crosses(app: &App) -> &[Crossed] {
    app.study().map_or(&[], |s| &s.crosses)
}

fn no_cross(app: &App) -> &'static str {
    if app.study().is_some() { "no cross among these bars" } else { "" }
}

const CROSS_COLUMNS: [(&str, u16); 8] = [
    ("close", 18),
    ("event", 16),
    ("HAMA", 12),
    ("MA", 12),
    ("dist", 10),
    ("bands", 12),
    ("best, worst since", 20),
    ("bars held", 10),
];

fn draw_crosses(app: &App, tick: Tick, lines: u16, y: u16, canvas: &mut Canvas<'_>) {
    let mut x = 1;
    for (title, wide) in CROSS_COLUMNS {
        canvas.text(x, y, wide, title, Role::Heading);
        x += wide;
    }
    let found = crosses(app);
    if found.is_empty() {
        canvas.text(1, y + 1, canvas.cols() - 1, no_cross(app), Role::Dim);
    }
    for (n, crossed) in (1..lines).zip(found) {
        let mut x = 1;
        for ((_, wide), (text, role)) in
            CROSS_COLUMNS.iter().zip(cross_cells(crossed, tick, &app.config().zone, canvas.notation))
        {
            canvas.text(x, y + n, wide - 1, &text, role);
            x += wide;
        }
    }
}

/// A cross that is none for signals, since the one before went the same way, is said to be again.
fn cross_text(c: &Crossed) -> (String, Role) {
    let (word, role) = cross_word(c.dir);
    (if c.flip { word.to_owned() } else { format!("{word} again") }, role)
}

fn percent(v: f64) -> (String, Role) {
    let mut out = String::new();
    Value::Percent(v).write(Notation::Ascii, 10, &mut out);
    (out, Role::Text)
}

fn cross_cells(c: &Crossed, tick: Tick, zone: &Zone, notation: Notation) -> [(String, Role); 8] {
    let absent = || (notation.absent().to_owned(), Role::Dim);
    let price = |v: f64| {
        let mut out = String::new();
        Value::Price(v, tick).write(notation, 10, &mut out);
        (out, Role::Text)
    };
    let excursion = c.excursion.map_or_else(absent, |e| {
        (format!("{}  {}", percent(e.favourable).0, percent(e.adverse).0), Role::Text)
    });
    [
        (zone.time(bar_end(c.close_time), Precision::Full).replace('T', " "), Role::Text),
        cross_text(c),
        price(c.close),
        price(c.ma),
        percent(c.dev_pct),
        c.bands.map_or_else(absent, |b| (b.as_str().to_owned(), Role::Text)),
        excursion,
        (c.held.to_string(), Role::Text),
    ]
}

/// `11-21 14:00 cross up 213.77/209.92  held 6  best +0.40% worst -0.10%`
fn short_cross(c: &Crossed, tick: Tick, zone: &Zone) -> Vec<Spans> {
    let time = zone.time(bar_end(c.close_time), Precision::Day);
    let (close, ma) = (tick.format(c.close), tick.format(c.ma));
    let mut items = vec![format!("{time} {} {close}/{ma}", cross_text(c).0), format!("  held {}", c.held)];
    let since = |e: Excursion| format!("  best {} worst {}", percent(e.favourable).0, percent(e.adverse).0);
    items.extend(c.excursion.map(since));
    items.into_iter().map(|text| vec![(text, cross_word(c.dir).1)]).collect()
}

/// The forming bar, every figure of it marked, in as many of them as there is room for; nothing
/// where it isn't kept true.
fn forming(lane: &LaneView, tick: Tick, room: u16) -> Spans {
    let Some(preview) = lane.preview.as_ref().filter(|_| lane.state == DataState::Live) else {
        return vec![("forming bar not known".to_owned(), Role::Dim)];
    };
    let bar = &preview.bar;
    let close = format!(" C {}", tick.format(bar.close()));
    let mut prices = String::new();
    for (label, price) in [("O", bar.open()), ("H", bar.high()), ("L", bar.low())] {
        let _ = write!(prices, " {label} {}", tick.format(price));
    }
    let hama = match (preview.point.close, preview.point.dev_pct) {
        (Some(close), Some(dev)) => format!("  HAMA {} ({dev:+.2}%)~", tick.format(close)),
        _ => String::new(),
    };
    let said = [(&*prices, &*hama), (&*prices, ""), ("", &*hama), ("", "")]
        .map(|(prices, hama)| format!("forming~{prices}{close}{hama}"));
    let shortest = said.len() - 1;
    let fits = said.iter().position(|text| text.width() <= usize::from(room)).unwrap_or(shortest);
    vec![(said.into_iter().nth(fits).unwrap_or_default(), Role::Preview)]
}

/// How old the last word is, and why it is old, where it is.
fn last_word(app: &App, row: &Row, lane: &LaneView, notation: Notation) -> Spans {
    let (age, role) = cell(Column::on(lane.interval, Field::Age), row, &app.reading(), notation);
    let mut spans = vec![("last word ".to_owned(), Role::Dim), (age, role)];
    if let Some(why) = &lane.why {
        spans.push((format!("  {why}"), state_tone(lane.state).into()));
    }
    spans
}

/// Where it comes from, and what is missing of it.
fn feed(app: &App, row: &Row, lane: &LaneView) -> Vec<Spans> {
    let links = app.snapshot().links.iter().filter(|l| l.market == row.pair.market);
    let (all, up) = (links.clone().count(), links.filter(|l| l.state == LinkState::Up).count());
    let role = if up < all || all == 0 { Role::Warn } else { Role::Dim };
    let mut items = vec![(format!("  {} sockets {up}/{all}", row.pair.market), role)];
    items.extend(lane.newest.map(|(_, close)| {
        let close = app.config().zone.stamp(bar_end(close), Precision::Day);
        (format!("  newest close {close}"), Role::Dim)
    }));
    items.push((format!("  {} bars", lane.bars), Role::Dim));
    items.push(match lane.holes {
        0 => ("  no holes".to_owned(), Role::Dim),
        holes => (format!("  {holes} holes"), Role::Warn),
    });
    items.into_iter().map(|item| vec![item]).collect()
}
