//! Several waits of one task that are all polled.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use anysync::yield_now;
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;

use super::super::floor::{End, Floor};
use super::by_hand;
use crate::backend::Capability::Threads;
use crate::cx::{Cx, DynIo, Gate, Rng};
use crate::erased::BoxFuture;
use crate::subject::{Contended, Contending};

/// How a task polls its branches. In some a branch is a loop that waits and waits
/// again, in others one wait, and there is a new one when it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// All, from the first on, at each poll: `futures::join!`, `join_all` of few.
    Join,
    /// All, from another on at each poll: `tokio::join!`.
    RotatingJoin,
    /// `join_all`, of so many that each gets a waker of its own.
    JoinAll,
    /// A `select!` in a loop, whose first branch goes before the others.
    BiasedSelect,
    /// A `select!` in a loop, whose branches take turns to be first.
    FairSelect,
    /// `FuturesUnordered` of loops: each has a waker of its own.
    Unordered,
    /// `FuturesUnordered` of waits, to which a new one is pushed for each that ends.
    Refilled,
}

impl Shape {
    pub(super) const ALL: [Self; 7] = [
        Self::Join,
        Self::RotatingJoin,
        Self::JoinAll,
        Self::BiasedSelect,
        Self::FairSelect,
        Self::Unordered,
        Self::Refilled,
    ];

    /// How many branches there are, at least.
    fn branches(self, wanted: usize) -> usize {
        match self {
            // Fewer are polled all at once, as by `join!`.
            Self::JoinAll => wanted.max(31),
            _ => wanted,
        }
    }
}

/// Longer than any wait is passed in a primitive that keeps no order and starves none.
const LONG: Duration = Duration::from_millis(1);

/// What the branches have in common.
#[derive(Clone)]
pub(super) struct Program {
    place: Arc<dyn Contended>,
    io: DynIo,
    /// How many turns each branch has had.
    had: Arc<[AtomicUsize]>,
    /// After so many all loops end.
    turns: usize,
    /// Whether turns are long. A primitive that keeps no order lets the one that asks
    /// first have it, which is the one that had it, until another has waited for long
    /// by the clock.
    is_slow: bool,
}

impl Program {
    pub(super) fn new(contending: &Contending, io: DynIo, branches: usize, each: usize) -> Self {
        Self {
            place: (contending.fresh)(1),
            io,
            had: (0..branches).map(|_| AtomicUsize::new(0)).collect(),
            turns: branches * each,
            is_slow: !contending.is_ordered,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.had().into_iter().sum::<usize>() >= self.turns
    }

    pub(super) fn had(&self) -> Vec<usize> {
        self.had
            .iter()
            .map(|had| had.load(Ordering::SeqCst))
            .collect()
    }

    /// One wait of a branch, with a turn in which the others run.
    pub(super) fn once(&self, branch: usize) -> BoxFuture<'static, usize> {
        let this = self.clone();
        Box::pin(async move {
            let body = async {
                yield_now().await;
                if this.is_slow {
                    thread::sleep(LONG);
                }
                this.had[branch].fetch_add(1, Ordering::SeqCst);
            };
            this.place.turn(&this.io, branch, Box::pin(body)).await;
            branch
        })
    }

