//! The laws of patterns: the programs that people write with the primitives
//! work. Each is also an example.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;

use anysync::yield_now;

use crate::backend::Capability::Spawn;
use crate::cx::{Cx, DynIo, Gate};
use crate::law::{About, Law};
use crate::run;
use crate::subject::{
    BarrierSubject, Kind, MutexSubject, NotifySubject, OnceCellSubject, SetRefused, Subject, Token,
};
use crate::wakers::{counting, poll};

pub(super) mod messages;

const QUEUE: About = About::Kinds(&[Kind::Notify, Kind::Mutex]);

pub(super) const LAWS: &[Law] = &[
    Law::must(
        "pattern::work_queue_delivers_everything",
        QUEUE,
        "A queue of a Mutex and a Notify, whose consumers look before they wait, delivers each \
         item once.",
        "A notify_one between a look and a wait must be stored, and one with a consumer waiting \
         must wake one that comes to look.",
        run!(work_queue_delivers_everything),
    )
    .because("The queue that everybody writes once: a lock, a list, and a signal.")
    .needs(&[Spawn]),
    Law::should(
        "pattern::work_queue_survives_a_cancelled_pop",
        QUEUE,
        "A pop that is dropped at any moment takes no item and no signal with it.",
        "A wait that has won and is dropped passes its win on; after the wait the program holds \
         the signal in a guard that notifies again when it is dropped.",
        run!(work_queue_survives_a_cancelled_pop),
    )
    .because("The same queue with a timeout, as it is after a year.")
    .seen_in(&["n0-computer/iroh#2536"])
    .needs(&[Spawn]),
    Law::must(
        "pattern::shutdown_reaches_every_worker",
        About::Kinds(&[Kind::Notify]),
        "A notify_all ends every worker that waits, and a flag those that come later.",
        "Let notify_all reach every wait that is queued, as one event, and let a wait be queued \
         before its condition is read.",
        run!(shutdown_reaches_every_worker),
    )
    .because("A worker that missed the signal keeps the process alive.")
    .needs(&[Spawn]),
    Law::must(
        "pattern::checkpointed_sum_is_right",
        About::Kinds(&[Kind::Barrier]),
        "Workers that write, meet, and have their leader add up, all read the sum of all.",
        "Release nobody before the last has arrived; make one of them the leader; let each see \
         what all wrote before.",
        run!(checkpointed_sum_is_right),
    )
    .because("The barrier's promise, as a program uses it.")
    .needs(&[Spawn]),
    Law::must(
        "pattern::pool_is_created_once",
        About::Kinds(&[Kind::OnceCell]),
        "A pool that 100 callers ask for is opened once, also if the first to open it gives up.",
        "One initialiser at a time; one that is dropped passes the turn on.",
        run!(pool_is_created_once),
    )
    .because("Lazy connections, with clients that go away.")
    .seen_in(&["microsoft/intelligent-terminal#848"])
    .needs(&[Spawn]),
    Law::must(
        "pattern::config_set_from_outside_wins",
        About::Kinds(&[Kind::OnceCell]),
        "A configuration that is set before its first use is the one that everybody uses; one \
         that comes too late is given back.",
        "set and the initialisers compete for one change of state; who is late is told so.",
        run!(config_set_from_outside_wins),
    )
    .because("Tests and command lines set what is made lazily elsewhere.")
    .needs(&[Spawn]),
];

/// A work queue on a Mutex and a Notify, as one is to write it.
///
/// While it has items and a consumer sleeps, a signal is under way: a permit, a
/// wake-up, or a [`Signal`] in the hands of one that is about to look.
struct Queue {
    items: Arc<dyn MutexSubject>,
    pushed: Arc<dyn NotifySubject>,
}

impl Queue {
    fn new(subject: &Arc<dyn Subject>) -> Arc<Self> {
        Arc::new(Self {
            items: subject.mutex(),
            pushed: subject.notify(),
        })
    }

    async fn push(&self, io: &DynIo, item: u64) {
        self.items.lock(io).await.push(item);
        self.pushed.notify_one();
    }

    async fn pop(&self, io: &DynIo) -> u64 {
        self.pop_with(io, None).await
    }

    /// Pauses between a look that found nothing and the wait.
    async fn pop_with(&self, io: &DynIo, pause: Option<&Pause>) -> u64 {
        let mut signal: Option<Signal<'_>> = None;
        loop {
            let mut items = self.items.lock(io).await;
            let item = (!items.is_empty()).then(|| items.remove(0));
            if items.is_empty() {
                // There is no work for another.
                mem::forget(signal.take());
            } else if signal.is_none() {
                // Two pushes may have left one permit.
                self.pushed.notify_one();
            }
            if let Some(item) = item {
                return item;
            }
            drop(items);
            if let Some(pause) = pause {
                pause.looked.open();
                pause.go.passed().await;
            }
            self.pushed.wait(io).await;
            signal = Some(Signal(&*self.pushed));
        }
    }
}

