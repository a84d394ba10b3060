//! `channel`: bounded, of any number of senders and receivers.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::time::{Duration, Instant};

use crossfire::mpmc;

use crate::harness::{Contender, OURS, Row, does, timed};
use crate::task::{finished, queued, ready, waker};

/// Room for so many messages.
const ROOM: usize = 64;
/// How many messages go through in one repetition on an executor.
const MESSAGES: usize = 4_096;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        Row::new("channel", "try_send and try_recv", tries),
        Row::new("channel", "send and receive, ready", goes),
        Row::new("channel", "receive waits, then send", waits),
        Row::new("channel", "receive behind 4000 and cancel", cancels),
    ];
    for (senders, receivers) in [(1, 1), (4, 1), (4, 4)] {
        for threads in [1, 2] {
            let place = if threads == 1 {
                "one thread"
            } else {
                "two threads"
            };
            rows.push(
                Row::new(
                    "channel",
                    format!("{senders} tasks to {receivers}, {place} of tokio"),
                    move || crowds(senders, receivers, threads),
                )
                .operations(MESSAGES as u32)
                .on_other_threads(),
            );
        }
    }
    rows
}

fn tries() -> Vec<Contender> {
    let ours = anysync::channel::bounded(ROOM);
    let (tokio, mut tokio_rx) = tokio::sync::mpsc::channel(ROOM);
    let smol = async_channel::bounded(ROOM);
    let flume = flume::bounded(ROOM);
    let kanal = kanal::bounded_async(ROOM);
    let (crossfire, crossfire_rx) = mpmc::bounded_async(ROOM);
    let band = asyncband::mpmc::bounded(ROOM);
    let intrusive = futures_intrusive::channel::shared::channel(ROOM);
    vec![
        does(OURS, move || {
            ours.0.try_send(7_u64).expect("room");
            black_box(ours.1.try_recv().expect("a message"));
        }),
        does("tokio", move || {
            tokio.try_send(7_u64).expect("room");
            black_box(tokio_rx.try_recv().expect("a message"));
        }),
        does("async-channel", move || {
            smol.0.try_send(7_u64).expect("room");
            black_box(smol.1.try_recv().expect("a message"));
        }),
        does("flume", move || {
            flume.0.try_send(7_u64).expect("room");
            black_box(flume.1.try_recv().expect("a message"));
        }),
        does("kanal", move || {
            kanal.0.try_send(7_u64).expect("room");
            black_box(kanal.1.try_recv().expect("a message"));
        }),
        does("crossfire", move || {
            crossfire.try_send(7_u64).expect("room");
            black_box(crossfire_rx.try_recv().expect("a message"));
        }),
        does("asyncband", move || {
            band.0.try_send(7_u64).expect("room");
            black_box(band.1.try_recv().expect("a message"));
        }),
        does("futures-intrusive", move || {
            intrusive.0.try_send(7_u64).expect("room");
            black_box(intrusive.1.try_receive().expect("a message"));
        }),
    ]
}

/// Each contender's channel, with what its two ends are called and do.
macro_rules! each {
    ($take:ident, $room:expr) => {
        vec![
            $take!(
                OURS,
                anysync::channel::bounded::<u64>($room),
                |s| s.send_future(7),
                |r| r.recv_future()
            ),
            $take!(
                "tokio",
                tokio::sync::mpsc::channel::<u64>($room),
                |s| s.send(7),
                |r| r.recv()
            ),
            $take!(
                "async-channel",
                async_channel::bounded::<u64>($room),
                |s| s.send(7),
                |r| r.recv()
            ),
            $take!(
                "flume",
                flume::bounded::<u64>($room),
                |s| s.send_async(7),
                |r| r.recv_async()
            ),
            $take!(
                "kanal",
                kanal::bounded_async::<u64>($room),
                |s| s.send(7),
                |r| r.recv()
            ),
            $take!(
                "crossfire",
                mpmc::bounded_async::<u64>($room),
                |s| s.send(7),
                |r| r.recv()
            ),
            $take!(
                "asyncband",
                asyncband::mpmc::bounded::<u64>($room),
                |s| s.send(7),
                |r| r.recv()
            ),
            $take!(
                "futures-intrusive",
                futures_intrusive::channel::shared::channel::<u64>($room),
                |s| s.send(7),
                |r| r.receive()
            ),
        ]
    };
}

macro_rules! is_ready {
    ($name:expr, $new:expr, |$s:ident| $send:expr, |$r:ident| $recv:expr) => {{
        #[allow(unused_mut, reason = "some receive by `&mut`")]
        let ($s, mut $r) = $new;
        does($name, move || {
            ready($send).expect("a receiver");
            black_box(ready($recv).expect("a message"));
        })
    }};
}

fn goes() -> Vec<Contender> {
    each!(is_ready, ROOM)
}

macro_rules! is_waited_for {
    ($name:expr, $new:expr, |$s:ident| $send:expr, |$r:ident| $recv:expr) => {{
        #[allow(unused_mut, reason = "some receive by `&mut`")]
        let ($s, mut $r) = $new;
        let waker = waker();
        does($name, move || {
            let mut wait = pin!($recv);
            queued(wait.as_mut(), &waker);
            ready($send).expect("a receiver");
            black_box(finished(wait, &waker).expect("a message"));
        })
    }};
}

fn waits() -> Vec<Contender> {
    each!(is_waited_for, ROOM)
}