    /// A branch that waits and waits again.
    pub(super) fn looping(&self, branch: usize) -> BoxFuture<'static, ()> {
        let this = self.clone();
        Box::pin(async move {
            while !this.is_over() {
                this.once(branch).await;
            }
        })
    }

    /// A wait that has the place until the gate is open.
    pub(super) fn holder(&self, gate: &Gate) -> BoxFuture<'static, ()> {
        let (this, gate) = (self.clone(), gate.clone());
        Box::pin(async move {
            let body = Box::pin(async move { gate.passed().await });
            this.place.turn(&this.io, 0, body).await;
        })
    }

    /// A task that polls these branches.
    pub(super) fn task(&self, shape: Shape, branches: Vec<usize>) -> BoxFuture<'static, ()> {
        let loops: Vec<_> = branches.iter().map(|it| self.looping(*it)).collect();
        match shape {
            Shape::Join => together(loops, false),
            Shape::RotatingJoin => together(loops, true),
            Shape::JoinAll => Box::pin(async { drop(join_all(loops).await) }),
            Shape::BiasedSelect => self.selecting(branches, false),
            Shape::FairSelect => self.selecting(branches, true),
            Shape::Unordered => {
                let mut all: FuturesUnordered<_> = loops.into_iter().collect();
                Box::pin(async move { while all.next().await.is_some() {} })
            }
            Shape::Refilled => self.refilled(branches),
        }
    }

    fn selecting(&self, branches: Vec<usize>, is_fair: bool) -> BoxFuture<'static, ()> {
        let this = self.clone();
        let mut waits: Vec<_> = branches.iter().map(|it| this.once(*it)).collect();
        let mut first = 0;
        Box::pin(async move {
            while !this.is_over() {
                let ended = poll_fn(|cx| {
                    for step in 0..waits.len() {
                        let place = (first + step) % waits.len();
                        if waits[place].as_mut().poll(cx).is_ready() {
                            return Poll::Ready(place);
                        }
                    }
                    Poll::Pending
                });
                let ended = ended.await;
                waits[ended] = this.once(branches[ended]);
                first = if is_fair {
                    (first + 1) % waits.len()
                } else {
                    0
                };
            }
        })
    }

    fn refilled(&self, branches: Vec<usize>) -> BoxFuture<'static, ()> {
        let this = self.clone();
        let mut all: FuturesUnordered<_> = branches.iter().map(|it| this.once(*it)).collect();
        Box::pin(async move {
            while !this.is_over() {
                let ended = all.next().await.expect("one for each branch");
                all.push(this.once(ended));
            }
        })
    }
}

