//! Programs as data, to be run over an original and over its drop-in: where one ends, the
//! other must.
//!
//! A [`Program`] is a few tasks that wait for a few [`Places`], alone, together, in a
//! `select`, in a buffer, by a timeout, or with a wait that is kept. A seed draws it, and
//! [`Program::run`] runs it on one thread, by a schedule that a seed draws, too.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A future of a program, on its one thread.
pub type Body<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Primitives whose waits take turns.
pub trait Places {
    /// How many there are.
    const COUNT: usize;

    /// Waits for a turn at one of them, runs `body` in it, and lets the next one have a
    /// turn.
    fn turn<'a>(&'a self, place: usize, body: Body<'a>) -> Body<'a>;

    /// Takes a turn without waiting, if it is free: what is dropped when it is over.
    /// `None` at a place that has no such attempts.
    fn attempt(&self, place: usize) -> Option<Option<Box<dyn Held + '_>>>;
}

/// A turn that an attempt has got, and that is over when this is dropped.
pub trait Held {}

impl<T> Held for T {}

/// What [`Places::attempt`] returns at a place where attempts fail or get this.
pub fn held<'a>(turn: Option<impl Sized + 'a>) -> Option<Option<Box<dyn Held + 'a>>> {
    Some(turn.map(|turn| Box::new(turn) as Box<dyn Held>))
}

/// What a task does, one after the other.
pub type Code = Vec<Step>;

/// One thing that a task does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Lets others run.
    Yield,
    /// Waits for a turn at a place, and yields so often in it.
    Turn {
        /// Which.
        place: usize,
        /// How often.
        yields: usize,
    },
    /// Attempts to get a turn at a place, again and again, and yields in between; then
    /// yields so often in it. Waits where there are no attempts.
    Attempt {
        /// Which.
        place: usize,
        /// How often.
        yields: usize,
    },
    /// Runs all of these, each polled at each poll of the task; `rotates` begins with
    /// another each time.
    Join {
        /// The branches.
        branches: Vec<Code>,
        /// Whether they take turns to be first.
        rotates: bool,
    },
    /// Runs both until one has ended, and drops the other.
    Select {
        /// The branches, the first before the second.
        branches: [Code; 2],
    },
    /// Polls a wait for a turn so often, keeps it while `body` runs, and ends it or drops
    /// it then.
    Keep {
        /// At which place.
        place: usize,
        /// How often it is polled first.
        polls: usize,
        /// What runs meanwhile.
        body: Code,
        /// Whether it is awaited in the end.
        ends: bool,
    },
    /// Runs waits for turns, so many at a time, each with a waker of its own; whenever one
    /// has ended `body` runs, and the others are not polled.
    Buffer {
        /// At which place.
        place: usize,
        /// How many in all.
        waits: usize,
        /// How many at a time.
        at_once: usize,
        /// What runs for each that has ended.
        body: Code,
    },
    /// Runs `body`, and drops it after so many polls.
    Timeout {
        /// How many.
        polls: usize,
        /// What may not be done in time.
        body: Code,
    },
}

/// The tasks of a program.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    /// What each does.
    pub tasks: Vec<Code>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tasks
            .iter()
            .enumerate()
            .try_for_each(|(place, task)| writeln!(f, "task {place}: {task:?}"))
    }
}

/// From this seed on, programs have attempts.
const ATTEMPTS: u64 = 1 << 32;

/// Random numbers out of a seed: SplitMix64. And how many kinds of steps are drawn.
struct Rng(u64, usize);

impl Rng {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * limit as u128) >> 64) as usize
    }
}

impl Program {
    /// The program of a seed, over so many places.
    pub fn drawn(seed: u64, places: usize) -> Self {
        let mut rng = Rng(seed, if seed < ATTEMPTS { 8 } else { 11 });
        // Few places, so that the waits meet.
        let used = 1 + rng.below(2.min(places));
        let chosen: Vec<_> = (0..used).map(|_| rng.below(places)).collect();
        let tasks = 1 + rng.below(3);
        let tasks = (0..tasks).map(|_| code(&mut rng, &chosen, 2)).collect();
        Self { tasks }
    }