/// Joins a queue of receivers, and leaves it.
fn leaves<R: 'static, F: Future + 'static, S: 'static>(
    name: &'static str,
    (sender, receiver): (S, R),
    recv: impl Fn(&'static R) -> F + 'static,
) -> Contender {
    let receiver: &'static R = Box::leak(Box::new(receiver));
    let tasks = crate::task::wakers(4_000);
    let mut line: Vec<_> = tasks.iter().map(|_| Box::pin(recv(receiver))).collect();
    for (wait, task) in line.iter_mut().zip(&tasks) {
        queued(wait.as_mut(), task);
    }
    let waker = waker();
    does(name, move || {
        let _ = (&line, &sender);
        queued(pin!(recv(receiver)), &waker);
    })
}

fn cancels() -> Vec<Contender> {
    vec![
        leaves(OURS, anysync::channel::bounded::<u64>(ROOM), |r| {
            r.recv_future()
        }),
        leaves("async-channel", async_channel::bounded::<u64>(ROOM), |r| {
            r.recv()
        }),
        leaves("flume", flume::bounded::<u64>(ROOM), |r| r.recv_async()),
        leaves("kanal", kanal::bounded_async::<u64>(ROOM), |r| r.recv()),
        leaves("crossfire", mpmc::bounded_async::<u64>(ROOM), |r| r.recv()),
        leaves("asyncband", asyncband::mpmc::bounded::<u64>(ROOM), |r| {
            r.recv()
        }),
        leaves(
            "futures-intrusive",
            futures_intrusive::channel::shared::channel::<u64>(ROOM),
            |r| r.receive(),
        ),
    ]
}

/// Senders and receivers that are tasks, until all messages are through.
fn crowd<S, R, Tx, Rx>(
    name: &'static str,
    (senders, receivers, threads): (usize, usize, usize),
    new: impl Fn() -> (Vec<S>, Vec<R>) + 'static,
    send: impl Fn(S, usize) -> Tx + 'static,
    receive: impl Fn(R) -> Rx + 'static,
) -> Contender
where
    Tx: Future<Output = ()> + Send + 'static,
    Rx: Future<Output = usize> + Send + 'static,
{
    let runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread().build(),
        n => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(n)
            .build(),
    }
    .expect("a runtime without a driver");
    timed(name, move |times| {
        let mut taken = Duration::ZERO;
        for _ in 0..times {
            let (tx, rx) = new();
            assert_eq!((tx.len(), rx.len()), (senders, receivers));
            taken += runtime.block_on(async {
                let start = Instant::now();
                let rx: Vec<_> = rx
                    .into_iter()
                    .map(|end| tokio::spawn(receive(end)))
                    .collect();
                for end in tx {
                    tokio::spawn(send(end, MESSAGES / senders));
                }
                let mut got = 0;
                for end in rx {
                    got += end.await.expect("no panic");
                }
                assert_eq!(got, MESSAGES);
                start.elapsed()
            });
        }
        taken
    })
}

/// So many of each end, as clones of the first; where there are clones.
macro_rules! ends {
    ($new:expr, $senders:expr, $receivers:expr) => {
        move || {
            let (sender, receiver) = $new;
            (vec![sender; $senders], vec![receiver; $receivers])
        }
    };
}

macro_rules! crowds_of {
    ($name:expr, $shape:expr, $new:expr, |$s:ident| $send:expr, |$r:ident| $recv:expr) => {
        crowd(
            $name,
            $shape,
            $new,
            |$s, count| async move {
                for _ in 0..count {
                    let _ = $send.await;
                }
            },
            |#[allow(unused_mut, reason = "some receive by `&mut`")] mut $r| async move {
                let mut got = 0;
                while let Some(_) = $recv.await.into_option() {
                    got += 1;
                }
                got
            },
        )
    };
}

/// Whether a receive had a message; everybody says it in another way.
trait IntoOption {
    fn into_option(self) -> Option<u64>;
}

impl IntoOption for Option<u64> {
    fn into_option(self) -> Option<u64> {
        self
    }
}

impl<E> IntoOption for Result<u64, E> {
    fn into_option(self) -> Option<u64> {
        self.ok()
    }
}

fn crowds(senders: usize, receivers: usize, threads: usize) -> Vec<Contender> {
    let shape = (senders, receivers, threads);
    let mut all = vec![
        crowds_of!(
            OURS,
            shape,
            ends!(anysync::channel::bounded::<u64>(ROOM), senders, receivers),
            |s| s.send_future(7),
            |r| r.recv_future()
        ),
        crowds_of!(
            "async-channel",
            shape,
            ends!(async_channel::bounded::<u64>(ROOM), senders, receivers),
            |s| s.send(7),
            |r| r.recv()
        ),
        crowds_of!(
            "flume",
            shape,
            ends!(flume::bounded::<u64>(ROOM), senders, receivers),
            |s| s.send_async(7),
            |r| r.recv_async()
        ),
        crowds_of!(
            "kanal",
            shape,
            ends!(kanal::bounded_async::<u64>(ROOM), senders, receivers),
            |s| s.send(7),
            |r| r.recv()
        ),
        crowds_of!(
            "crossfire",
            shape,
            ends!(mpmc::bounded_async::<u64>(ROOM), senders, receivers),
            |s| s.send(7),
            |r| r.recv()
        ),
        crowds_of!(
            "asyncband",
            shape,
            ends!(asyncband::mpmc::bounded::<u64>(ROOM), senders, receivers),
            |s| s.send(7),
            |r| r.recv()
        ),
        crowds_of!(
            "futures-intrusive",
            shape,
            ends!(
                futures_intrusive::channel::shared::channel::<u64>(ROOM),
                senders,
                receivers
            ),
            |s| s.send(7),
            |r| r.receive()
        ),
    ];
    if receivers == 1 {
        all.push(crowds_of!(
            "tokio",
            shape,
            move || {
                let (sender, receiver) = tokio::sync::mpsc::channel::<u64>(ROOM);
                (vec![sender; senders], vec![receiver])
            },
            |s| s.send(7),
            |r| r.recv()
        ));
    }
    all
}
