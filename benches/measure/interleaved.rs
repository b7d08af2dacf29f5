//! Timing of two programs for the same work, by turns, so that both have the same machine.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// What came out.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub subject: Duration,
    pub reference: Duration,
}

impl Pair {
    pub fn ratio(self) -> f64 {
        self.subject.as_secs_f64() / self.reference.as_secs_f64()
    }

    /// One line: the name, both medians, the ratio and its goal, where there is one.
    pub fn print(self, name: &str, against: &str, goal: impl Into<Option<f64>>) {
        let verdict = match goal.into() {
            Some(goal) if self.ratio() <= goal => format!("(goal <= {goal:.2}) ok"),
            Some(goal) => format!("(goal <= {goal:.2}) OVER"),
            None => "(for information)".to_owned(),
        };
        println!(
            "{name:<22} {:>10.1} us   {against:<40} {:>10.1} us   ratio {:.2} {verdict}",
            self.subject.as_secs_f64() * 1e6,
            self.reference.as_secs_f64() * 1e6,
            self.ratio(),
        );
    }
}

/// Runs both `rounds` times by turns, after some rounds that do not count, and gives the medians.
pub fn interleaved<A, B>(
    rounds: usize,
    mut subject: impl FnMut() -> A,
    mut reference: impl FnMut() -> B,
) -> Pair {
    let mut times = (Vec::new(), Vec::new());
    for round in 0..=rounds + rounds / 10 {
        let a = timed(&mut subject);
        let b = timed(&mut reference);
        if round > rounds / 10 {
            times.0.push(a);
            times.1.push(b);
        }
    }
    Pair { subject: median(times.0), reference: median(times.1) }
}

fn timed<T>(work: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
