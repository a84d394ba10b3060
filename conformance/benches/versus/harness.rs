//! Rows, contenders, and how they are measured.

use std::time::{Duration, Instant};

use serde::Serialize;

/// The name of what is ours in every row.
pub(crate) const OURS: &str = "anysync";

/// A part of the names of what is made for threads.
const THREADS: &str = "for threads";

/// The most rounds of a row that is one of a curve.
const CURVE_ROUNDS: u32 = 15;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) rounds: u32,
    /// How long one sample takes.
    pub(crate) millis: u64,
}

/// One who does the work of a row.
pub(crate) struct Contender {
    name: &'static str,
    /// Does the work so often, and says how long that took.
    run: Box<dyn FnMut(u32) -> Duration>,
}

/// A contender that does the work once for each call.
pub(crate) fn does(name: &'static str, mut work: impl FnMut() + 'static) -> Contender {
    timed(name, move |times| {
        let start = Instant::now();
        for _ in 0..times {
            work();
        }
        start.elapsed()
    })
}

/// A contender that takes the time itself, of so many repetitions.
pub(crate) fn timed(name: &'static str, run: impl FnMut(u32) -> Duration + 'static) -> Contender {
    Contender {
        name,
        run: Box::new(run),
    }
}

/// The same work, done by each contender.
pub(crate) struct Row {
    group: &'static str,
    what: String,
    /// How many operations one repetition is.
    operations: u32,
    /// Made when the row's turn comes, so that no row lies in another's memory.
    contenders: Box<dyn FnOnce() -> Vec<Contender>>,
    count_allocations: bool,
    /// Of how many this is, among the rows of its group that differ in that alone.
    size: Option<u32>,
}

impl Row {
    pub(crate) fn new(
        group: &'static str,
        what: impl Into<String>,
        contenders: impl FnOnce() -> Vec<Contender> + 'static,
    ) -> Self {
        Self {
            group,
            what: what.into(),
            operations: 1,
            contenders: Box::new(contenders),
            count_allocations: true,
            size: None,
        }
    }

    /// One repetition is so many operations; what is shown is the time of one.
    pub(crate) fn operations(mut self, operations: u32) -> Self {
        self.operations = operations;
        self
    }

    /// The work is done on other threads, whose allocations are not seen.
    pub(crate) fn on_other_threads(mut self) -> Self {
        self.count_allocations = false;
        self
    }

    /// The row is one of a curve, at this size. What is looked at is its shape, so that
    /// few rounds do, and allocations are not counted.
    pub(crate) fn size(mut self, size: u32) -> Self {
        self.size = Some(size);
        self.count_allocations = false;
        self
    }

    pub(crate) fn name(&self) -> String {
        format!("{}: {}", self.group, self.what)
    }

    pub(crate) fn measure(self, budget: Budget) -> Measured {
        let mut contenders = (self.contenders)();
        let sample = Duration::from_millis(budget.millis);
        let times: Vec<u32> = contenders
            .iter_mut()
            .map(|contender| calibrate(contender, sample))
            .collect();
        let rounds = match self.size {
            None => budget.rounds,
            Some(_) => budget.rounds.min(CURVE_ROUNDS),
        } as usize;
        let mut samples = vec![Vec::with_capacity(rounds); contenders.len()];
        for round in 0..rounds {
            for turn in 0..contenders.len() {
                let who = (round + turn) % contenders.len();
                let taken = (contenders[who].run)(times[who]);
                let operations = f64::from(times[who]) * f64::from(self.operations);
                samples[who].push(taken.as_nanos() as f64 / operations);
            }
        }
        let results = contenders
            .iter_mut()
            .zip(samples)
            .map(|(contender, nanos)| Result {
                name: contender.name,
                median: median(nanos.clone()),
                allocations: (self.count_allocations)
                    .then(|| allocations(contender) / f64::from(self.operations)),
                nanos,
            })
            .collect();
        Measured {
            group: self.group,
            what: self.what,
            size: self.size,
            results,
        }
    }
}

/// How many repetitions take about as long as a sample should.
fn calibrate(contender: &mut Contender, sample: Duration) -> u32 {
    let mut times = 1;
    loop {
        let taken = (contender.run)(times);
        if taken >= sample || times >= 1 << 28 {
            return times;
        }
        let scale = sample.as_secs_f64() / taken.as_secs_f64().max(1e-9);
        // Not too far at once, for a first repetition may be a slow one.
        times = (f64::from(times) * scale.clamp(1.2, 16.0)).ceil() as u32;
    }
}

/// Allocations of one repetition.
fn allocations(contender: &mut Contender) -> f64 {
    const TIMES: u32 = 10;
    let info = allocation_counter::measure(|| {
        (contender.run)(TIMES);
    });
    info.count_total as f64 / f64::from(TIMES)
}

/// What was measured of one contender; times in nanoseconds of one operation.
#[derive(Serialize)]
pub(crate) struct Result {
    pub(crate) name: &'static str,
    pub(crate) median: f64,
    /// Of one operation, where they can be seen.
    pub(crate) allocations: Option<f64>,
    pub(crate) nanos: Vec<f64>,
}

#[derive(Serialize)]
pub(crate) struct Measured {
    pub(crate) group: &'static str,
    pub(crate) what: String,
    /// Of how many it is, where that is what its group varies.
    pub(crate) size: Option<u32>,
    pub(crate) results: Vec<Result>,
}

impl Measured {
    pub(crate) fn ours(&self) -> Option<&Result> {
        self.results.iter().find(|result| result.name == OURS)
    }

    /// The fastest of the others. What is made for threads waits in another way: it
    /// is a floor and no peer.
    pub(crate) fn best_peer(&self) -> Option<&Result> {
        self.results
            .iter()
            .filter(|result| !result.name.starts_with(OURS) && !result.name.contains(THREADS))
            .min_by(|a, b| a.median.total_cmp(&b.median))
    }
}

/// The median of the ratios within each round.
pub(crate) fn ratio(a: &Result, b: &Result) -> f64 {
    median(a.nanos.iter().zip(&b.nanos).map(|(a, b)| a / b).collect())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    if of.len() % 2 == 1 {
        of[middle]
    } else {
        (of[middle - 1] + of[middle]) / 2.0
    }
}
