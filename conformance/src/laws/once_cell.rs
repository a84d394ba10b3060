//! The laws of OnceCell.

use std::future::{Future, pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use anysync::{Bare, Block, yield_now};

use crate::backend::Capability::{Spawn, Threads};
use crate::cx::{Cx, Dropped, DynIo, Gate, is_planned, planned_panic};
use crate::erased::BoxFuture;
use crate::law::{About, Law};
use crate::log::yield_thread;
use crate::run;
use crate::subject::{Init, InitFailed, Kind, OnceCellSubject, SetRefused, Subject, Token};
use crate::wakers::{caught, counting, poll, poll_noop};

mod abandoned;

const ONCE_CELL: About = About::Kinds(&[Kind::OnceCell]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "once_cell::initialises_once",
        ONCE_CELL,
        "Of 100 callers one runs its initialiser, and all get the same value.",
        "Let the caller that changes EMPTY to INITIALISING run its own; the others queue and look \
         again when they are woken.",
        run!(initialises_once),
    )
    .because("A pool that is opened twice is two pools.")
    .needs(&[Spawn]),
    Law::must(
        "once_cell::get_is_lock_free_and_ordered",
        ONCE_CELL,
        "get never waits, sees nothing before the value is complete, and then all of it.",
        "Answer get from one Acquire load of the state, and store READY with Release after the \
         value is written, not before.",
        run!(get_is_lock_free_and_ordered),
    )
    .because("A reader that sees the flag before the value reads garbage.")
    .needs(&[Threads]),
    Law::must(
        "once_cell::panicking_init_leaves_it_empty",
        ONCE_CELL,
        "An initialiser that panics leaves the cell empty, and the next who waits runs its own.",
        "Hold the turn in a guard whose drop makes the cell empty and wakes the first in the queue.",
        run!(panicking_init_leaves_it_empty),
    )
    .because("A cell that stays \"initialising\" after a panic hangs everybody.")
    .needs(&[Spawn]),
    Law::must(
        "once_cell::cancelled_init_passes_the_turn",
        ONCE_CELL,
        "When a call is dropped while it initialises, the next who waits runs its own.",
        "Give the turn on when the future is dropped, also when it had got the turn and was not \
         polled since.",
        run!(cancelled_init_passes_the_turn),
    )
    .because("The request that opens the pool is the one whose client goes away.")
    .seen_in(&["microsoft/intelligent-terminal#848"])
    .needs(&[Spawn]),
    Law::must(
        "once_cell::failed_init_passes_the_turn",
        ONCE_CELL,
        "An initialiser that fails gives its error to its own caller, and the next runs its own.",
        "On an error make the cell empty and wake the first in the queue before you return it.",
        run!(failed_init_passes_the_turn),
    )
    .because("The first connection failed; the second caller has to try, and not to sleep."),
    Law::must(
        "once_cell::set_wins_or_gives_back",
        ONCE_CELL,
        "set stores its value in an empty cell; else it says why not, and gives the value back.",
        "Let set compete for the change out of EMPTY like everybody else; return the value with \
         the error.",
        run!(set_wins_or_gives_back),
    )
    .because("A value that cannot be set is a resource that its owner wants back.")
    .needs(&[Threads]),
    Law::must(
        "once_cell::cancelled_waiter_does_not_cancel_init",
        ONCE_CELL,
        "A caller that waits and is dropped disturbs neither the initialiser nor the others.",
        "Let the drop of a queued wait take its own node out of the queue, and nothing else.",
        run!(cancelled_waiter_does_not_cancel_init),
    )
    .because("One impatient caller must not stop the work for all."),
    Law::must(
        "once_cell::drops_its_value_once",
        ONCE_CELL,
        "A value is dropped once: with its cell, or by whoever took it or got it back.",
        "Drop the value in the drop of a cell that is READY; let `take` make the cell EMPTY.",
        run!(drops_its_value_once),
    )
    .because("Twice is memory unsafety, never is a leak."),
    Law::must(
        "once_cell::wait_for_its_own_cell_may_be_bounded",
        ONCE_CELL,
        "An initialiser that waits for its own cell may give that wait up and go on, or be given \
         up itself: it is no error.",
        "Let a wait inside the initialiser queue as any other; whether a timeout or another branch \
         ends it cannot be known from within.",
        run!(wait_for_its_own_cell_may_be_bounded),
    )
    .because(
        "A lookup with a timeout and a fallback, which the initialiser itself uses, is to fall \
         back there and not to panic.",
    ),
    Law::should(
        "once_cell::abandoned_turn_goes_on",
        ONCE_CELL,
        "When an initialiser fails, panics or is dropped, and the call that has the turn next is \
         kept and not polled, another call that is polled initialises after a bounded number of \
         polls; a value from outside ends them all.",
        "Let a call that meets a turn which nobody has begun wake itself, and take the turn when it \
         has met it several times.",
        run!(abandoned::abandoned_turn_goes_on),
    )
    .because(
        "A `select` of two calls, of which the first fails, keeps the second, which has the turn: \
         the task's next call waits for it for ever.",
    )
    .once(),
];

