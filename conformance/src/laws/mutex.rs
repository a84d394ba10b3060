//! The laws of Mutex.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use anysync::{Bare, Block, yield_now};

use super::hand::Hand;
use crate::backend::Capability::{Spawn, Threads};
use crate::cx::{Cx, DynIo, is_planned, planned_panic};
use crate::erased::BoxFuture;
use crate::law::{About, Law};
use crate::run;
use crate::subject::{Guard, Kind, MutexSubject, Promise, Subject};
use crate::wakers::{caught, counting, poll, poll_noop};

mod shared;

const MUTEX: About = About::Kinds(&[Kind::Mutex]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "mutex::excludes",
        MUTEX,
        "One holder at a time, whoever and wherever the others are.",
        "Make a guard only for who changed the state from free to held, or was handed the lock; \
         release with Release, take with Acquire.",
        run!(excludes),
    )
    .because("It is what a mutex is for.")
    .needs(&[Spawn]),
    Law::must(
        "mutex::unlocks_on_drop_and_unwind",
        MUTEX,
        "A guard unlocks when it is dropped: on any thread, and by a panic that unwinds.",
        "Unlock in the guard's drop, whether the thread panics or not, and bind the guard to no \
         thread.",
        run!(unlocks_on_drop_and_unwind),
    )
    .because(
        "A task that panics, or is moved to another thread and dropped there, must not keep \
         the lock.",
    )
    .needs(&[Spawn]),
    Law::must(
        "mutex::try_lock_never_waits",
        MUTEX,
        "try_lock answers at once, takes a free lock, and leaves nothing behind when it fails.",
        "Make it one compare-exchange from free to held: no queue, no inner lock to wait for.",
        run!(try_lock_never_waits),
    )
    .because("It is called where waiting is forbidden.")
    .needs(&[Threads]),
    Law::must(
        "mutex::is_fifo",
        MUTEX,
        "The lock is served in the order of the first polls.",
        "Queue at the first poll, push at the end, hand over to the front; a spurious poll keeps \
         its place.",
        run!(is_fifo),
    )
    .because("Who was first and is served last has a latency that no average shows.")
    .seen_in(&["tokio-rs/tokio#8371"])
    .needs(&[Spawn])
    .promised(Promise::FifoMutex),
    Law::must(
        "mutex::starves_nobody",
        MUTEX,
        "Who waits gets the lock, however often others unlock and lock again.",
        "Hand the lock over, or have newcomers stand back once somebody has waited for long.",
        run!(starves_nobody),
    )
    .because(
        "A loop that unlocks and locks again may keep the lock for ever, and everybody else \
         out.",
    )
    .seen_in(&["rust-lang/futures-rs#2071", "rust-lang/futures-rs#2073"])
    .needs(&[Spawn]),
    Law::must(
        "mutex::no_barging_past_a_queue",
        MUTEX,
        "A lock that is handed to the first in the queue is taken by nobody else, however late \
         that one comes for it.",
        "With somebody queued, an unlock leaves the state held and names the next holder.",
        run!(no_barging_past_a_queue),
    )
    .because(
        "A handed-over lock that a newcomer takes breaks the order, and starves whoever is \
         slow to be scheduled.",
    )
    .seen_in(&["rust-lang/futures-rs#2071"])
    .promised(Promise::FifoMutex),
    Law::must(
        "mutex::owned_guard_keeps_the_lock_alive",
        MUTEX,
        "A wait and a guard that own a share of the lock keep it, and let go of it when they end.",
        "Keep the Arc in the wait and in the guard, and drop it after the unlock.",
        run!(shared::owned_guard_keeps_the_lock_alive),
    )
    .because("A guard that outlives its lock writes to freed memory.")
    .needs(&[Spawn])
    .promised(Promise::OwnedMutexGuard),
    Law::must(
        "mutex::mapped_guard_unlocks_once",
        MUTEX,
        "A guard that is mapped to a part holds the lock until it is dropped, and unlocks once.",
        "Take the unlock out of the guard when it is mapped; when the closure panics, the guard \
         unlocks.",
        run!(shared::mapped_guard_unlocks_once),
    )
    .because(
        "An unlock too many lets a second one in beside somebody's guard; its types are \
         easily unsound.",
    )
    .seen_in(&["rust-lang/futures-rs#2239", "tokio-rs/tokio#3344"])
    .promised(Promise::MappedMutexGuard),
    Law::should(
        "mutex::granted_but_unpolled_does_not_block_its_own_task",
        MUTEX,
        "A task that leaves a wait unpolled after the lock was handed to it, and waits for the \
         same lock elsewhere, gets it there after a few turns.",
        "When the lock is granted and not yet taken, let a wait that meets that grant wake itself; \
         when it meets it again and again, pass the lock on, and put the former back at the front.",
        run!(granted_but_unpolled_does_not_block_its_own_task),
    )
    .because(
        "The lock is granted to a future of the task that the task does not poll while it \
         waits for the same lock elsewhere: \"futurelock\".",
    )
    .seen_in(&[
        "tokio-rs/tokio#6450",
        "smol-rs/async-lock#91",
        "tokio-rs/tokio#7892",
        "asomers/futures-locks#3",
    ]),
];

