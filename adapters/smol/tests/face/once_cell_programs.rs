// Included for each side, see `main.rs`.

// Random programs of a few tasks over one cell: calls that are awaited, kept, polled
// by the way and dropped, whose initialisers make a value, fail and panic. Each
// program ends with the original, and so it does with ours.
// `ANYSYNC_SEED=… cargo test` runs the program of that seed alone.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use lock::OnceCell;
use smol::LocalExecutor;
use smol::future::yield_now;

const PROGRAMS: u64 = 3_000;
/// No program needs as many polls.
const POLLS: usize = 20_000;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}

#[derive(Clone, Copy, Debug)]
enum Ends {
    Makes,
    Fails,
    Panics,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Awaits a call whose initialiser ends so, after some turns of its task.
    Run(Ends, u64),
    /// Polls a call once and keeps it, with the task's waker or with none.
    Keep(Ends, bool),
    /// Keeps a wait for the value.
    Look,
    /// Polls a kept one once more, or drops it.
    Poll(usize),
    Drop(usize),
    /// Begins an initialiser that never ends, and gives it up.
    GiveUp(u64),
    Set,
    Yield,
}

fn ends(random: &mut Random) -> Ends {
    match random.below(12) {
        0 => Ends::Makes,
        1..3 => Ends::Panics,
        _ => Ends::Fails,
    }
}

fn program(random: &mut Random) -> Vec<Vec<Step>> {
    let tasks = 1 + random.below(3);
    (0..tasks)
        .map(|_| {
            let steps = 1 + random.below(10);
            let mut script: Vec<_> = (0..steps)
                .map(|_| match random.below(40) {
                    0..10 => Step::Run(ends(random), random.below(3)),
                    10..20 => Step::Keep(ends(random), random.below(2) == 0),
                    20 => Step::Look,
                    21..25 => Step::Poll(random.below(4) as usize),
                    25..29 => Step::Drop(random.below(4) as usize),
                    29..36 => Step::GiveUp(random.below(3)),
                    36 if random.below(4) == 0 => Step::Set,
                    _ => Step::Yield,
                })
                .collect();
            script.push(Step::Run(Ends::Makes, random.below(2)));
            script
        })
        .collect()
}

type Call<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A call, that a panic ends too.
fn call<'a>(cell: &'a OnceCell<u8>, made: &'a Cell<u8>, ends: Ends, turns: u64) -> Call<'a> {
    let call = cell.get_or_try_init(move || async move {
        for _ in 0..turns {
            yield_now().await;
        }
        match ends {
            Ends::Makes => {
                made.set(made.get() + 1);
                Ok(made.get())
            }
            Ends::Fails => Err(()),
            Ends::Panics => resume_unwind(Box::new(())),
        }
    });
    let mut call = Box::pin(call);
    Box::pin(poll_fn(move |cx| {
        catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx).map(drop)))
            .unwrap_or(Poll::Ready(()))
    }))
}

/// Polls once, with the waker of the task that runs this or with none.
async fn once(call: &mut Call<'_>, own_waker: bool) -> bool {
    poll_fn(|cx| {
        let polled = match own_waker {
            true => call.as_mut().poll(cx),
            false => call.as_mut().poll(&mut Context::from_waker(Waker::noop())),
        };
        Poll::Ready(polled.is_ready())
    })
    .await
}

async fn run(cell: &OnceCell<u8>, made: &Cell<u8>, script: &[Step]) {
    let mut kept: Vec<Call<'_>> = Vec::new();
    for step in script {
        match *step {
            Step::Run(ends, turns) => call(cell, made, ends, turns).await,
            Step::Keep(ends, own_waker) => {
                let mut call = call(cell, made, ends, 0);
                if !once(&mut call, own_waker).await {
                    kept.push(call);
                }
            }
            Step::Look => {
                let mut wait: Call<'_> = Box::pin(async { _ = cell.wait().await });
                if !once(&mut wait, true).await {
                    kept.push(wait);
                }
            }
            Step::Poll(index) => {
                if let Some(call) = kept.get_mut(index) {
                    if once(call, true).await {
                        drop(kept.remove(index));
                    }
                }
            }
            Step::Drop(index) => {
                if index < kept.len() {
                    drop(kept.remove(index));
                }
            }
            Step::GiveUp(turns) => {
                let mut call: Call<'_> = Box::pin(async { _ = cell.get_or_init(pending).await });
                once(&mut call, true).await;
                for _ in 0..turns {
                    yield_now().await;
                }
            }
            Step::Set => {
                if cell.try_set(100).is_ok() {
                    made.set(made.get() + 1);
                }
            }
            Step::Yield => yield_now().await,
        }
    }
}

fn check(seed: u64) {
    let program = program(&mut Random(seed));
    let (cell, made) = (OnceCell::new(), Cell::new(0));
    let executor = LocalExecutor::new();
    let tasks: Vec<_> = program
        .iter()
        .map(|script| executor.spawn(run(&cell, &made, script)))
        .collect();
    let polls = (0..POLLS).take_while(|_| executor.try_tick()).count();
    let ended = tasks.iter().filter(|task| task.is_finished()).count();
    assert!(
        ended == tasks.len() && polls < POLLS && made.get() == 1,
        "ANYSYNC_SEED={seed}: after {polls} polls {ended} tasks have ended, and {} values were \
         made: {program:#?}",
        made.get()
    );
}

#[test]
fn programs_end() {
    match std::env::var("ANYSYNC_SEED") {
        Ok(seed) => check(seed.parse().expect("a number")),
        Err(_) => (0..PROGRAMS).for_each(check),
    }
}

/// Many branches, each polled when it alone is woken, that are not polled while the
/// loop's body runs: as `buffered` and `FuturesUnordered` have it.
#[test]
fn branches_that_are_not_polled_stop_no_other() {
    for kept in [1, 63, 64, 65, 1_000] {
        let cell = OnceCell::<u8>::new();
        let executor = LocalExecutor::new();
        let body = executor.spawn(async {
            let mut first = pin!(cell.get_or_try_init(|| async {
                yield_now().await;
                Err::<u8, _>("refused")
            }));
            assert!(smol::future::poll_once(first.as_mut()).await.is_none());
            let mut branches: Vec<Call<'_>> = (0..kept)
                .map(|_| -> Call<'_> { Box::pin(async { _ = cell.get_or_init(|| async { 2 }).await }) })
                .collect();
            for branch in &mut branches {
                assert!(!once(branch, false).await);
            }
            assert_eq!(first.await, Err("refused"));
            for _ in 0..kept {
                let again = cell.get_or_try_init(|| async { Err("again") });
                assert_eq!(again.await, Err("again"));
            }
            assert_eq!(cell.get_or_init(|| async { 3 }).await, &3);
            for branch in &mut branches {
                assert!(once(branch, false).await);
            }
        });
        let polls = (0..100 * kept + 100).take_while(|_| executor.try_tick()).count();
        assert!(body.is_finished(), "{kept} kept, after {polls} polls");
    }
}