    /// Runs it, by the schedule of a seed, for at most so many polls: whether all of its
    /// tasks have ended.
    pub fn run<P: Places>(&self, places: &P, seed: u64, polls: usize) -> End {
        let mut rng = Rng(seed, 0);
        let mut tasks: Vec<_> = self
            .tasks
            .iter()
            .map(|code| Task::new(places, code))
            .collect();
        for _ in 0..polls {
            tasks.retain(|task| !task.has_ended);
            if tasks.is_empty() {
                return End::Ended;
            }
            let ready: Vec<_> = (0..tasks.len())
                .filter(|it| tasks[*it].is_woken())
                .collect();
            if ready.is_empty() {
                return End::Asleep;
            }
            tasks[ready[rng.below(ready.len())]].poll();
        }
        End::Busy
    }
}

/// How a program has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All of its tasks have.
    Ended,
    /// No task was woken any more.
    Asleep,
    /// There were no polls left.
    Busy,
}

fn code(rng: &mut Rng, places: &[usize], depth: usize) -> Code {
    let steps = 1 + rng.below(3);
    (0..steps).map(|_| step(rng, places, depth)).collect()
}

fn step(rng: &mut Rng, places: &[usize], depth: usize) -> Step {
    let place = places[rng.below(places.len())];
    let kinds = if depth == 0 { 2 } else { rng.1 };
    match rng.below(kinds) {
        0 => Step::Yield,
        1 | 7 => Step::Turn {
            place,
            yields: rng.below(3),
        },
        2 => Step::Join {
            branches: (0..2 + rng.below(2))
                .map(|_| code(rng, places, depth - 1))
                .collect(),
            rotates: rng.below(2) == 0,
        },
        3 => Step::Select {
            branches: [code(rng, places, depth - 1), code(rng, places, depth - 1)],
        },
        4 => Step::Keep {
            place,
            polls: 1 + rng.below(2),
            body: code(rng, places, depth - 1),
            ends: rng.below(2) == 0,
        },
        5 => Step::Buffer {
            place,
            waits: 2 + rng.below(8),
            at_once: 1 + rng.below(4),
            body: code(rng, places, depth - 1),
        },
        6 => Step::Timeout {
            polls: 1 + rng.below(6),
            body: code(rng, places, depth - 1),
        },
        _ => Step::Attempt {
            place,
            yields: rng.below(3),
        },
    }
}

/// What a waker of a program tells.
#[derive(Default)]
struct Flag {
    woken: AtomicBool,
    /// What to wake as well.
    parent: std::sync::Mutex<Option<Waker>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        let parent = self.parent.lock().map(|parent| parent.clone());
        if let Ok(Some(parent)) = parent {
            parent.wake();
        }
    }
}

struct Task<'a> {
    future: Body<'a>,
    flag: Arc<Flag>,
    waker: Waker,
    has_ended: bool,
}

impl<'a> Task<'a> {
    fn new<P: Places>(places: &'a P, code: &'a [Step]) -> Self {
        let flag = Arc::<Flag>::default();
        flag.woken.store(true, Ordering::SeqCst);
        Self {
            future: run(places, code),
            waker: Waker::from(Arc::clone(&flag)),
            flag,
            has_ended: false,
        }
    }

    fn is_woken(&self) -> bool {
        self.flag.woken.load(Ordering::SeqCst)
    }

    fn poll(&mut self) {
        self.flag.woken.store(false, Ordering::SeqCst);
        let mut cx = Context::from_waker(&self.waker);
        self.has_ended = self.future.as_mut().poll(&mut cx).is_ready();
    }
}

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn run<'a, P: Places>(places: &'a P, code: &'a [Step]) -> Body<'a> {
    Box::pin(async move {
        for step in code {
            one(places, step).await;
        }
    })
}