fn assert_pending<F: Future + ?Sized>(wait: Pin<&mut F>, waker: &Waker, what: &str) {
    assert!(poll(wait, waker).is_pending(), "{what} has the lock");
}

fn locked<'a>(wait: &mut BoxFuture<'a, Guard<'a>>, waker: &Waker, what: &str) -> Guard<'a> {
    match poll(wait.as_mut(), waker) {
        Poll::Ready(guard) => guard,
        Poll::Pending => panic!("{what} does not get the lock"),
    }
}

fn take<'a>(mutex: &'a dyn MutexSubject, when: &str) -> Guard<'a> {
    match mutex.try_lock() {
        Some(guard) => guard,
        None => panic!("the lock is not free {when}"),
    }
}

fn assert_queued(mutex: &dyn MutexSubject, count: usize) {
    if let Some(queued) = mutex.waiter_count() {
        assert_eq!(queued, count, "so many are queued");
    }
}

async fn excludes(cx: Cx, subject: Arc<dyn Subject>) {
    let mutex = subject.mutex();

    // Nobody gets past one that holds it.
    let guard = take(&*mutex, "at first");
    let mut tasks = Vec::new();
    for number in 0..3 {
        let (mutex, io) = (Arc::clone(&mutex), cx.io());
        let task = async move { mutex.lock(&io).await.push(number) };
        tasks.push(cx.spawn_queued(format!("waiter {number}"), task).await);
    }
    assert!(mutex.try_lock().is_none(), "try_lock took a held lock");
    cx.yield_turns(5).await;
    assert!(
        guard.is_empty(),
        "somebody wrote while another had the lock"
    );
    drop(guard);
    for task in tasks {
        task.join().await;
    }

    // Everybody reads, lets the others run, and writes.
    const ROUNDS: u64 = 25;
    let inside = Arc::new(AtomicBool::new(false));
    let work = |yields: usize, io: DynIo| {
        let (mutex, inside) = (Arc::clone(&mutex), Arc::clone(&inside));
        async move {
            for _ in 0..ROUNDS {
                let mut list = mutex.lock(&io).await;
                let alone = !inside.swap(true, Ordering::Relaxed);
                assert!(alone, "two have the lock");
                let mut copy = list.clone();
                for _ in 0..yields {
                    yield_now().await;
                }
                copy.push(0);
                **list = copy;
                inside.store(false, Ordering::Relaxed);
                drop(list);
            }
        }
    };
    let mut threads = Vec::new();
    if cx.has(Threads) {
        for number in 0..2 {
            let work = work(number, DynIo::bare());
            threads.push(cx.thread(format!("thread {number}"), || Bare.block_on(work)));
        }
    }
    let tasks: Vec<_> = (0..6)
        .map(|number| cx.spawn(format!("task {number}"), work(number % 3, cx.io())))
        .collect();
    let total = 3 + ROUNDS as usize * (tasks.len() + threads.len());
    for task in tasks {
        task.join().await;
    }
    for thread in threads {
        thread.join().await;
    }
    let list = take(&*mutex, "after everybody has gone");
    assert_eq!(list.len(), total, "writes were lost");
}