/// An initialiser that is ready when it is polled.
fn make<'a>(number: u64) -> Init<'a> {
    Box::pin(async move { Token::new(number) })
}

/// An initialiser that is never ready.
fn never<'a>() -> Init<'a> {
    Box::pin(pending())
}

/// An initialiser that counts its runs, and is pending until it is to end.
fn slow<'a>(number: u64, runs: &Arc<AtomicUsize>, end: &Arc<AtomicBool>) -> Init<'a> {
    let (runs, end) = (Arc::clone(runs), Arc::clone(end));
    Box::pin(async move {
        runs.fetch_add(1, Ordering::SeqCst);
        until_set(&end).await;
        Token::new(number)
    })
}

/// Is pending until `flag` is set; whoever sets it polls again.
async fn until_set(flag: &AtomicBool) {
    poll_fn(|_| match flag.load(Ordering::SeqCst) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

fn assert_empty(cell: &dyn OnceCellSubject) {
    assert!(!cell.is_initialized(), "it says that it is initialised");
    assert!(cell.get().is_none(), "it has a value");
}

/// The number of the value with which `wait` ends at once.
fn ready_number(wait: &mut BoxFuture<'_, &Token>, waker: &Waker, what: &str) -> u64 {
    match poll(wait.as_mut(), waker) {
        Poll::Ready(value) => value.number(),
        Poll::Pending => panic!("{what} is still waiting"),
    }
}

fn assert_pending<F: Future + ?Sized>(wait: std::pin::Pin<&mut F>, waker: &Waker, what: &str) {
    assert!(poll(wait, waker).is_pending(), "{what} does not wait");
}

async fn initialises_once(cx: Cx, subject: Arc<dyn Subject>) {
    for with_closures in [false, true] {
        let cell = subject.once_cell();
        let runs = Arc::new(AtomicUsize::new(0));
        let call = |caller: u64, io: DynIo| {
            let (cell, runs) = (Arc::clone(&cell), Arc::clone(&runs));
            async move {
                let value = if with_closures {
                    let init = move || {
                        runs.fetch_add(1, Ordering::SeqCst);
                        std::thread::yield_now();
                        Token::new(caller)
                    };
                    cell.get_or_init_now(&io, Box::new(init)).await
                } else {
                    let init = async move {
                        runs.fetch_add(1, Ordering::SeqCst);
                        for _ in 0..3 {
                            yield_now().await;
                        }
                        Token::new(caller)
                    };
                    cell.get_or_init(&io, Box::pin(init)).await
                };
                (std::ptr::from_ref(value).addr(), value.number())
            }
        };
        let mut threads = Vec::new();
        if cx.has(Threads) {
            for caller in 100..104 {
                let call = call(caller, DynIo::bare());
                threads.push(cx.thread(format!("caller {caller}"), || Bare.block_on(call)));
            }
        }
        let tasks: Vec<_> = (0..100)
            .map(|caller| cx.spawn(format!("caller {caller}"), call(caller, cx.io())))
            .collect();
        let mut seen = Vec::new();
        for task in tasks {
            seen.push(task.join().await);
        }
        for thread in threads {
            seen.push(thread.join().await);
        }
        let runs = runs.load(Ordering::SeqCst);
        assert_eq!(runs, 1, "so many initialisers have run");
        let first = seen[0];
        assert!(
            seen.iter().all(|other| *other == first),
            "callers got different values: {seen:?}"
        );
    }
}

async fn get_is_lock_free_and_ordered(cx: Cx, subject: Arc<dyn Subject>) {
    sees_nothing_early(&cx, &*subject.once_cell());

    // An initialiser that blocks its thread holds up nobody who only looks.
    let cell = subject.once_cell();
    let (inside, looked) = (Gate::new(), Gate::new());
    let initialiser = {
        let (cell, inside, looked) = (Arc::clone(&cell), inside.clone(), looked.clone());
        cx.thread("who initialises", move || {
            let init = move || {
                inside.open();
                looked.wait_blocking();
                Token::new(1)
            };
            let number = Bare.block_on(async {
                let io = DynIo::bare();
                cell.get_or_init_now(&io, Box::new(init)).await.number()
            });
            assert_eq!(number, 1);
        })
    };
    cx.waiting("the initialiser to begin", inside.passed())
        .await;
    let looker = {
        let cell = Arc::clone(&cell);
        cx.thread("who only looks", move || {
            assert_empty(&*cell);
            looked.open();
        })
    };
    looker.join().await;
    initialiser.join().await;

    // Who sees the value sees what was written before it.
    for round in 1..=20 {
        let cell = subject.once_cell();
        let written = Arc::new(AtomicU64::new(0));
        let readers: Vec<_> = (0..2)
            .map(|reader| {
                let (cell, written) = (Arc::clone(&cell), Arc::clone(&written));
                cx.thread(format!("reader {reader}"), move || {
                    let value = loop {
                        match cell.get() {
                            Some(value) => break value,
                            None => yield_thread(),
                        }
                    };
                    assert_eq!(value.number(), round);
                    assert_eq!(
                        written.load(Ordering::Relaxed),
                        round,
                        "the value is there, and what was written before it is not"
                    );
                })
            })
            .collect();
        let init = async move {
            written.store(round, Ordering::Relaxed);
            Token::new(round)
        };
        cell.get_or_init(&cx.io(), Box::pin(init)).await;
        for reader in readers {
            reader.join().await;
        }
    }
}

/// Looks at a cell before, inside and after its initialiser.
fn sees_nothing_early(cx: &Cx, cell: &dyn OnceCellSubject) {
    let io = cx.io();
    assert_empty(cell);
    let end = AtomicBool::new(false);
    let init = async {
        assert_empty(cell);
        until_set(&end).await;
        assert_empty(cell);
        Token::new(1)
    };
    let mut call = cell.get_or_init(&io, Box::pin(init));
    assert_pending(
        call.as_mut(),
        Waker::noop(),
        "a call whose initialiser waits",
    );
    assert_empty(cell);
    end.store(true, Ordering::SeqCst);
    assert_eq!(ready_number(&mut call, Waker::noop(), "the caller"), 1);
    assert!(cell.is_initialized());
    assert_eq!(cell.get().map(Token::number), Some(1));
}

async fn panicking_init_leaves_it_empty(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    // At its first poll, with nobody waiting.
    let cell = subject.once_cell();
    let mut call = cell.get_or_init(&io, Box::pin(async { planned_panic() }));
    let panic = caught(|| poll_noop(call.as_mut()).is_ready()).expect_err("it panics");
    assert!(is_planned(&*panic), "the panic is that of the initialiser");
    assert_empty(&*cell);
    drop(call);
    let mut call = cell.get_or_init_now(&io, Box::new(|| planned_panic()));
    assert!(caught(|| poll_noop(call.as_mut()).is_ready()).is_err());
    drop(call);
    assert_empty(&*cell);
    let mut later = cell.get_or_init(&io, make(2));
    assert_eq!(ready_number(&mut later, Waker::noop(), "a later call"), 2);
    drop(later);

    // At a later poll, with others in the queue.
    let cell = subject.once_cell();
    let end = AtomicBool::new(false);
    let init = async {
        until_set(&end).await;
        planned_panic()
    };
    let mut call = cell.get_or_init(&io, Box::pin(init));
    assert_pending(call.as_mut(), Waker::noop(), "the first");
    let (wakes, waker) = counting();
    let mut second = cell.get_or_init(&io, make(2));
    let mut third = cell.get_or_init(&io, make(3));
    assert_pending(second.as_mut(), &waker, "the second");
    assert_pending(third.as_mut(), Waker::noop(), "the third");
    end.store(true, Ordering::SeqCst);
    assert!(caught(|| poll_noop(call.as_mut()).is_ready()).is_err());
    assert_empty(&*cell);
    assert!(wakes.count() >= 1, "the next is not woken");
    assert_eq!(ready_number(&mut second, &waker, "the second"), 2);
    assert_eq!(ready_number(&mut third, Waker::noop(), "the third"), 2);
    drop((call, second, third));

    // In a task.
    let cell = subject.once_cell();
    let panics = {
        let (cell, io) = (Arc::clone(&cell), cx.io());
        cx.spawn_queued("who panics", async move {
            let init = async {
                yield_now().await;
                planned_panic()
            };
            cell.get_or_init(&io, Box::pin(init)).await;
        })
        .await
    };
    let next = {
        let (cell, io) = (Arc::clone(&cell), cx.io());
        cx.spawn("the next", async move {
            cell.get_or_init(&io, make(4)).await.number()
        })
    };
    let error = panics.await.expect_err("the task has panicked");
    let payload = error.try_into_panic().expect("the task has panicked");
    assert!(
        is_planned(&*payload),
        "the panic is that of the initialiser"
    );
    assert_eq!(next.join().await, 4);
}

async fn cancelled_init_passes_the_turn(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let cell = subject.once_cell();
    let mut first = cell.get_or_init(&io, never());
    assert_pending(first.as_mut(), Waker::noop(), "the first");
    let (second_wakes, second_waker) = counting();
    let (third_wakes, third_waker) = counting();
    let mut second = cell.get_or_init(&io, make(2));
    let mut third = cell.get_or_init(&io, make(3));
    let mut fourth = cell.get_or_init(&io, make(4));
    assert_pending(second.as_mut(), &second_waker, "the second");
    assert_pending(third.as_mut(), &third_waker, "the third");
    assert_pending(fourth.as_mut(), Waker::noop(), "the fourth");
    drop(first);
    assert!(second_wakes.count() >= 1, "the turn went to nobody");
    assert_empty(&*cell);
    // The one that has the turn goes, too.
    drop(second);
    assert!(third_wakes.count() >= 1, "an unused turn went to nobody");
    assert_eq!(ready_number(&mut third, &third_waker, "the third"), 3);
    assert_eq!(ready_number(&mut fourth, Waker::noop(), "the fourth"), 3);

    // With nobody waiting the cell is empty.
    let cell = subject.once_cell();
    let mut call = cell.get_or_init(&io, never());
    assert_pending(call.as_mut(), Waker::noop(), "the first");
    drop(call);
    let mut later = cell.get_or_init(&io, make(5));
    assert_eq!(ready_number(&mut later, Waker::noop(), "a later call"), 5);
    drop(later);

    // A task that is aborted.
    let cell = subject.once_cell();
    let aborted = {
        let (cell, io) = (Arc::clone(&cell), cx.io());
        cx.spawn_queued("who is aborted", async move {
            cell.get_or_init(&io, never()).await;
        })
        .await
    };
    let next = {
        let (cell, io) = (Arc::clone(&cell), cx.io());
        cx.spawn_queued("the next", async move {
            cell.get_or_init(&io, make(6)).await.number()
        })
        .await
    };
    aborted.abort();
    assert_eq!(next.join().await, 6);
    let error = aborted.await.expect_err("the task was aborted");
    assert!(error.is_cancelled());
}

async fn failed_init_passes_the_turn(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let cell = subject.once_cell();
    let end = AtomicBool::new(false);
    let init = async {
        until_set(&end).await;
        Err(InitFailed)
    };
    let mut first = cell.get_or_try_init(&io, Box::pin(init));
    assert_pending(first.as_mut(), Waker::noop(), "the first");
    let (wakes, waker) = counting();
    let mut second = cell.get_or_try_init(&io, Box::pin(async { Ok(Token::new(2)) }));
    let mut third = cell.get_or_init(&io, make(3));
    assert_pending(second.as_mut(), &waker, "the second");
    assert_pending(third.as_mut(), Waker::noop(), "the third");
    end.store(true, Ordering::SeqCst);
    match poll_noop(first.as_mut()) {
        Poll::Ready(Err(InitFailed)) => {}
        other => panic!("the caller of a failed initialiser has {other:?}"),
    }
    assert_empty(&*cell);
    assert!(wakes.count() >= 1, "the next is not woken");
    match poll(second.as_mut(), &waker) {
        Poll::Ready(Ok(value)) => assert_eq!(value.number(), 2),
        other => panic!("the next has {other:?}"),
    }
    assert_eq!(ready_number(&mut third, Waker::noop(), "the third"), 2);
    drop((first, second, third));

    let cell = subject.once_cell();
    for _ in 0..2 {
        let call = cell.get_or_try_init(&io, Box::pin(async { Err(InitFailed) }));
        let result = cx.waiting("an initialiser that fails", call).await;
        assert!(result.is_err(), "an error made a value");
        assert_empty(&*cell);
    }
    let value = cx
        .waiting("a call after errors", cell.get_or_init(&io, make(4)))
        .await;
    assert_eq!(value.number(), 4);
}

async fn set_wins_or_gives_back(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    let cell = subject.once_cell();
    assert!(cell.set(Token::new(1)).is_ok(), "an empty cell refused");
    assert_eq!(cell.get().map(Token::number), Some(1));
    match cell.set(Token::new(2)) {
        Err(SetRefused::AlreadyInitialized(value)) => assert_eq!(value.number(), 2),
        other => panic!("set on an initialised cell: {other:?}"),
    }
    assert_eq!(cell.get().map(Token::number), Some(1), "the first stays");
    let mut call = cell.get_or_init(&io, never());
    assert_eq!(ready_number(&mut call, Waker::noop(), "a caller"), 1);
    drop(call);

    // While an initialiser runs, it is the initialiser's.
    let cell = subject.once_cell();
    let (runs, end) = (Arc::default(), Arc::default());
    let mut call = cell.get_or_init(&io, slow(3, &runs, &end));
    assert_pending(call.as_mut(), Waker::noop(), "the first");
    match cell.set(Token::new(4)) {
        Err(SetRefused::Initializing(value)) => assert_eq!(value.number(), 4),
        other => panic!("set on an initialising cell: {other:?}"),
    }
    assert_empty(&*cell);
    end.store(true, Ordering::SeqCst);
    assert_eq!(ready_number(&mut call, Waker::noop(), "the first"), 3);
    drop(call);

    // Who waits for somebody else's value is woken.
    let cell = subject.once_cell();
    let (wakes, waker) = counting();
    if let Some(mut wait) = cell.wait(&io) {
        assert_pending(wait.as_mut(), &waker, "who waits for a value");
        assert!(cell.set(Token::new(5)).is_ok());
        assert!(wakes.count() >= 1, "the one that waits is not woken");
        assert_eq!(ready_number(&mut wait, &waker, "who waits"), 5);
    }

    // Of several at once one wins.
    for _ in 0..10 {
        let cell = subject.once_cell();
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let cell = Arc::clone(&cell);
                cx.thread(format!("setter {number}"), move || {
                    match cell.set(Token::new(number)) {
                        Ok(()) => Some(number),
                        Err(
                            SetRefused::AlreadyInitialized(value) | SetRefused::Initializing(value),
                        ) => {
                            assert_eq!(value.number(), number, "another's value");
                            None
                        }
                    }
                })
            })
            .collect();
        let mut winners = Vec::new();
        for thread in threads {
            winners.extend(thread.join().await);
        }
        assert_eq!(winners.len(), 1, "so many were told that they have won");
        assert_eq!(cell.get().map(Token::number), Some(winners[0]));
    }
}

