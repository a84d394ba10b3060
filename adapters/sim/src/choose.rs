//! Who decides: every choice of a run goes through a [`Chooser`], which writes it
//! down.
//!
//! A schedule is the list of its choices. Choice 0 is always the plain one: the
//! task that has been ready longest, no spurious poll, no delay, no cancellation.
//! So a list that ends early, or is full of zeros, is still a schedule, which is
//! what lets [`shrink`](crate::shrink) work on it.

use crate::world::TaskId;

/// How the next task is chosen among those that are ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// [`Uniform`](Strategy::Uniform) for one half of the seeds, and
    /// [`Pct`](Strategy::Pct) with one to three change points for the other.
    #[default]
    Mixed,
    /// Each ready task is as likely as any other.
    Uniform,
    /// Probabilistic concurrency testing: each task has a random priority, the
    /// highest that is ready runs, and at a few random steps the running task
    /// falls below all others. It is good at bugs that need one task to stand
    /// still for long while others get far.
    ///
    /// From S. Burckhardt, P. Kothari, M. Musuvathi and S. Nagarakatte, *A
    /// Randomized Scheduler with Probabilistic Guarantees of Finding Bugs*
    /// (ASPLOS 2010), where a bug of depth d needs d − 1 change points. The paper
    /// draws the points from a length of the run that is known beforehand; here
    /// that length is itself drawn, among the powers of two up to 4096.
    Pct {
        /// How many change points.
        changes: u32,
    },
}

/// One choice: which, and out of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) chosen: u32,
    pub(crate) options: u32,
}

/// Makes the choices of one run, and keeps them.
pub(crate) struct Chooser {
    mode: Mode,
    made: Vec<Choice>,
}

enum Mode {
    Drawn(Box<Drawn>),
    /// As listed; 0 beyond the end, and where the list says what there is not.
    Listed(Vec<u32>),
}

struct Drawn {
    rng: Rng,
    pct: Option<Pct>,
    /// A fault is drawn once in so many occasions; each run has a rate of its own.
    rarity: u64,
}

impl Chooser {
    /// The choices of a seed.
    pub(crate) fn drawn(seed: u64, strategy: Strategy) -> Self {
        let mut rng = Rng::new(seed);
        let rarity = 1 << (1 + rng.below(8));
        let changes = match strategy {
            Strategy::Uniform => None,
            Strategy::Pct { changes } => Some(u64::from(changes)),
            Strategy::Mixed if rng.below(2) == 0 => None,
            Strategy::Mixed => Some(1 + rng.below(3)),
        };
        let pct = changes.map(|changes| Pct::new(&mut rng, changes));
        Self {
            mode: Mode::Drawn(Box::new(Drawn { rng, pct, rarity })),
            made: Vec::new(),
        }
    }

    /// The choices of a list.
    pub(crate) fn listed(choices: Vec<u32>) -> Self {
        Self {
            mode: Mode::Listed(choices),
            made: Vec::new(),
        }
    }

    /// The choices so far.
    pub(crate) fn made(&self) -> &[Choice] {
        &self.made
    }

    /// One of the tasks that may run next, by its place in the list.
    pub(crate) fn task(&mut self, eligible: &[TaskId]) -> usize {
        self.choose(eligible.len(), |drawn, options| match &mut drawn.pct {
            Some(pct) => pct.pick(&mut drawn.rng, eligible),
            None => drawn.rng.below(options) as usize,
        })
    }

    /// Whether something goes wrong here: 0 for no, or which of the `options - 1`
    /// ways.
    pub(crate) fn fault(&mut self, options: usize) -> usize {
        self.choose(options, |drawn, options| {
            match drawn.rng.below(drawn.rarity) {
                0 => 1 + drawn.rng.below(options - 1) as usize,
                _ => 0,
            }
        })
    }

    /// Whether a task that yields may run before those that are ready: 0 for no.
    pub(crate) fn unfair_yield(&mut self) -> usize {
        self.choose(2, |drawn, options| drawn.rng.below(options) as usize)
    }

    fn choose(&mut self, options: usize, draw: impl FnOnce(&mut Drawn, u64) -> usize) -> usize {
        if options <= 1 {
            return 0;
        }
        let chosen = match &mut self.mode {
            Mode::Drawn(drawn) => draw(drawn, options as u64),
            Mode::Listed(choices) => match choices.get(self.made.len()) {
                Some(&choice) if (choice as usize) < options => choice as usize,
                _ => 0,
            },
        };
        self.made.push(Choice {
            chosen: chosen as u32,
            options: options as u32,
        });
        chosen
    }
}

/// The priorities of one run.
struct Pct {
    /// By task; 0 for one that has not been seen.
    priorities: Vec<u64>,
    /// The steps that are change points, the next one last.
    changes: Vec<u64>,
    step: u64,
}

/// Priorities that a change point gives are below this, others above.
const LOWERED: u64 = 1 << 32;

impl Pct {
    fn new(rng: &mut Rng, changes: u64) -> Self {
        let length = 8 << rng.below(10);
        let mut changes: Vec<_> = (0..changes).map(|_| 1 + rng.below(length)).collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            priorities: Vec::new(),
            changes,
            step: 0,
        }
    }

    fn pick(&mut self, rng: &mut Rng, eligible: &[TaskId]) -> usize {
        self.step += 1;
        for &task in eligible {
            if task >= self.priorities.len() {
                self.priorities.resize(task + 1, 0);
            }
            if self.priorities[task] == 0 {
                self.priorities[task] = LOWERED + (rng.next() >> 1);
            }
        }
        while self.changes.last().is_some_and(|at| *at <= self.step) {
            self.changes.pop();
            let place = self.highest(eligible);
            // The later the change, the lower.
            let lowered = 1 + self.changes.len() as u64;
            self.priorities[eligible[place]] = lowered;
        }
        self.highest(eligible)
    }

    fn highest(&self, eligible: &[TaskId]) -> usize {
        let places = 0..eligible.len();
        places
            .max_by_key(|place| self.priorities[eligible[*place]])
            .unwrap_or(0)
    }
}

/// SplitMix64: small, fast, and the same everywhere.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    fn below(&mut self, limit: u64) -> u64 {
        // The high half of a product: no modulo bias worth naming.
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }
}