fn turn<P: Places>(places: &P, place: usize, yields: usize) -> Body<'_> {
    let body = async move {
        for _ in 0..yields {
            yield_once().await;
        }
    };
    places.turn(place, Box::pin(body))
}

fn attempt<P: Places>(places: &P, place: usize, yields: usize) -> Body<'_> {
    Box::pin(async move {
        let held = loop {
            match places.attempt(place) {
                None => return turn(places, place, yields).await,
                Some(Some(held)) => break held,
                Some(None) => yield_once().await,
            }
        };
        for _ in 0..yields {
            yield_once().await;
        }
        drop(held);
    })
}

fn one<'a, P: Places>(places: &'a P, step: &'a Step) -> Body<'a> {
    match step {
        Step::Yield => Box::pin(yield_once()),
        Step::Turn { place, yields } => turn(places, *place, *yields),
        Step::Attempt { place, yields } => attempt(places, *place, *yields),
        Step::Join { branches, rotates } => join(
            branches.iter().map(|code| run(places, code)).collect(),
            *rotates,
        ),
        Step::Select { branches } => {
            let mut branches = branches.each_ref().map(|code| run(places, code));
            Box::pin(poll_fn(move |cx| {
                let mut any = branches.iter_mut();
                match any.any(|branch| branch.as_mut().poll(cx).is_ready()) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            }))
        }
        Step::Keep {
            place,
            polls,
            body,
            ends,
        } => keep(turn(places, *place, 0), *polls, run(places, body), *ends),
        Step::Buffer {
            place,
            waits,
            at_once,
            body,
        } => {
            let place = *place;
            let wait = move || turn(places, place, 1);
            buffer(wait, *waits, *at_once, move || run(places, body))
        }
        Step::Timeout { polls, body } => timeout(*polls, run(places, body)),
    }
}

