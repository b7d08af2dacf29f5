//! The same market told with a fault and without: in the end the series, the signals and the state
//! are the same, and each signal was given once.

use super::*;
use crate::domain::hama::Sign;
use crate::market::snapshot::SignalEvent;

/// Candles a story has.
const CANDLES: i64 = 14;

/// A bar of a market that goes up and down, so that there are signals to lose.
fn truth(n: i64) -> Kline {
    bent(n, close_at(n), 100)
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn close_at(n: i64) -> f64 {
    500.0 + ((n * n * 37 + n * 17) % 43) as f64
}

/// The bar `n` with another close and another number of trades.
fn bent(n: i64, close: f64, trades: u32) -> Kline {
    let open = close_at(n - 1);
    Kline::new(KlineFields {
        open_time: UnixMs(n * STEP),
        close_time: UnixMs((n + 1) * STEP - 1),
        open,
        high: open.max(close) + 1.0,
        low: open.min(close) - 1.0,
        close,
        volume: f64::from(trades),
        trades: Some(trades),
        ..KlineFields::default()
    })
    .unwrap()
}

fn truths(range: std::ops::Range<i64>) -> Vec<Kline> {
    range.map(truth).collect()
}

/// An exchange that answers REST at once and truly, and a stream that somebody tells what to say.
struct Story {
    rig: Rig,
    asked: Vec<KlinesRequest>,
}

type Mishap = fn(&mut Story, i64);

impl Story {
    fn new() -> Self {
        let mut rig = Rig::new(config());
        rig.start(&["BTCUSDT"]);
        rig.answer_all(&truths(N - HISTORY..N));
        rig.subscribed(&["BTCUSDT"]);
        let mut story = Self { rig, asked: vec![] };
        story.form(N, 5);
        story
    }

    /// Each candle as `mishap` has it, then two as they should be.
    fn told(mishap: Mishap) -> Self {
        let mut story = Self::new();
        for n in N..N + CANDLES {
            mishap(&mut story, n);
        }
        for n in N + CANDLES..N + CANDLES + 2 {
            fine(&mut story, n);
        }
        story.pass(N + CANDLES + 2, 60_000);
        story
    }

    fn pass(&mut self, n: i64, ms: i64) {
        let end = n * STEP + ms;
        while self.rig.server().0 < end {
            let left = u64::try_from(end - self.rig.server().0).unwrap();
            self.rig.now = self.rig.now + Duration::from_millis(left.min(1_000));
            self.rig.tick();
            self.serve();
        }
    }

    fn serve(&mut self) {
        for request in self.rig.requests() {
            let forming = self.rig.server().0 / STEP;
            let mut rows = truths(N - HISTORY..forming);
            rows.push(bent(forming, close_at(forming - 1), 1));
            self.rig.answer(&request, &rows);
            self.asked.push(request);
        }
    }

    fn form(&mut self, n: i64, trades: u32) {
        self.rig.frame("BTCUSDT", bent(n, close_at(n) - 3.0, trades), Finality::Forming);
        self.serve();
    }

    fn close(&mut self, n: i64) {
        self.rig.frame("BTCUSDT", truth(n), Finality::Closed);
        self.serve();
    }

    /// The candle `n` up to its end, with updates.
    fn body(&mut self, n: i64) {
        for (ms, trades) in [(200_000, 20), (500_000, 50), (899_500, 90)] {
            self.pass(n, ms);
            self.form(n, trades);
        }
    }

    fn signals(&mut self) -> Vec<(UnixMs, Sign)> {
        let one = |s: &SignalEvent| (s.close_time, s.dir);
        self.rig.snapshot().signals.iter().map(one).collect()
    }

    fn upkeep(&mut self) -> crate::market::snapshot::Upkeep {
        self.rig.snapshot().stats.upkeep
    }

    /// That it ended as the story without a fault did.
    fn ends_well(&mut self, what: &str) {
        let mut clean = Story::told(fine);
        assert_eq!(clean.asked, [], "a healthy stream costs no request");
        let wanted = clean.signals();
        assert!(wanted.len() >= 6, "{wanted:?}");
        assert_eq!(self.signals(), wanted, "{what}: signals");
        let end = N + CANDLES + 2;
        assert_eq!(self.rig.series("BTCUSDT"), truths(end - 20..end), "{what}: series");
        assert_eq!(self.rig.state("BTCUSDT"), (DataState::Live, None), "{what}");
        assert_eq!(self.rig.lane("BTCUSDT").point, clean.rig.lane("BTCUSDT").point, "{what}: indicator");
    }
}

fn fine(story: &mut Story, n: i64) {
    story.body(n);
    story.pass(n + 1, 4);
    story.close(n);
    story.pass(n + 1, 300);
    story.form(n + 1, 3);
}

fn missing(story: &mut Story, n: i64) {
    story.body(n);
    story.pass(n + 1, 300);
    story.form(n + 1, 3);
    story.pass(n + 1, 20_000);
}

fn late(story: &mut Story, n: i64) {
    story.body(n);
    story.pass(n + 1, 30_000);
    story.close(n);
    story.form(n + 1, 3);
}

fn after_the_next_began(story: &mut Story, n: i64) {
    story.body(n);
    story.pass(n + 1, 300);
    story.form(n + 1, 3);
    story.pass(n + 1, 1_500);
    story.close(n);
}

fn doubled(story: &mut Story, n: i64) {
    fine(story, n);
    story.close(n);
    story.pass(n + 1, 30_000);
    story.close(n);
    story.close(n - 1);
}

/// An overlapping socket brings what the other has brought: older states, and closes again.
fn reordered(story: &mut Story, n: i64) {
    let stamp = story.rig.now;
    fine(story, n);
    let now = std::mem::replace(&mut story.rig.now, stamp);
    story.form(n, 20);
    story.form(n - 1, 200);
    story.close(n - 2);
    story.rig.now = now;
    story.form(n, 95);
    story.close(n - 1);
    story.close(n);
    story.form(n + 1, 3);
}

fn updated_after_its_close(story: &mut Story, n: i64) {
    fine(story, n);
    story.form(n, 500);
    story.rig.frame("BTCUSDT", bent(n, 900.0, 99), Finality::Forming);
    story.form(n - 3, 7);
}

/// The socket is away over the close.
fn away(story: &mut Story, n: i64) {
    story.body(n);
    story.rig.down(&["BTCUSDT"]);
    story.pass(n + 1, 8_000);
    story.rig.subscribed(&["BTCUSDT"]);
    story.serve();
    story.form(n + 1, 3);
}

#[test]
fn item_14_a_missing_close_costs_one_request_after_the_grace_and_nothing_else() {
    let mut story = Story::told(missing);
    story.ends_well("missing");
    assert_eq!(story.asked.len(), usize::try_from(CANDLES).unwrap(), "one request a close");
    assert!(story.asked.iter().all(|r| r.bars <= 3), "{:?}", story.asked);
    let done = story.upkeep();
    assert_eq!((done.verifications, done.closed_by_rest), (14, 14));
}

#[test]
fn item_15_late_doubled_and_reordered_words_end_in_the_same_series() {
    for (what, mishap) in [
        ("30 s late", late as Mishap),
        ("after the next began", after_the_next_began),
        ("doubled", doubled),
        ("updated after its close", updated_after_its_close),
    ] {
        Story::told(mishap).ends_well(what);
    }
    let mut story = Story::told(late);
    assert_eq!(story.upkeep().late_closes, 14);
}

#[test]
fn fault_07_lost_late_doubled_and_old_words_in_one_run_signal_once() {
    const ALL: [Mishap; 7] =
        [missing, late, after_the_next_began, doubled, updated_after_its_close, reordered, away];
    let mut story = Story::told(|story, n| ALL[usize::try_from(n - N).unwrap() % ALL.len()](story, n));
    story.ends_well("all of them");
}

#[test]
fn fault_09_two_overlapping_sockets_are_merged_by_open_time_and_stamp() {
    let mut story = Story::told(reordered);
    story.ends_well("reordered");
    assert_eq!(story.asked, [], "nothing was missing");
}

#[test]
fn item_20_an_older_stamp_never_regresses_the_forming_candle() {
    let mut story = Story::new();
    story.pass(N, 300_000);
    let old = story.rig.now;
    story.pass(N, 400_000);
    story.form(N, 50);
    let bar = story.rig.lane("BTCUSDT").preview.unwrap().bar;
    let now = std::mem::replace(&mut story.rig.now, old);
    // More trades do not make it newer.
    for trades in [20, 80] {
        story.rig.frame("BTCUSDT", bent(N, 900.0, trades), Finality::Forming);
    }
    story.rig.now = now;
    assert_eq!(story.rig.lane("BTCUSDT").preview.unwrap().bar, bar);
    story.form(N, 51);
    assert_ne!(story.rig.lane("BTCUSDT").preview.unwrap().bar, bar, "a newer one is taken");
}

#[test]
fn item_12_a_socket_away_over_each_close_loses_and_doubles_nothing() {
    let mut story = Story::told(away);
    story.ends_well("away");
    assert_eq!(story.upkeep().lost, 14);
}

/// The newest bar of which a candle's flip can be told by the close alone.
fn flip_at(story: &mut Story) -> (i64, Sign) {
    let told = story.signals();
    let (close, dir) = told.last().copied().unwrap();
    ((close.0 + 1) / STEP - 1, dir)
}

/// A story up to the bar that flips, and that bar told wrongly by the stream: as few trades as
/// `trades`, and at a price at which it does not flip, or does.
fn misread(n: i64, close: f64, trades: u32) -> Story {
    let mut story = Story::new();
    for m in N..n {
        fine(&mut story, m);
    }
    story.body(n);
    story.pass(n + 1, 4);
    story.rig.frame("BTCUSDT", bent(n, close, trades), Finality::Closed);
    story.serve();
    story.pass(n + 1, 300);
    story.form(n + 1, 3);
    story
}

fn check(story: &mut Story) {
    story.rig.step(Input::Command(Command::Refresh(Scope::One(pair("BTCUSDT")))));
    story.serve();
}

#[test]
fn fault_08_a_correction_is_taken_logged_and_its_signal_revised_not_repeated() {
    let (n, dir) = flip_at(&mut Story::told(fine));
    let far = if dir == Sign::Up { 100.0 } else { 2_000.0 };
    // Told wrongly it does not flip; REST puts it right, and the signal is given, late and once.
    let mut story = misread(n, far, 95);
    let before = story.signals();
    story.pass(n + 1, 10_000);
    check(&mut story);
    check(&mut story);
    let mut want = before.clone();
    want.push((UnixMs((n + 1) * STEP - 1), dir));
    assert_eq!(story.signals(), want);
    assert_eq!((story.upkeep().corrections, story.upkeep().revised), (1, 0));
    assert_eq!(story.rig.series("BTCUSDT").last(), Some(&truth(n)));

    // A bar that does not flip, and told wrongly does. What was said is taken back once.
    let ends = |m: i64| UnixMs((m + 1) * STEP - 1);
    let calm = (N + 2..n).filter(|m| !before.iter().any(|(t, _)| *t == ends(*m)));
    let mut told_wrong =
        calm.flat_map(|m| [(m, 100.0), (m, 2_000.0)]).map(|(m, far)| (m, misread(m, far, 95)));
    let (calm, mut story) =
        told_wrong.find_map(|(m, mut s)| (s.signals().last()?.0 == ends(m)).then_some((m, s))).unwrap();
    let told = story.signals();
    story.pass(calm + 1, 10_000);
    check(&mut story);
    assert_eq!(story.signals(), told, "a signal is not taken out of the past, nor given again");
    let said = story.rig.notices(Level::Warn);
    assert_eq!(said.iter().filter(|s| s.contains("corrected, and its signal")).count(), 1, "{said:?}");
    check(&mut story);
    assert_eq!(story.upkeep().revised, 1, "once");
}

#[test]
fn item_19_a_row_of_rest_that_knows_less_never_overwrites_one_that_knows_more_does() {
    for (trades, taken) in [(99, true), (101, false)] {
        let mut story = misread(N + 3, 480.0, trades);
        story.pass(N + 4, 10_000);
        check(&mut story);
        let last = *story.rig.series("BTCUSDT").last().unwrap();
        assert_eq!(last == truth(N + 3), taken, "{trades} trades against 100 of REST");
        assert_eq!(story.upkeep().corrections, u64::from(taken));
        let (lines, _) = story.rig.engine.take_happenings();
        let logged = lines.filter(|l| l.to_string().contains("correction of 1 from")).count();
        assert_eq!(logged, usize::from(taken));
    }
}

#[test]
fn item_13_the_forming_row_of_rest_is_never_fed_as_closed() {
    let mut rig = Rig::new(config());
    rig.start(&["BTCUSDT"]);
    let mut rows = truths(N - HISTORY..N);
    rows.push(bent(N, 2_000.0, 50));
    rig.answer_all(&rows);
    let mut without = Rig::new(config());
    without.start(&["BTCUSDT"]);
    without.answer_all(&truths(N - HISTORY..N));
    assert_eq!(rig.series("BTCUSDT"), truths(N - HISTORY..N));
    assert_eq!(rig.lane("BTCUSDT").point, without.lane("BTCUSDT").point);
}

#[test]
fn a_signal_that_comes_to_light_too_late_is_withheld_and_counted() {
    let mut story = Story::new();
    for n in N..N + 3 {
        fine(&mut story, n);
    }
    story.rig.down(&["BTCUSDT"]);
    let known = story.signals().len();
    let all = Story::told(fine).signals();
    let end = N + 10;
    story.rig.now = Mono::from_millis(u64::try_from(end * STEP + 60_000 - story.rig.zero).unwrap());
    story.rig.subscribed(&["BTCUSDT"]);
    story.serve();
    story.form(end, 5);
    let due: Vec<_> = all.iter().skip(known).filter(|(t, _)| t.0 < end * STEP).collect();
    let fresh = due.iter().filter(|(t, _)| t.0 >= (end - 1) * STEP).count();
    assert_eq!(story.signals().len() - known, fresh);
    assert_eq!(story.upkeep().withheld, u64::try_from(due.len() - fresh).unwrap());
    assert!(due.len() > fresh + 1, "there was something to withhold");
}