#[derive(Clone, Default)]
struct Pause {
    looked: Gate,
    go: Gate,
}

/// A wake-up that a consumer has got: dropped, it goes on to the next.
struct Signal<'a>(&'a dyn NotifySubject);

impl Drop for Signal<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Ends a consumer.
const END: u64 = u64::MAX;

async fn work_queue_delivers_everything(cx: Cx, subject: Arc<dyn Subject>) {
    // Pushes between the looks of consumers and their waits: two of them leave
    // one permit.
    for consumers in [1, 2] {
        let queue = Queue::new(&subject);
        let go = Gate::new();
        let mut tasks = Vec::new();
        for number in 0..consumers {
            let pause = Pause {
                looked: Gate::new(),
                go: go.clone(),
            };
            let (queue, io, own) = (Arc::clone(&queue), cx.io(), pause.clone());
            let consumer = async move { queue.pop_with(&io, Some(&own)).await };
            tasks.push(cx.spawn(format!("who looks in vain, {number}"), consumer));
            cx.waiting("the look", pause.looked.passed()).await;
        }
        for item in 0..consumers {
            queue.push(&cx.io(), item).await;
        }
        go.open();
        let mut got = Vec::new();
        for task in tasks {
            got.push(task.join().await);
        }
        got.sort_unstable();
        assert_eq!(got, (0..consumers).collect::<Vec<_>>());
    }

    // Many of each.
    const PRODUCERS: u64 = 3;
    const CONSUMERS: usize = 4;
    const EACH: u64 = 50;
    let queue = Queue::new(&subject);
    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|number| {
            let (queue, io) = (Arc::clone(&queue), cx.io());
            cx.spawn(format!("consumer {number}"), async move {
                let mut got = Vec::new();
                loop {
                    match queue.pop(&io).await {
                        END => return got,
                        item => got.push(item),
                    }
                }
            })
        })
        .collect();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let (queue, io) = (Arc::clone(&queue), cx.io());
            let mut rng = cx.rng();
            cx.spawn(format!("producer {producer}"), async move {
                for number in 0..EACH {
                    queue.push(&io, producer * EACH + number).await;
                    if rng.coin() {
                        yield_now().await;
                    }
                }
            })
        })
        .collect();
    for producer in producers {
        producer.join().await;
    }
    for _ in 0..CONSUMERS {
        queue.push(&cx.io(), END).await;
    }
    let mut times = BTreeMap::new();
    for consumer in consumers {
        for item in consumer.join().await {
            *times.entry(item).or_insert(0) += 1;
        }
    }
    let expected = (0..PRODUCERS * EACH).map(|item| (item, 1)).collect();
    assert_eq!(times, expected, "how often each item was delivered");
}

async fn work_queue_survives_a_cancelled_pop(cx: Cx, subject: Arc<dyn Subject>) {
    // Dropped with its wait won, and then with the lock asked for, while another
    // sleeps.
    for polls in [0, 1] {
        let queue = Queue::new(&subject);
        let io = cx.io();
        let (wakes, waker) = counting();
        let mut first = Box::pin(queue.pop(&io));
        assert!(poll(first.as_mut(), &waker).is_pending(), "it is empty");
        let second = {
            let (queue, io) = (Arc::clone(&queue), cx.io());
            let pop = async move { queue.pop(&io).await };
            cx.spawn_queued("the second consumer", pop).await
        };
        let mut items = queue.items.lock(&io).await;
        items.push(1);
        queue.pushed.notify_one();
        assert_eq!(wakes.count(), 1, "the first consumer is woken");
        for _ in 0..polls {
            let polled = poll(first.as_mut(), &waker);
            assert!(polled.is_pending(), "it has an item, and not the lock");
        }
        drop(first);
        drop(items);
        assert_eq!(second.join().await, 1);
    }

    // Dropped at any moment, many times.
    const ITEMS: u64 = 60;
    let queue = Queue::new(&subject);
    let consumers: Vec<_> = (0..3)
        .map(|number| {
            let (queue, io) = (Arc::clone(&queue), cx.io());
            let mut rng = cx.rng();
            cx.spawn(format!("impatient consumer {number}"), async move {
                let mut got = Vec::new();
                loop {
                    // So many polls, and then the pop is dropped; the last of
                    // each round is patient, so that everybody comes to an end.
                    for _ in 0..3 {
                        let mut left = rng.pick(1..4);
                        let mut pop = Box::pin(queue.pop(&io));
                        let item = poll_fn(|cx| match pop.as_mut().poll(cx) {
                            Poll::Ready(item) => Poll::Ready(Some(item)),
                            Poll::Pending if left == 0 => Poll::Ready(None),
                            Poll::Pending => {
                                left -= 1;
                                cx.waker().wake_by_ref();
                                Poll::Pending
                            }
                        })
                        .await;
                        match item {
                            Some(END) => return got,
                            Some(item) => got.push(item),
                            None => {}
                        }
                    }
                    match queue.pop(&io).await {
                        END => return got,
                        item => got.push(item),
                    }
                }
            })
        })
        .collect();
    for item in 0..ITEMS {
        queue.push(&cx.io(), item).await;
        yield_now().await;
    }
    for _ in 0..consumers.len() {
        queue.push(&cx.io(), END).await;
    }
    let mut got = Vec::new();
    for consumer in consumers {
        got.extend(consumer.join().await);
    }
    got.sort_unstable();
    assert_eq!(got, (0..ITEMS).collect::<Vec<_>>(), "what was delivered");
}