/// Polls all, from the first on or from another at each poll, until all have ended.
fn together(mut all: Vec<BoxFuture<'static, ()>>, rotates: bool) -> BoxFuture<'static, ()> {
    Box::pin(poll_fn(move |cx| {
        all.retain_mut(|branch| branch.as_mut().poll(cx).is_pending());
        if rotates && !all.is_empty() {
            all.rotate_left(1);
        }
        match all.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }))
}

/// A task of several branches, and others of one branch beside it.
struct Run {
    shape: Shape,
    branches: usize,
    /// How many tasks of one branch there are.
    beside: usize,
}

impl Run {
    /// For how many turns each branch is to go on.
    fn each(&self) -> usize {
        if self.branches > 4 { 6 } else { 12 }
    }

    fn program(&self, contending: &Contending, io: DynIo) -> Program {
        let branches = self.branches + self.beside;
        Program::new(contending, io, branches, self.each())
    }

    fn story(&self) -> String {
        let Self {
            shape,
            branches,
            beside,
        } = self;
        format!("{shape:?} of {branches} branches, {beside} other tasks beside it")
    }

    /// How many turns each branch has had, on a floor of the law's own; all wait before
    /// the first turn.
    fn on_floor(&self, contending: &Contending, mut floor: Floor<'_>) -> Vec<usize> {
        let program = self.program(contending, DynIo::bare());
        let gate = Gate::new();
        floor.add("who has it at first", program.holder(&gate));
        let branches = (0..self.branches).collect();
        floor.add("the task of many", program.task(self.shape, branches));
        for branch in self.branches..self.branches + self.beside {
            floor.add("a task of one", program.looping(branch));
        }
        for _ in 0..2 + self.beside {
            floor.step();
        }
        gate.open();
        let end = floor.run_until(POLLS, || program.is_over());
        let had = program.had();
        assert_eq!(end, End::Done, "{}: turns {had:?}", self.story());
        had
    }

    /// The same in the backend's tasks.
    async fn on_backend(&self, contending: &Contending, cx: &Cx) -> Vec<usize> {
        let program = self.program(contending, cx.io());
        let gate = Gate::new();
        let holder = program.holder(&gate);
        let mut tasks = vec![cx.spawn_queued("who has it at first", holder).await];
        let branches = (0..self.branches).collect();
        let many = program.task(self.shape, branches);
        tasks.push(cx.spawn_queued("the task of many", many).await);
        for branch in self.branches..self.branches + self.beside {
            let one = program.looping(branch);
            tasks.push(cx.spawn_queued(format!("task {branch}"), one).await);
        }
        gate.open();
        let over = program.clone();
        cx.until("all turns are over", move || over.is_over()).await;
        let had = program.had();
        for task in tasks {
            task.join().await;
        }
        had
    }
}

/// Far more polls than the turns of a run take.
const POLLS: usize = 1_000_000;

pub(super) async fn siblings_take_turns(cx: Cx, contending: Contending) {
    let rng = cx.rng();
    let of = contending.clone();
    by_hand(&cx, move || siblings_on_floors(&of, &rng)).await;
    if !contending.is_ordered {
        return;
    }
    for shape in [Shape::Join, Shape::FairSelect, Shape::Unordered] {
        let run = Run {
            shape,
            branches: 2,
            beside: 1,
        };
        in_one_of_some_tries(&run, &contending, &cx, |had| siblings(&run, had)).await;
    }
}

fn siblings_on_floors(contending: &Contending, rng: &Rng) {
    let (shapes, sizes) = match contending.is_ordered {
        true => (&Shape::ALL[..], &[(2, 0), (3, 0), (2, 1), (3, 2)][..]),
        false => (&Shape::ALL[..1], &[(2, 0)][..]),
    };
    for shape in shapes.iter().copied() {
        for (wanted, beside) in sizes.iter().copied() {
            let branches = shape.branches(wanted);
            if branches != wanted && (wanted, beside) != (2, 1) {
                // Once for so many will do.
                continue;
            }
            let run = Run {
                shape,
                branches,
                beside,
            };
            for floor in [Floor::new(), Floor::drawn(rng.clone())] {
                let had = run.on_floor(contending, floor);
                siblings(&run, &had).unwrap_or_else(|story| panic!("{story}"));
            }
        }
    }
}

/// An error unless the branches of the one task had about the same number of turns.
fn siblings(run: &Run, had: &[usize]) -> Result<(), String> {
    let siblings = &had[..run.branches];
    let most = siblings.iter().max().expect("there are branches");
    let least = siblings.iter().min().expect("there are branches");
    if *most <= 2 * least {
        return Ok(());
    }
    Err(format!(
        "{}: one branch had {least} turns while another had {most}: {had:?}",
        run.story()
    ))
}

pub(super) async fn a_task_of_many_waits_takes_no_more_than_its_shares(
    cx: Cx,
    contending: Contending,
) {
    let runs = || {
        Shape::ALL.into_iter().map(|shape| Run {
            shape,
            branches: shape.branches(2),
            beside: 1,
        })
    };
    let (rng, of) = (cx.rng(), contending.clone());
    by_hand(&cx, move || {
        for run in runs() {
            for floor in [Floor::new(), Floor::drawn(rng.clone())] {
                shares(&run, &run.on_floor(&of, floor)).unwrap_or_else(|story| panic!("{story}"));
            }
        }
    })
    .await;
    let shapes = [Shape::Join, Shape::FairSelect, Shape::Refilled];
    for run in runs().filter(|run| shapes.contains(&run.shape)) {
        // Threads may lose many.
        let check = if cx.has(Threads) {
            all_have_some
        } else {
            shares
        };
        in_one_of_some_tries(&run, &contending, &cx, |had| check(&run, had)).await;
    }
}

/// The run in the backend's tasks, of which `check` judges the turns. Where a thread stands
/// still for a time, or a wake-up comes late, a task loses turns meanwhile, but not so at
/// every try.
async fn in_one_of_some_tries(
    run: &Run,
    contending: &Contending,
    cx: &Cx,
    check: impl Fn(&[usize]) -> Result<(), String>,
) {
    const TRIES: usize = 5;
    let mut told = Vec::new();
    for _ in 0..TRIES {
        match check(&run.on_backend(contending, cx).await) {
            Ok(()) => return,
            Err(story) => told.push(story),
        }
    }
    panic!("{}", told.join("; "));
}

/// An error if a branch had no turn.
fn all_have_some(run: &Run, had: &[usize]) -> Result<(), String> {
    match had.contains(&0) {
        true => Err(format!("{}: turns {had:?}", run.story())),
        false => Ok(()),
    }
}

/// An error unless each branch had about its share of the turns.
fn shares(run: &Run, had: &[usize]) -> Result<(), String> {
    let share = had.iter().sum::<usize>() / had.len();
    let is_far = |turns: &usize| !(2 * share..=4 * share).contains(&(3 * turns));
    match had.iter().position(is_far) {
        None => Ok(()),
        Some(branch) => Err(format!(
            "{}: branch {branch} had {} turns, and its share is {share}: {had:?}",
            run.story(),
            had[branch]
        )),
    }
}