async fn cancelled_waiter_does_not_cancel_init(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let cell = subject.once_cell();
    let (runs, end) = (Arc::default(), Arc::default());
    let mut first = cell.get_or_init(&io, slow(1, &runs, &end));
    assert_pending(first.as_mut(), Waker::noop(), "the first");
    let mut others: Vec<_> = (2..7)
        .map(|number| cell.get_or_init(&io, slow(number, &runs, &end)))
        .collect();
    let (wakes, waker) = counting();
    for other in &mut others {
        assert_pending(other.as_mut(), &waker, "a caller that is not the first");
    }
    // The first, the last and one in the middle of the queue.
    for gone in [4, 2, 0] {
        drop(others.remove(gone));
        assert_pending(first.as_mut(), Waker::noop(), "the first");
        for other in &mut others {
            assert_pending(other.as_mut(), &waker, "a caller that is not the first");
        }
        assert_empty(&*cell);
    }
    assert_eq!(
        runs.load(Ordering::SeqCst),
        1,
        "so many initialisers are running"
    );
    assert_eq!(wakes.count(), 0, "a cancelled wait woke another");
    end.store(true, Ordering::SeqCst);
    assert_eq!(ready_number(&mut first, Waker::noop(), "the first"), 1);
    assert!(wakes.count() >= 1, "nobody of those that wait is woken");
    for other in &mut others {
        assert_eq!(ready_number(other, &waker, "one that waited"), 1);
    }
}