async fn shutdown_reaches_every_worker(cx: Cx, subject: Arc<dyn Subject>) {
    let notify = subject.notify();
    let ends = Arc::new(AtomicBool::new(false));
    let done = Arc::new(AtomicUsize::new(0));
    let worker = |pause: Option<Pause>| {
        let (notify, io) = (Arc::clone(&notify), cx.io());
        let (ends, done) = (Arc::clone(&ends), Arc::clone(&done));
        async move {
            let mut wait = notify.wait(&io);
            // Queued before the flag is read: a signal in between is not lost.
            let heard = wait.as_mut().enable();
            if !heard && !ends.load(Ordering::SeqCst) {
                if let Some(pause) = pause {
                    pause.looked.open();
                    pause.go.passed().await;
                }
                wait.await;
            }
            assert!(ends.load(Ordering::SeqCst), "woken before the end");
            done.fetch_add(1, Ordering::SeqCst);
        }
    };
    let mut workers = Vec::new();
    for number in 0..8 {
        let worker = cx
            .spawn_queued(format!("worker {number}"), worker(None))
            .await;
        workers.push(worker);
    }
    if let Some(count) = notify.waiter_count() {
        assert_eq!(count, 8, "the workers that wait");
    }
    // One has read the flag, and does not wait yet.
    let pause = Pause::default();
    workers.push(cx.spawn("who is slow", worker(Some(pause.clone()))));
    cx.waiting("the look at the flag", pause.looked.passed())
        .await;
    assert_eq!(done.load(Ordering::SeqCst), 0, "nobody has ended yet");
    // Some start while the signal is given.
    for number in 8..12 {
        workers.push(cx.spawn(format!("worker {number}"), worker(None)));
    }
    ends.store(true, Ordering::SeqCst);
    notify.notify_all();
    pause.go.open();
    for number in 12..16 {
        workers.push(cx.spawn(format!("late worker {number}"), worker(None)));
    }
    for worker in workers {
        worker.join().await;
    }
    assert_eq!(done.load(Ordering::SeqCst), 17);
}

async fn checkpointed_sum_is_right(cx: Cx, subject: Arc<dyn Subject>) {
    const WORKERS: usize = 4;
    const ROUNDS: u64 = 10;

    struct Job {
        barrier: Arc<dyn BarrierSubject>,
        parts: [AtomicU64; WORKERS],
        sum: AtomicU64,
    }

    /// One worker's part of a round, and the sum that it read.
    async fn work(job: &Job, io: &DynIo, worker: usize, round: u64) -> u64 {
        job.parts[worker].store(round + worker as u64, Ordering::Relaxed);
        if job.barrier.wait(io).await {
            let parts = job.parts.iter().map(|part| part.load(Ordering::Relaxed));
            job.sum.store(parts.sum(), Ordering::Relaxed);
        }
        // Nobody reads before the leader has written.
        job.barrier.wait(io).await;
        job.sum.load(Ordering::Relaxed)
    }

    let sum_of = |round: u64| {
        (0..WORKERS as u64)
            .map(|worker| round + worker)
            .sum::<u64>()
    };
    let job = Arc::new(Job {
        barrier: subject.barrier(WORKERS),
        parts: Default::default(),
        sum: AtomicU64::new(0),
    });
    // In the first round the last worker comes when the others have done all
    // that they can do without it.
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let (own, io) = (Arc::clone(&job), cx.io());
        let rounds = async move {
            for round in 1..=ROUNDS {
                let sum = work(&own, &io, worker, round).await;
                assert_eq!(sum, sum_of(round), "the sum of round {round}");
            }
        };
        workers.push(cx.spawn_queued(format!("worker {worker}"), rounds).await);
        if worker + 1 < WORKERS {
            cx.yield_turns(3).await;
            let sum = job.sum.load(Ordering::Relaxed);
            assert_eq!(sum, 0, "a sum was made before all had arrived");
        }
    }
    for worker in workers {
        worker.join().await;
    }

    // The leader's action instead of the second wait, where there is such.
    let has_actions = {
        let (probe, io) = (subject.barrier(1), cx.io());
        let wait = probe.wait_then(&io, Box::new(|| ()));
        wait.is_some()
    };
    if !has_actions {
        return;
    }
    let job = Arc::new(Job {
        barrier: subject.barrier(WORKERS),
        parts: Default::default(),
        sum: AtomicU64::new(0),
    });
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (job, io) = (Arc::clone(&job), cx.io());
            cx.spawn(format!("worker {worker} with an action"), async move {
                job.parts[worker].store(1 + worker as u64, Ordering::Relaxed);
                let action = || {
                    let parts = job.parts.iter().map(|part| part.load(Ordering::Relaxed));
                    job.sum.store(parts.sum(), Ordering::Relaxed);
                };
                let wait = job.barrier.wait_then(&io, Box::new(action));
                wait.expect("it has actions").await;
                let sum = job.sum.load(Ordering::Relaxed);
                assert_eq!(sum, sum_of(1), "the sum that the action made");
            })
        })
        .collect();
    for worker in workers {
        worker.join().await;
    }
}

