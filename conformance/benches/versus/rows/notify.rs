//! `Notify` and what is like it.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Waker;
use std::time::{Duration, Instant};

use event_listener::Event;

use crate::harness::{Contender, OURS, Row, does, timed};
use crate::rows::tasks;
use crate::task::{finished, queued, ready, round_trip, waker, wakers};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new("notify", "a stored permit", permit),
        Row::new("notify", "register, notify, complete", one),
    ];
    for queue in [0, 10_000, 100_000] {
        let what = format!("register and cancel behind {queue}");
        rows.push(Row::new("notify", what, move || cancel(queue)));
    }
    rows.push(
        Row::new("notify", "cancel 10000, scattered", || scattered(10_000)).operations(10_000),
    );
    for queue in [1_000, 100_000, 1_000_000] {
        let what = format!("register {queue}, wake all, complete");
        rows.push(Row::new("notify", what, move || all(queue)).operations(waits(queue)));
    }
    rows.extend(tasks::ping_pong());
    rows
}

fn permit() -> Vec<Contender> {
    let ours = anysync::Notify::new();
    let tokio = tokio::sync::Notify::new();
    let maitake = maitake_sync::WaitQueue::new();
    let band = asyncband::event::AutoResetEvent::new();
    vec![
        does(OURS, move || {
            ours.notify_one();
            ready(ours.wait_future());
        }),
        does("tokio", move || {
            tokio.notify_one();
            ready(tokio.notified());
        }),
        does("maitake-sync", move || {
            maitake.wake();
            ready(maitake.wait()).expect("open");
        }),
        does("asyncband", move || {
            band.set();
            ready(band.wait());
        }),
    ]
}

fn one() -> Vec<Contender> {
    let ours = anysync::Notify::new();
    let tokio = tokio::sync::Notify::new();
    let maitake = maitake_sync::WaitQueue::new();
    let band = asyncband::event::AutoResetEvent::new();
    let (boxed, stack) = (Event::new(), Event::new());
    let intrusive = futures_intrusive::sync::ManualResetEvent::new(false);
    let w: [Waker; 7] = std::array::from_fn(|_| waker());
    let [w0, w1, w2, w3, w4, w5, w6] = w;
    vec![
        does(OURS, move || {
            round_trip(ours.wait_future(), &w0, || ours.notify_one())
        }),
        does("tokio", move || {
            round_trip(tokio.notified(), &w1, || tokio.notify_one())
        }),
        does("maitake-sync", move || {
            round_trip(maitake.wait(), &w2, || maitake.wake()).expect("open");
        }),
        does("asyncband", move || {
            round_trip(band.wait(), &w3, || band.set())
        }),
        does("event-listener", move || {
            round_trip(boxed.listen(), &w4, || {
                boxed.notify(1);
            });
        }),
        does("event-listener, stack", move || {
            event_listener::listener!(stack => listener);
            let mut listener = pin!(listener);
            queued(listener.as_mut(), &w5);
            stack.notify(1);
            finished(listener, &w5);
        }),
        does("futures-intrusive", move || {
            round_trip(intrusive.wait(), &w6, || intrusive.set());
            intrusive.reset();
        }),
    ]
}

/// Waits that are queued, and stay so as long as this lives.
fn line<F: Future>(count: usize, mut make: impl FnMut() -> F) -> Vec<(Pin<Box<F>>, Waker)> {
    let mut line: Vec<_> = (0..count).map(|_| (Box::pin(make()), waker())).collect();
    for (wait, waker) in &mut line {
        queued(wait.as_mut(), waker);
    }
    line
}

/// Joins a queue, and leaves it.
fn cancels<F: Future + 'static>(
    name: &'static str,
    queue: usize,
    make: impl Fn() -> F + 'static,
) -> Contender {
    let line = line(queue, &make);
    let waker = waker();
    does(name, move || {
        let _ = &line;
        queued(pin!(make()), &waker);
    })
}

/// The waits of each contender, for what makes a contender of them.
macro_rules! of_each {
    ($take:ident, $queue:expr) => {{
        // Leaked, so that what waits for them may be kept.
        let ours: &'static _ = Box::leak(Box::new(anysync::Notify::new()));
        let tokio: &'static _ = Box::leak(Box::new(tokio::sync::Notify::new()));
        let maitake: &'static _ = Box::leak(Box::new(maitake_sync::WaitQueue::new()));
        let band: &'static asyncband::event::AutoResetEvent = Box::leak(Box::default());
        let event: &'static Event = Box::leak(Box::default());
        let intrusive: &'static _ = Box::leak(Box::new(
            futures_intrusive::sync::ManualResetEvent::new(false),
        ));
        vec![
            $take(OURS, $queue, || ours.wait_future()),
            $take("tokio", $queue, || tokio.notified()),
            $take("maitake-sync", $queue, || maitake.wait()),
            $take("asyncband", $queue, || band.wait()),
            $take("event-listener", $queue, || event.listen()),
            $take("futures-intrusive", $queue, || intrusive.wait()),
        ]
    }};
}

