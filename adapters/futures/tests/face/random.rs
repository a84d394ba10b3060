//! Random programs, run on the original and on ours step by step: what each operation
//! returns is the same, and which tasks it wakes.
//!
//! A failure says the seed: `ANYSYNC_SEED` repeats it.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use anysync_adapter_tests::face::Task;

mod mpsc;
mod oneshot;

/// Programs for each kind, and the most operations in one.
const PROGRAMS: u64 = 1_000;
const LENGTH: usize = 60;

struct Random(u64);

impl Random {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }
}

/// One end: two tasks poll it, and one of them waits at a time.
struct End {
    tasks: [Task; 2],
    /// Whether the original forgets the waker of the task that waits.
    is_forgotten: bool,
}

impl End {
    fn new() -> Self {
        Self {
            tasks: [Task::new(), Task::new()],
            is_forgotten: false,
        }
    }
}

/// A library's side of a program.
trait World {
    type Op: Copy + Debug;

    /// Does it; what it returned, and `None` if the end is gone.
    fn step(&mut self, op: Self::Op) -> Option<String>;

    fn ends(&self) -> Vec<&End>;
}

/// Runs programs of what `op` draws on both sides that `start` makes.
fn compare<O: World, S: World<Op = O::Op>>(
    start: impl Fn(&mut Random) -> (O, S),
    op: impl Fn(&mut Random) -> O::Op,
) {
    let given = std::env::var("ANYSYNC_SEED").ok();
    let given = given.map(|seed| seed.parse().expect("ANYSYNC_SEED is a number"));
    let first = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let programs = if given.is_some() { 1 } else { PROGRAMS };
    for seed in (0..programs).map(|program| first.wrapping_add(program)) {
        let mut done = Vec::new();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            // Spread, as neighbours would begin alike, and not 0.
            let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
            random.below(1);
            let (mut original, mut ours) = start(&mut random);
            for _ in 0..LENGTH {
                let op = op(&mut random);
                done.push((op, String::new()));
                let before = extra_wakes(&original, &ours);
                let outcome = original.step(op);
                done.last_mut().unwrap().1 = format!("{outcome:?}");
                assert_eq!(ours.step(op), outcome, "ours is on the left");
                check_wakes(&original, &ours, &before);
            }
        }));
        if let Err(panicked) = outcome {
            let done: Vec<_> = done.iter().map(|done| format!("{done:?}\n")).collect();
            println!("{}to repeat it: ANYSYNC_SEED={seed}", done.concat());
            resume_unwind(panicked);
        }
    }
}

/// How often ours has woken each task and the original has not.
fn extra_wakes<O: World, S: World>(original: &O, ours: &S) -> Vec<[isize; 2]> {
    let both = original.ends().into_iter().zip(ours.ends());
    let count = |task: &Task| isize::try_from(task.wakes()).unwrap();
    both.map(|(original, ours)| {
        [0, 1].map(|task| count(&ours.tasks[task]) - count(&original.tasks[task]))
    })
    .collect()
}

fn check_wakes<O: World, S: World>(original: &O, ours: &S, before: &[[isize; 2]]) {
    let now = extra_wakes(original, ours);
    for (place, end) in original.ends().into_iter().enumerate() {
        // A clone is new.
        let before = before.get(place).copied().unwrap_or_default();
        let more: isize = (0..2).map(|task| now[place][task] - before[task]).sum();
        assert!(
            more == 0 || (end.is_forgotten && more == 1),
            "end {place}: ours has woken {more} times more"
        );
    }
}