async fn drops_its_value_once(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    let cell = subject.once_cell();
    let (dropped, refused) = (Dropped::new(), Dropped::new());
    let init = async { Token::counted(1, &dropped) };
    let value = cell.get_or_init(&io, Box::pin(init)).await;
    value.number();
    drop(cell.set(Token::counted(2, &refused)));
    assert_eq!(refused.count(), 1, "the value that was given back");
    // An initialiser that is not needed is dropped unused.
    let spare = Token::counted(3, &refused);
    let call = cell.get_or_init(&io, Box::pin(async move { spare }));
    call.await.number();
    assert_eq!(refused.count(), 2, "the value of an initialiser not run");
    assert_eq!(dropped.count(), 0, "the value goes before its cell");
    drop(cell);
    assert_eq!(dropped.count(), 1, "the value of a cell that is gone");

    let mut cell = subject.once_cell();
    let dropped = Dropped::new();
    assert!(cell.set(Token::counted(4, &dropped)).is_ok());
    let own = Arc::get_mut(&mut cell).expect("the cell has one owner");
    let taken = own.take().expect("it has a value");
    assert_eq!(taken.number(), 4);
    assert_eq!(dropped.count(), 0, "a value that was taken");
    assert_empty(own);
    assert!(own.take().is_none(), "a value was taken twice");
    drop(cell);
    assert_eq!(dropped.count(), 0, "a cell dropped what was taken from it");
    drop(taken);
    assert_eq!(dropped.count(), 1);

    // The value of an initialiser that was cancelled, panicked or failed.
    let cell = subject.once_cell();
    let dropped = Dropped::new();
    let held = Token::counted(5, &dropped);
    let mut call = cell.get_or_init(
        &io,
        Box::pin(async move {
            let _held = held;
            pending().await
        }),
    );
    assert_pending(call.as_mut(), Waker::noop(), "the first");
    drop(call);
    assert_eq!(dropped.count(), 1, "what a cancelled initialiser held");
    drop(cell);
    assert_eq!(dropped.count(), 1);
}

async fn wait_for_its_own_cell_may_be_bounded(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();

    // The initialiser gives the wait up, and goes on.
    let cell = subject.once_cell();
    let init = async {
        let mut inner = cell.get_or_init(&io, make(2));
        for _ in 0..3 {
            let waits = poll_fn(|cx| Poll::Ready(inner.as_mut().poll(cx).is_pending())).await;
            assert!(waits, "an initialiser got the value that it was to make");
            yield_now().await;
        }
        drop(inner);
        Token::new(1)
    };
    let call = cell.get_or_init(&io, Box::pin(init));
    let value = cx.waiting("an initialiser that goes on", call).await;
    assert_eq!(value.number(), 1);

    // It is given up with its initialiser.
    let cell = subject.once_cell();
    let init = async { Token::new(cell.get_or_init(&io, make(2)).await.number()) };
    let mut call = cell.get_or_init(&io, Box::pin(init));
    let (_, waker) = counting();
    for _ in 0..2 {
        assert_pending(
            call.as_mut(),
            &waker,
            "an initialiser that waits for itself",
        );
    }
    drop(call);
    assert_empty(&*cell);
    let mut later = cell.get_or_init(&io, make(3));
    assert_eq!(ready_number(&mut later, &waker, "a later call"), 3);
}