fn join(mut branches: Vec<Body<'_>>, rotates: bool) -> Body<'_> {
    Box::pin(poll_fn(move |cx| {
        branches.retain_mut(|branch| branch.as_mut().poll(cx).is_pending());
        if branches.is_empty() {
            return Poll::Ready(());
        }
        branches.rotate_left(usize::from(rotates));
        Poll::Pending
    }))
}

fn keep<'a>(mut kept: Body<'a>, polls: usize, body: Body<'a>, ends: bool) -> Body<'a> {
    Box::pin(async move {
        let has_ended = Cell::new(false);
        for _ in 0..polls {
            let polled = poll_fn(|cx| Poll::Ready(kept.as_mut().poll(cx))).await;
            if polled.is_ready() {
                has_ended.set(true);
                break;
            }
            yield_once().await;
        }
        body.await;
        if ends && !has_ended.get() {
            kept.await;
        }
    })
}

fn timeout(polls: usize, mut body: Body<'_>) -> Body<'_> {
    let mut left = polls;
    Box::pin(poll_fn(move |cx| {
        if body.as_mut().poll(cx).is_ready() || left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        // The clock ticks whatever happens.
        cx.waker().wake_by_ref();
        Poll::Pending
    }))
}

fn buffer<'a>(
    wait: impl Fn() -> Body<'a> + 'a,
    waits: usize,
    at_once: usize,
    body: impl Fn() -> Body<'a> + 'a,
) -> Body<'a> {
    Box::pin(async move {
        let mut left = waits;
        let mut buffered: Vec<(Body<'a>, Arc<Flag>)> = Vec::new();
        loop {
            while left > 0 && buffered.len() < at_once {
                let flag = Arc::<Flag>::default();
                flag.woken.store(true, Ordering::SeqCst);
                buffered.push((wait(), flag));
                left -= 1;
            }
            if buffered.is_empty() {
                return;
            }
            poll_fn(|cx| poll_one(&mut buffered, cx)).await;
            body().await;
        }
    })
}

/// Polls those that were woken, until one has ended, which is taken out.
fn poll_one(buffered: &mut Vec<(Body<'_>, Arc<Flag>)>, cx: &mut Context<'_>) -> Poll<()> {
    for place in 0..buffered.len() {
        let (wait, flag) = &mut buffered[place];
        if let Ok(mut parent) = flag.parent.lock() {
            *parent = Some(cx.waker().clone());
        }
        if !flag.woken.swap(false, Ordering::SeqCst) {
            continue;
        }
        let waker = Waker::from(Arc::clone(flag));
        if wait
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            drop(buffered.remove(place));
            return Poll::Ready(());
        }
    }
    Poll::Pending
}

/// The variable whose number is the seed of the programs.
pub const SEED: &str = "ANYSYNC_ENDS_SEED";

/// By how many schedules each program runs. One that the original ends by some of them
/// alone ends by luck: by which wait happens to be woken first.
const SCHEDULES: u64 = 16;
/// How many polls the original may take.
const POLLS: usize = 2_000;
/// How many times as many the drop-in may: a wait that another keeps passes after many.
const PATIENCE: usize = 100;

/// Runs programs over both: the one of the seed that the environment names, or so many
/// without attempts and so many with them; each by several schedules. Of 10,000 such runs
/// that the original ends the drop-in may miss `may_miss`, without attempts and with them,
/// where it wakes waits in another order.
///
/// # Panics
///
/// If the drop-in does not end more of them; with the shortest program and its seed.
pub fn ends_where_the_original_ends<O: Places, D: Places>(
    count: u64,
    may_miss: [usize; 2],
    original: impl Fn() -> O,
    drop_in: impl Fn() -> D,
) {
    assert_eq!(O::COUNT, D::COUNT, "they are the same places");
    if let Ok(named) = std::env::var(SEED) {
        let seed = named.parse::<u64>().expect("a seed is a whole number");
        return compare(seed..seed + 1, &original, &drop_in).judge(0);
    }
    for (first, may_miss) in [0, ATTEMPTS].into_iter().zip(may_miss) {
        let compared = compare(first..first + count, &original, &drop_in);
        assert!(compared.runs > 0, "the original ends none of the programs");
        compared.judge(may_miss);
    }
}

/// What came of programs that were run over both.
#[derive(Default)]
struct Compared {
    /// How many runs the original ends.
    runs: usize,
    /// How many of them the drop-in does not.
    missed: usize,
    /// The programs of these.
    broken: Vec<String>,
}

impl Compared {
    /// Panics if the drop-in has missed more than so many of 10,000 runs.
    fn judge(mut self, may_miss: usize) {
        let Self { runs, missed, .. } = self;
        if missed * 10_000 <= runs * may_miss {
            return;
        }
        // The shortest tells most.
        self.broken.sort_by_key(String::len);
        let (programs, shortest) = (self.broken.len(), &self.broken[0]);
        panic!("{missed} of {runs} runs do not end, of {programs} programs; {shortest}");
    }
}

fn compare<O: Places, D: Places>(
    seeds: Range<u64>,
    original: impl Fn() -> O,
    drop_in: impl Fn() -> D,
) -> Compared {
    let mut compared = Compared::default();
    for seed in seeds {
        let program = Program::drawn(seed, O::COUNT);
        let schedules = || (0..SCHEDULES).map(|number| seed.wrapping_add(number));
        let original = |schedule| program.run(&original(), schedule, POLLS);
        if !schedules().all(|schedule| original(schedule) == End::Ended) {
            continue;
        }
        compared.runs += SCHEDULES as usize;
        let drop_in = |schedule| program.run(&drop_in(), schedule, POLLS * PATIENCE);
        let missed: Vec<_> = schedules()
            .map(|schedule| (schedule, drop_in(schedule)))
            .filter(|(_, end)| *end != End::Ended)
            .collect();
        if !missed.is_empty() {
            compared.missed += missed.len();
            compared.broken.push(format!(
                "{SEED}={seed}: the original ends, and the drop-in does not, by these \
                 schedules: {missed:?}\n{program:?}"
            ));
        }
    }
    compared
}