fn cancel(queue: usize) -> Vec<Contender> {
    of_each!(cancels, queue)
}

/// A step that has no factor in common with a queue's length visits each wait once.
const STEP: usize = 7_919;

/// Times the drops of a queue in an order that hops through it.
fn scatters<F: Future + 'static>(
    name: &'static str,
    queue: usize,
    make: impl Fn() -> F + 'static,
) -> Contender {
    timed(name, move |times| {
        let mut taken = Duration::ZERO;
        for _ in 0..times {
            let mut line: Vec<_> = line(queue, &make).into_iter().map(Some).collect();
            let start = Instant::now();
            for n in 0..queue {
                line[n * STEP % queue] = None;
            }
            taken += start.elapsed();
        }
        taken
    })
}

fn scattered(queue: usize) -> Vec<Contender> {
    of_each!(scatters, queue)
}

/// How often a queue of this length forms between two looks at the clock, so that
/// these do not count.
fn again(length: usize) -> usize {
    (1_000 / length).max(1)
}

/// The waits of one repetition of what times whole queues of this length.
pub(super) fn waits(length: usize) -> u32 {
    (length * again(length)) as u32
}

/// Times queues that form, and end as `end` has it. All of a wait's life counts but
/// its place in memory, which is allocated before.
fn queues<F: Future + 'static>(
    name: &'static str,
    length: usize,
    make: impl Fn() -> F + 'static,
    end: impl Fn(&mut [Pin<Box<Option<F>>>], &[Waker]) + 'static,
) -> Contender {
    let tasks = wakers(length);
    timed(name, move |times| {
        let mut taken = Duration::ZERO;
        for _ in 0..times {
            let mut line: Vec<_> = (0..length).map(|_| Box::pin(None)).collect();
            let start = Instant::now();
            for _ in 0..again(length) {
                for (wait, task) in line.iter_mut().zip(&tasks) {
                    wait.set(Some(make()));
                    queued(wait.as_mut().as_pin_mut().expect("just made"), task);
                }
                end(&mut line, &tasks);
            }
            taken += start.elapsed();
        }
        taken
    })
}

fn leaves<F: Future + 'static>(
    name: &'static str,
    length: usize,
    make: impl Fn() -> F + 'static,
) -> Contender {
    queues(name, length, make, move |line, _| {
        for n in 0..length {
            line[n * STEP % length].set(None);
        }
    })
}

/// A queue that forms, and is left in an order that hops through it.
pub(super) fn register_and_cancel(queue: usize) -> Vec<Contender> {
    of_each!(leaves, queue)
}

/// A queue that forms, is woken as a whole, and completes.
pub(super) fn wakes<F: Future + 'static>(
    name: &'static str,
    length: usize,
    make: impl Fn() -> F + 'static,
    wake: impl Fn() + 'static,
) -> Contender {
    queues(name, length, make, move |line, tasks| {
        wake();
        for (wait, task) in line.iter_mut().zip(tasks) {
            finished(wait.as_mut().as_pin_mut().expect("it is queued"), task);
            wait.set(None);
        }
    })
}

pub(super) fn all(queue: usize) -> Vec<Contender> {
    let ours: &'static _ = Box::leak(Box::new(anysync::Notify::new()));
    let tokio: &'static _ = Box::leak(Box::new(tokio::sync::Notify::new()));
    let maitake: &'static _ = Box::leak(Box::new(maitake_sync::WaitQueue::new()));
    let event: &'static Event = Box::leak(Box::default());
    let band: &'static asyncband::event::ManualResetEvent = Box::leak(Box::default());
    let intrusive: &'static _ = Box::leak(Box::new(
        futures_intrusive::sync::ManualResetEvent::new(false),
    ));
    vec![
        wakes(OURS, queue, || ours.wait_future(), || ours.notify_all()),
        wakes(
            "tokio",
            queue,
            || tokio.notified(),
            || tokio.notify_waiters(),
        ),
        wakes(
            "maitake-sync",
            queue,
            || maitake.wait(),
            || maitake.wake_all(),
        ),
        wakes(
            "asyncband",
            queue,
            || band.wait(),
            || {
                band.set();
                band.reset();
            },
        ),
        wakes(
            "event-listener",
            queue,
            || event.listen(),
            || {
                event.notify(usize::MAX);
            },
        ),
        wakes(
            "futures-intrusive",
            queue,
            || intrusive.wait(),
            || {
                intrusive.set();
                intrusive.reset();
            },
        ),
    ]
}
