//! Any mishap of the streams and any delay of REST: once it is over, the series equals the truth,
//! and every request had a reason.

use proptest::prelude::*;

use super::*;

/// What happens to one candle of one pair.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Updates, then the close.
    Fine,
    /// The close is lost.
    NoClose,
    /// The next candle's updates come first.
    LateClose,
    /// The close comes twice, and an update after it.
    TwiceAndAfter,
    /// Nothing comes at all.
    Silent,
    /// The socket is lost in it, and back in it.
    Blink,
    /// The socket is lost in it, and comes back in a later one.
    Lost,
    /// Somebody asks for a check, impatiently.
    Asked,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    use Fate::{Asked, Blink, Fine, LateClose, Lost, NoClose, Silent, TwiceAndAfter};
    let one = proptest::sample::select(vec![
        Fine,
        Fine,
        NoClose,
        LateClose,
        TwiceAndAfter,
        Silent,
        Blink,
        Lost,
        Asked,
    ]);
    proptest::collection::vec(one, 1..12)
}

struct Chaos {
    rig: Rig,
    /// The fetcher's queue: one request leaves when the one before it is answered.
    queue: Waiting,
    /// The request under way, when it left and when it is answered.
    open: Option<(UnderWay, Mono, Mono)>,
    delay: Duration,
    up: bool,
    asked: usize,
}

impl Chaos {
    /// The rows REST has at the exchange's time `t`.
    fn rows(t: UnixMs) -> Vec<Kline> {
        let forming = t.0 / STEP;
        let mut rows = bars(N - HISTORY..forming);
        rows.push(bar_to(forming, 450.0, 20));
        rows
    }

    fn pass(&mut self, n: i64, ms: i64) {
        let end = n * STEP + ms;
        while self.rig.server().0 < end {
            let left = u64::try_from(end - self.rig.server().0).unwrap();
            self.rig.now = self.rig.now + Duration::from_millis(left.min(500));
            self.rig.tick();
            self.serve();
        }
    }

    fn serve(&mut self) {
        for request in self.rig.requests() {
            self.asked += usize::from(request.priority != Priority::User);
            self.queue.add(request);
        }
        let now = self.rig.now;
        if let Some((request, sent, _)) = self.open.take_if(|(_, _, at)| *at <= now) {
            let t = UnixMs(self.rig.zero + i64::try_from(sent.0.as_millis()).unwrap());
            self.rig.answer_queued(request, &Self::rows(t), sent);
        }
        if self.open.is_none() {
            self.open = self.queue.start().map(|request| (request, now, now + self.delay));
        }
    }

    fn form(&mut self, n: i64) {
        if self.up {
            self.rig.frame("BTCUSDT", bar_to(n, 460.0, 15), Finality::Forming);
        }
    }

    fn close(&mut self, n: i64) {
        if self.up {
            self.rig.close("BTCUSDT", n);
        }
    }

    fn connect(&mut self, up: bool) {
        if up && !self.up {
            self.rig.subscribed(&["BTCUSDT"]);
        } else if !up && self.up {
            self.rig.down(&["BTCUSDT"]);
        }
        self.up = up;
    }

    fn candle(&mut self, n: i64, fate: Fate) {
        if !matches!(fate, Fate::Lost) {
            self.pass(n, 200_000);
            self.connect(true);
        }
        if !matches!(fate, Fate::Silent) {
            self.form(n);
        }
        self.pass(n, 400_000);
        if matches!(fate, Fate::Blink | Fate::Lost) {
            self.connect(false);
        }
        self.pass(n, 880_000);
        if matches!(fate, Fate::Blink) {
            self.connect(true);
        }
        self.pass(n + 1, 3);
        match fate {
            Fate::Fine | Fate::Blink => self.close(n),
            Fate::TwiceAndAfter => {
                self.close(n);
                self.close(n);
                self.form(n);
            }
            Fate::LateClose => {
                self.pass(n + 1, 300);
                self.form(n + 1);
                self.pass(n + 1, 30_000);
                self.close(n);
            }
            Fate::Asked => {
                for _ in 0..3 {
                    self.rig.step(Input::Command(Command::Refresh(Scope::All)));
                    self.pass(n + 1, 300);
                }
            }
            Fate::NoClose | Fate::Silent | Fate::Lost => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_the_series_ends_as_the_truth(
        fates in fates(),
        delay_ms in prop_oneof![0..50u64, 1_000..4_000u64, 20_000..90_000u64],
        bars_kept in 6..20u32,
    ) {
        let mut rig = Rig::new(EngineConfig { bars: bars_kept, ..config() });
        rig.start(&["BTCUSDT"]);
        let mut chaos =
            Chaos { rig, queue: Waiting::default(), open: None, delay: Duration::from_millis(delay_ms), up: false, asked: 0 };
        chaos.connect(true);
        let mishaps = fates.iter().filter(|f| !matches!(f, Fate::Fine | Fate::TwiceAndAfter)).count();
        let mut n = N;
        for fate in fates {
            chaos.candle(n, fate);
            n += 1;
        }
        chaos.candle(n, Fate::Fine);
        chaos.pass(n + 1, 600_000);
        chaos.form(n + 1);
        let truth = bars(N - HISTORY..n + 1);
        let kept = truth.get(truth.len().saturating_sub(bars_kept as usize)..).unwrap();
        prop_assert_eq!(chaos.rig.series("BTCUSDT"), kept);
        prop_assert_eq!(chaos.rig.state("BTCUSDT"), (DataState::Live, None));
        prop_assert_eq!(chaos.rig.engine.checks.len(), 0, "checks that never end");
        prop_assert_eq!(chaos.rig.engine.tasks.len(), 0, "requests that nobody answers");
        prop_assert!(chaos.asked <= 1 + 2 * mishaps, "{} requests for {mishaps} mishaps", chaos.asked);
    }
}