async fn unlocks_on_drop_and_unwind(cx: Cx, subject: Arc<dyn Subject>) {
    let mutex = subject.mutex();
    drop(take(&*mutex, "at first"));
    drop(take(&*mutex, "after a guard is dropped"));

    let unwound = caught(|| {
        let _guard = take(&*mutex, "after a guard is dropped");
        planned_panic();
    });
    assert!(is_planned(&*unwound.expect_err("it panics")));
    let guard = take(&*mutex, "after a panic has unwound");

    // With somebody waiting, by a panic.
    let io = cx.io();
    let (wakes, waker) = counting();
    let mut wait = mutex.lock(&io);
    assert_pending(wait.as_mut(), &waker, "who waits");
    let unwound = caught(move || {
        let _guard = guard;
        planned_panic();
    });
    assert!(unwound.is_err());
    assert!(wakes.count() >= 1, "a panic woke nobody");
    let guard = locked(&mut wait, &waker, "who waits while another panics");

    // On another thread.
    let mut wait = mutex.lock(&io);
    assert_pending(wait.as_mut(), &waker, "who waits");
    let woken = wakes.count();
    if cx.has(Threads) {
        std::thread::scope(|scope| {
            scope.spawn(move || drop(guard));
        });
    } else {
        drop(guard);
    }
    assert!(wakes.count() > woken, "a drop elsewhere woke nobody");
    drop(locked(&mut wait, &waker, "who waits"));

    // In a task that panics with the guard in hand, and one that is aborted.
    for aborted in [false, true] {
        let holder = {
            let (mutex, io) = (Arc::clone(&mutex), cx.io());
            cx.spawn_queued("holder", async move {
                let _guard = mutex.lock(&io).await;
                yield_now().await;
                if aborted {
                    std::future::pending::<()>().await;
                }
                planned_panic();
            })
            .await
        };
        let next = {
            let (mutex, io) = (Arc::clone(&mutex), cx.io());
            cx.spawn("the next", async move {
                drop(mutex.lock(&io).await);
            })
        };
        if aborted {
            holder.abort();
        }
        next.join().await;
        let error = holder.await.expect_err("the holder did not end by itself");
        assert_eq!(error.is_cancelled(), aborted);
    }
    drop(take(&*mutex, "at the end"));
}

async fn try_lock_never_waits(cx: Cx, subject: Arc<dyn Subject>) {
    let mutex = subject.mutex();
    let io = cx.io();
    let guard = take(&*mutex, "at first");
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    let other = Arc::clone(&mutex);
    cx.thread("who tries", move || {
        assert!(other.try_lock().is_none(), "the lock was taken twice");
    })
    .join()
    .await;
    assert_queued(&*mutex, 0);
    drop(guard);
    let guard = take(&*mutex, "after those who tried in vain");

    // Nor does it disturb those who wait.
    let (wakes, waker) = counting();
    let mut wait = mutex.lock(&io);
    assert_pending(wait.as_mut(), &waker, "who waits");
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    assert_queued(&*mutex, 1);
    drop(guard);
    assert!(wakes.count() >= 1, "an unlock woke nobody");
    let guard = locked(&mut wait, &waker, "who waited");
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    drop(guard);
    drop(take(&*mutex, "at the end"));
}