async fn pool_is_created_once(cx: Cx, subject: Arc<dyn Subject>) {
    let pool = subject.once_cell();
    let (opening, opened) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let caller = |number: u64, gives_up: bool| {
        let (pool, io) = (Arc::clone(&pool), cx.io());
        let (opening, opened) = (Arc::clone(&opening), Arc::clone(&opened));
        async move {
            let open = async move {
                let others = opening.fetch_add(1, Ordering::SeqCst);
                let _closes = OnDrop(opening);
                assert_eq!(others, 0, "the pool is being opened by another");
                yield_now().await;
                if gives_up {
                    std::future::pending::<()>().await;
                }
                opened.fetch_add(1, Ordering::SeqCst);
                Token::new(number)
            };
            let pool = pool.get_or_init(&io, Box::pin(open)).await;
            (std::ptr::from_ref(pool).addr(), pool.number())
        }
    };
    // The first is given up while it opens the pool.
    let first = cx.spawn_queued("who gives up", caller(0, true)).await;
    let callers: Vec<_> = (1..=100)
        .map(|number| cx.spawn(format!("caller {number}"), caller(number, false)))
        .collect();
    cx.yield_turns(2).await;
    first.abort();
    let mut seen = Vec::new();
    for task in callers {
        seen.push(task.join().await);
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1, "so often it was opened");
    let one = seen[0];
    assert!(one.1 >= 1, "the pool is that of a caller that gave up");
    assert!(
        seen.iter().all(|other| *other == one),
        "callers use different pools: {seen:?}"
    );
}

/// Counts down when it is dropped.
struct OnDrop(Arc<AtomicUsize>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn config_set_from_outside_wins(cx: Cx, subject: Arc<dyn Subject>) {
    const OUTSIDE: u64 = 1_000;

    async fn config(cell: &dyn OnceCellSubject, io: &DynIo, number: u64) -> u64 {
        let load = async move {
            yield_now().await;
            Token::new(number)
        };
        cell.get_or_init(io, Box::pin(load)).await.number()
    }

    let users = |cell: &Arc<dyn OnceCellSubject>| -> Vec<_> {
        (0..10)
            .map(|number| {
                let (cell, io) = (Arc::clone(cell), cx.io());
                let user = async move { config(&*cell, &io, number).await };
                cx.spawn(format!("user {number}"), user)
            })
            .collect()
    };

    // In time.
    let cell = subject.once_cell();
    assert!(cell.set(Token::new(OUTSIDE)).is_ok(), "it was empty");
    for user in users(&cell) {
        assert_eq!(user.join().await, OUTSIDE, "what a user has");
    }

    // Too late.
    let cell = subject.once_cell();
    let loaded = config(&*cell, &cx.io(), 1).await;
    assert_eq!(loaded, 1);
    match cell.set(Token::new(OUTSIDE)) {
        Err(SetRefused::AlreadyInitialized(value)) => assert_eq!(value.number(), OUTSIDE),
        other => panic!("it was too late, and set returned {other:?}"),
    }

    // At the same time: whoever wins, there is one, and set says the truth.
    let cell = subject.once_cell();
    let users = users(&cell);
    yield_now().await;
    let was_set = cell.set(Token::new(OUTSIDE)).is_ok();
    let mut numbers = Vec::new();
    for user in users {
        numbers.push(user.join().await);
    }
    let first = numbers[0];
    assert_eq!(first == OUTSIDE, was_set, "set did not tell the truth");
    assert!(
        numbers.iter().all(|number| *number == first),
        "users have different configurations: {numbers:?}"
    );
}
