//! What goes wrong, and when: drawn from a seed, printable, and each part can be taken out.

use std::fmt;

use fastrand::Rng;

use super::market::{INTERVALS, MINUTE, SERIES};

/// One way for the exchange, the network or the machine to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A socket is torn, and cannot be opened again for a while.
    Cut,
    /// A socket answers pings and carries no data; reopened, it is acknowledged and silent again.
    Stall,
    /// One series is silent; its neighbours speak.
    Silent,
    /// Closing frames never come.
    DropCloses,
    /// Closing frames come 5 to 45 s late.
    LateCloses,
    /// Closing frames come after the next candle's first states.
    CloseAfterOpen,
    /// Closing frames come twice, with states of the closed candle after them.
    DoubleCloses,
    /// Closing frames that lack the last trade; REST knows better.
    ShortCloses,
    /// Frames come in any order, some twice, with stamps that go backwards.
    Reorder,
    /// Frames come up to 20 s late, all of a socket.
    Backlog,
    /// A socket is replaced; for a while both bring everything.
    Overlap,
    /// Frames that are none, and candles of pairs nobody asked for.
    Garbage,
    /// REST fails.
    RestErrors,
    /// REST answers after 3 to 25 s.
    RestSlow,
    /// REST refuses everybody for a while, as it does with 429 and 418.
    RestRefuses,
    /// REST's rows are behind by up to 1.2 s.
    RestLags,
    /// REST's answers lack rows that could not be read, or are empty.
    RestTorn,
    /// The exchange's answers about the time are off by up to 0.7 s.
    TimeSkew,
    /// The exchange has no candles of a pair for a quarter of an hour or two.
    Maintenance,
    /// The machine sleeps: our clock stands still meanwhile.
    Suspend,
    /// The program is stopped: our clock goes on.
    Freeze,
}

impl Kind {
    pub const ALL: [Self; 21] = [
        Self::Cut,
        Self::Stall,
        Self::Silent,
        Self::DropCloses,
        Self::LateCloses,
        Self::CloseAfterOpen,
        Self::DoubleCloses,
        Self::ShortCloses,
        Self::Reorder,
        Self::Backlog,
        Self::Overlap,
        Self::Garbage,
        Self::RestErrors,
        Self::RestSlow,
        Self::RestRefuses,
        Self::RestLags,
        Self::RestTorn,
        Self::TimeSkew,
        Self::Maintenance,
        Self::Suspend,
        Self::Freeze,
    ];

    /// How long it lasts, in minutes of the exchange's time.
    fn minutes(self) -> (i64, i64) {
        match self {
            Self::Cut | Self::Stall | Self::RestErrors | Self::RestRefuses => (1, 10),
            Self::Suspend | Self::Freeze => (1, 12),
            Self::Maintenance => (15, 15),
            Self::Overlap => (1, 2),
            _ => (3, 12),
        }
    }

    /// Whether it is a matter of REST alone.
    pub fn is_rest(self) -> bool {
        matches!(
            self,
            Self::RestErrors
                | Self::RestSlow
                | Self::RestRefuses
                | Self::RestLags
                | Self::RestTorn
                | Self::TimeSkew
        )
    }
}

/// Which series it befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    All,
    Socket(u32),
    Symbol(usize),
    Series(usize),
}

impl Target {
    pub fn covers(self, series: usize) -> bool {
        match self {
            Self::All => true,
            Self::Socket(n) => socket_of(series) == n,
            Self::Symbol(s) => series / INTERVALS.len() == s,
            Self::Series(s) => series == s,
        }
    }
}

/// Half of the pairs are on each of two sockets.
pub fn socket_of(series: usize) -> u32 {
    u32::from(series >= SERIES / 2)
}

/// One fault of a schedule. Times are milliseconds of the exchange's clock since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub target: Target,
    pub from: i64,
    pub to: i64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, length) = (self.from as f64 / 1e3, (self.to - self.from) as f64 / 1e3);
        write!(f, "{:?} of {:?} from {from:.1} s for {length:.1} s", self.kind, self.target)
    }
}

/// Nothing goes wrong before this: the client loads.
pub const QUIET: i64 = 3 * MINUTE;
/// All faults set in before this.
const LATEST: i64 = 20 * MINUTE;

/// Two to five faults that are in force at the same time.
pub fn schedule(seed: u64) -> Vec<Fault> {
    let mut rng = Rng::with_seed(seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ 0xFA);
    let base = rng.i64(QUIET..LATEST - 3 * MINUTE);
    let mut faults: Vec<Fault> = Vec::new();
    for _ in 0..rng.usize(2..=5) {
        let kind = Kind::ALL[rng.usize(..Kind::ALL.len())];
        faults.push(draw(kind, base, &mut rng));
    }
    faults
}

/// A fault of that kind that sets in soon after `base`.
pub fn draw(kind: Kind, base: i64, rng: &mut Rng) -> Fault {
    let target = match kind {
        Kind::Cut | Kind::Stall | Kind::Backlog | Kind::Overlap => match rng.u32(..3) {
            2 => Target::All,
            n => Target::Socket(n),
        },
        Kind::Silent => Target::Series(rng.usize(..SERIES)),
        Kind::Maintenance => Target::Symbol(rng.usize(..SERIES / INTERVALS.len())),
        Kind::DropCloses
        | Kind::LateCloses
        | Kind::CloseAfterOpen
        | Kind::DoubleCloses
        | Kind::ShortCloses
        | Kind::Reorder => match rng.u32(..4) {
            0 => Target::All,
            1 => Target::Socket(rng.u32(..2)),
            2 => Target::Symbol(rng.usize(..SERIES / INTERVALS.len())),
            _ => Target::Series(rng.usize(..SERIES)),
        },
        _ => Target::All,
    };
    let (least, most) = kind.minutes();
    let mut from = base + rng.i64(0..3 * MINUTE);
    let mut to = from + rng.i64(least * MINUTE..=most * MINUTE);
    if kind == Kind::Maintenance {
        // Whole candles of every length.
        from = (base / (15 * MINUTE) + 1) * 15 * MINUTE;
        to = from + rng.i64(1..=2) * 15 * MINUTE;
    }
    Fault { kind, target, from, to }
}