async fn is_fifo(cx: Cx, subject: Arc<dyn Subject>) {
    // Tasks, each queued before the next is started.
    let mutex = subject.mutex();
    let guard = take(&*mutex, "at first");
    let mut tasks = Vec::new();
    for number in 0..10 {
        let (mutex, io) = (Arc::clone(&mutex), cx.io());
        let task = async move { mutex.lock(&io).await.push(number) };
        tasks.push(cx.spawn_queued(format!("waiter {number}"), task).await);
    }
    drop(guard);
    for task in tasks {
        task.join().await;
    }
    let order = take(&*mutex, "at the end").clone();
    assert_eq!(order, (0..10).collect::<Vec<u64>>(), "the order of service");

    // By hand: some are polled for nothing, and some leave. No two polls have
    // one waker, or the waits would be those of one task; all wakers are kept,
    // for two at one address are one.
    let mut rng = cx.rng();
    let mut wakers = Vec::new();
    let mut fresh = || {
        let (_, waker) = counting();
        wakers.push(waker.clone());
        waker
    };
    let mutex = subject.mutex();
    let io = DynIo::bare();
    let guard = take(&*mutex, "at first");
    let mut waits: Vec<_> = (0..20).map(|number| (number, mutex.lock(&io))).collect();
    for (_, wait) in &mut waits {
        assert_pending(wait.as_mut(), &fresh(), "who waits");
    }
    for _ in 0..10 {
        let place = rng.pick(0..waits.len());
        if rng.coin() {
            drop(waits.remove(place));
        } else {
            assert_pending(waits[place].1.as_mut(), &fresh(), "who waits");
        }
    }
    assert_queued(&*mutex, waits.len());
    drop(guard);
    while !waits.is_empty() {
        // The lock is handed to the first, and to nobody else.
        for (number, wait) in waits.iter_mut().skip(1) {
            let who = format!("{number}, which is not next");
            assert_pending(wait.as_mut(), &fresh(), &who);
        }
        let (number, mut first) = waits.remove(0);
        if rng.pick(0..4) == 0 {
            // Gone with the lock: it goes to the next.
            drop(first);
            continue;
        }
        drop(locked(
            &mut first,
            &fresh(),
            &format!("{number}, which is next"),
        ));
    }
    drop(take(&*mutex, "after everybody has gone"));
}

/// Far more turns than anybody needs who is fair at all.
const TURNS: usize = 20_000;

async fn starves_nobody(cx: Cx, subject: Arc<dyn Subject>) {
    // By hand: whoever unlocks asks again before the other is polled.
    let mutex = subject.mutex();
    let io = DynIo::bare();
    let (wakes, waker) = counting();
    let mut guard = Some(take(&*mutex, "at first"));
    let mut victim = mutex.lock(&io);
    assert_pending(victim.as_mut(), &waker, "who waits");
    let mut seen = 0;
    let mut turns = 0;
    while guard.is_some() {
        assert!(turns < TURNS, "it waits for {turns} turns of another");
        turns += 1;
        guard = None;
        let mut greedy = mutex.lock(&io);
        if let Poll::Ready(again) = poll_noop(greedy.as_mut()) {
            guard = Some(again);
        }
        if wakes.count() > seen {
            seen = wakes.count();
            if let Poll::Ready(own) = poll(victim.as_mut(), &waker) {
                assert!(guard.is_none(), "two have the lock");
                drop(own);
                break;
            }
        }
        if guard.is_none() {
            panic!("the lock is free, and neither of the two gets it");
        }
    }
    drop(guard);
    drop(victim);

    // In tasks. A thread that is woken may get no processor for many turns of those
    // that have one.
    let soonest = match cx.has(Threads) {
        true => Duration::from_secs(1),
        false => Duration::ZERO,
    };
    for round in 0..5 {
        let (mutex, start) = (subject.mutex(), Instant::now());
        let (waits, done) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let turns = Arc::new(AtomicUsize::new(0));
        let greedy: Vec<_> = (0..2)
            .map(|number| {
                let (mutex, io) = (Arc::clone(&mutex), cx.io());
                let (waits, done) = (Arc::clone(&waits), Arc::clone(&done));
                let turns = Arc::clone(&turns);
                cx.spawn(format!("greedy {number}, round {round}"), async move {
                    while !done.load(Ordering::SeqCst)
                        && (turns.load(Ordering::SeqCst) < TURNS || start.elapsed() < soonest)
                    {
                        let guard = mutex.lock(&io).await;
                        yield_now().await;
                        if waits.load(Ordering::SeqCst) && !done.load(Ordering::SeqCst) {
                            turns.fetch_add(1, Ordering::SeqCst);
                        }
                        drop(guard);
                    }
                })
            })
            .collect();
        let victim = {
            let (mutex, io) = (Arc::clone(&mutex), cx.io());
            let (waits, done) = (Arc::clone(&waits), Arc::clone(&done));
            cx.spawn("the patient one", async move {
                let mut wait = mutex.lock(&io);
                let first = std::future::poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await;
                waits.store(true, Ordering::SeqCst);
                let guard = match first {
                    Poll::Ready(guard) => guard,
                    Poll::Pending => wait.await,
                };
                done.store(true, Ordering::SeqCst);
                drop(guard);
            })
        };
        victim.join().await;
        for task in greedy {
            task.join().await;
        }
        let (turns, time) = (turns.load(Ordering::SeqCst), start.elapsed());
        assert!(
            turns < TURNS || time < soonest,
            "a task waited for {turns} turns of others, in {time:?}"
        );
    }
}

async fn no_barging_past_a_queue(cx: Cx, subject: Arc<dyn Subject>) {
    let mutex = subject.mutex();
    let io = cx.io();
    let guard = take(&*mutex, "at first");
    let (first_wakes, first_waker) = counting();
    let (second_wakes, second_waker) = counting();
    let mut first = mutex.lock(&io);
    let mut second = mutex.lock(&io);
    assert_pending(first.as_mut(), &first_waker, "the first");
    assert_pending(second.as_mut(), &second_waker, "the second");
    drop(guard);
    assert_eq!(first_wakes.count(), 1, "the first is woken");
    assert_eq!(second_wakes.count(), 0, "the second is not woken");

    let (_, newcomers_waker) = counting();
    let mut newcomer = mutex.lock(&io);
    for _ in 0..3 {
        assert!(mutex.try_lock().is_none(), "try_lock passed the queue");
        assert_pending(newcomer.as_mut(), &newcomers_waker, "a newcomer");
        assert_pending(second.as_mut(), &second_waker, "the second");
    }
    let guard = locked(&mut first, &first_waker, "the first");
    drop(guard);
    assert!(mutex.try_lock().is_none(), "try_lock passed the queue");
    assert_pending(newcomer.as_mut(), &newcomers_waker, "a newcomer");
    drop(locked(&mut second, &second_waker, "the second"));
    drop(locked(&mut newcomer, &newcomers_waker, "the newcomer"));
    drop(take(&*mutex, "at the end"));
}

async fn granted_but_unpolled_does_not_block_its_own_task(cx: Cx, subject: Arc<dyn Subject>) {
    let io = cx.io();
    let (wakes, task) = counting();
    for queued_before in [false, true] {
        let mutex = subject.mutex();
        let guard = take(&*mutex, "at first");
        // Two branches of one task; the first is left unpolled.
        let mut left = mutex.lock(&io);
        let mut polled = mutex.lock(&io);
        assert_pending(left.as_mut(), &task, "the branch that is left");
        if queued_before {
            assert_pending(polled.as_mut(), &task, "the other branch");
        }
        let woken = wakes.count();
        drop(guard);
        assert!(wakes.count() > woken, "the task is woken");
        let mut polled = Hand::with_waker(polled, Arc::clone(&wakes), task.clone());
        let guard = polled.goes_on("the branch that its task polls");
        assert!(mutex.try_lock().is_none(), "the lock was taken twice");
        assert_pending(left.as_mut(), &task, "the branch that is left");
        drop(guard);
        drop(locked(&mut left, &task, "the branch that was left"));
        drop(take(&*mutex, "at the end"));
    }
}
