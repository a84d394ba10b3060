// Included for the original and for ours, with `channel` and `lock` for its modules.

use std::fmt::Debug;
use std::pin::{Pin, pin};
use std::sync::Arc;

use anysync_adapter_tests::face::Task;
use channel::{mpsc, oneshot};
use futures::future::FusedFuture;
use futures::stream::{FusedStream, Stream};
use lock::Mutex;

/// Each row: what was done, and what the ends say then.
type Table<'a, Ends> = &'a [(&'a str, fn(&mut Ends), &'a str)];

fn check<Ends>(start: fn() -> Ends, say: fn(&Ends) -> String, table: Table<'_, Ends>) {
    for (name, script, expected) in table {
        let mut ends = start();
        script(&mut ends);
        assert_eq!(say(&ends), *expected, "{name}");
    }
}

/// `true` is `+`, and what is not there is `.`.
fn marks(answers: &[Option<bool>]) -> String {
    let mark = |answer: &Option<bool>| match answer {
        Some(true) => '+',
        Some(false) => '-',
        None => '.',
    };
    answers.iter().map(mark).collect()
}

/// Whether a `Debug` that has one field says that it is `true`.
fn shows(end: Option<&impl Debug>) -> Option<bool> {
    end.map(|end| format!("{end:?}").ends_with(": true }"))
}

struct Oneshot {
    sender: Option<oneshot::Sender<u8>>,
    receiver: Option<oneshot::Receiver<u8>>,
}

impl Oneshot {
    fn start() -> Self {
        let (sender, receiver) = oneshot::channel();
        let (sender, receiver) = (Some(sender), Some(receiver));
        Self { sender, receiver }
    }

    fn send(&mut self) {
        self.sender.take().unwrap().send(7).unwrap();
    }

    fn receiver(&mut self) -> &mut oneshot::Receiver<u8> {
        self.receiver.as_mut().unwrap()
    }

    fn poll(&mut self) {
        let _ = Task::new().poll(Pin::new(self.receiver()));
    }

    /// Of the sender: is canceled, shows complete, is connected; of the receiver: is
    /// terminated, shows complete.
    fn say(&self) -> String {
        let (sender, receiver) = (self.sender.as_ref(), self.receiver.as_ref());
        let both = sender.zip(receiver);
        marks(&[
            sender.map(|sender| sender.is_canceled()),
            shows(sender),
            both.map(|(sender, receiver)| sender.is_connected_to(receiver)),
            receiver.map(|receiver| receiver.is_terminated()),
            shows(receiver),
        ])
    }
}

#[test]
fn of_a_oneshot() {
    let table: Table<'_, Oneshot> = &[
        ("fresh", |_| {}, "--+--"),
        ("polled", |ends| ends.poll(), "--+--"),
        ("tried", |ends| _ = ends.receiver().try_recv(), "--+--"),
        ("sent", |ends| ends.send(), "...-+"),
        ("sent, polled", |ends| (ends.send(), ends.poll()).1, "...++"),
        (
            "sent, closed",
            |ends| (ends.send(), ends.receiver().close()).1,
            "...-+",
        ),
        (
            "sent, tried",
            |ends| (ends.send(), _ = ends.receiver().try_recv()).1,
            "...++",
        ),
        ("polled, sent", |ends| (ends.poll(), ends.send()).1, "...-+"),
        ("sender dropped", |ends| ends.sender = None, "...++"),
        (
            "sender dropped, polled",
            |ends| (ends.sender = None, ends.poll()).1,
            "...++",
        ),
        ("closed", |ends| ends.receiver().close(), "+++++"),
        (
            "closed, polled",
            |ends| (ends.receiver().close(), ends.poll()).1,
            "+++++",
        ),
        (
            "closed, tried",
            |ends| {
                ends.receiver().close();
                assert!(ends.receiver().try_recv().is_err());
            },
            "+++++",
        ),
        (
            "polled, closed",
            |ends| (ends.poll(), ends.receiver().close()).1,
            "+++++",
        ),
        (
            "closed, not sent",
            |ends| {
                ends.receiver().close();
                assert_eq!(ends.sender.take().unwrap().send(7), Err(7));
            },
            "...++",
        ),
        ("receiver dropped", |ends| ends.receiver = None, "++..."),
    ];
    check(Oneshot::start, Oneshot::say, table);
}

macro_rules! channels {
    ($test:ident, $ends:ident, $sender:ident, $receiver:ident, $start:expr, $send:ident) => {
        struct $ends {
            sender: Option<mpsc::$sender<u8>>,
            other: Option<mpsc::$sender<u8>>,
            receiver: Option<mpsc::$receiver<u8>>,
        }

        impl $ends {
            fn start() -> Self {
                let (sender, receiver) = $start;
                Self {
                    other: Some(sender.clone()),
                    sender: Some(sender),
                    receiver: Some(receiver),
                }
            }

            fn sender(&mut self) -> &mut mpsc::$sender<u8> {
                self.sender.as_mut().unwrap()
            }

            fn send(&mut self) {
                self.sender().$send(7).unwrap();
            }

            fn receiver(&mut self) -> &mut mpsc::$receiver<u8> {
                self.receiver.as_mut().unwrap()
            }

            fn poll(&mut self) {
                let task = Task::new();
                let _ = Pin::new(self.receiver()).poll_next(&mut task.context());
            }

            fn try_recv(&mut self) {
                let _ = self.receiver().try_recv();
            }

            fn drop_senders(&mut self) {
                (self.sender, self.other) = (None, None);
            }

            /// Of the sender: is closed, shows closed, is connected, has the other's
            /// receiver; of the receiver: is terminated, shows closed, how many messages
            /// it has at least and at most.
            fn say(&self) -> String {
                let (sender, receiver) = (self.sender.as_ref(), self.receiver.as_ref());
                let both = sender.zip(receiver);
                let senders = sender.zip(self.other.as_ref());
                let marks = marks(&[
                    sender.map(|sender| sender.is_closed()),
                    shows(sender),
                    both.map(|(sender, receiver)| sender.is_connected_to(receiver)),
                    senders.map(|(sender, other)| sender.same_receiver(other)),
                    receiver.map(|receiver| receiver.is_terminated()),
                    shows(receiver),
                ]);
                match receiver.map(|receiver| receiver.size_hint()) {
                    Some((least, Some(most))) => format!("{marks} {least} {most}"),
                    Some((least, None)) => format!("{marks} {least}"),
                    None => marks,
                }
            }
        }

        #[test]
        fn $test() {
            let table: Table<'_, $ends> = &[
                ("fresh", |_| {}, "--++-- 0"),
                ("polled", |ends| ends.poll(), "--++-- 0"),
                ("tried", |ends| ends.try_recv(), "--++-- 0"),
                ("sent", |ends| ends.send(), "--++-- 1"),
                (
                    "sent, polled",
                    |ends| (ends.send(), ends.poll()).1,
                    "--++-- 0",
                ),
                ("closed", |ends| ends.receiver().close(), "++++-+ 0 0"),
                (
                    "closed, polled",
                    |ends| (ends.receiver().close(), ends.poll()).1,
                    "++-++- 0 0",
                ),
                (
                    "closed, tried",
                    |ends| {
                        ends.receiver().close();
                        ends.try_recv();
                    },
                    "++-++- 0 0",
                ),
                (
                    "polled, closed",
                    |ends| (ends.poll(), ends.receiver().close()).1,
                    "++++-+ 0 0",
                ),
                (
                    "sent, closed",
                    |ends| (ends.send(), ends.receiver().close()).1,
                    "++++-- 1 1",
                ),
                (
                    "sent, closed, tried",
                    |ends| {
                        ends.send();
                        ends.receiver().close();
                        ends.try_recv();
                    },
                    "++++-+ 0 0",
                ),
                (
                    "sent, closed, tried twice",
                    |ends| {
                        ends.send();
                        ends.receiver().close();
                        ends.try_recv();
                        ends.try_recv();
                    },
                    "++-++- 0 0",
                ),
                (
                    "closed by a sender",
                    |ends| ends.sender().close_channel(),
                    "++++-+ 0 0",
                ),
                (
                    "sent, closed by a sender",
                    |ends| {
                        ends.send();
                        ends.sender().close_channel();
                    },
                    "++++-- 1 1",
                ),
                (
                    "disconnected",
                    |ends| ends.sender().disconnect(),
                    "++---- 0",
                ),
                ("sender dropped", |ends| ends.sender = None, "....-- 0"),
                (
                    "all senders dropped",
                    |ends| ends.drop_senders(),
                    "....-+ 0 0",
                ),
                (
                    "all senders dropped, polled",
                    |ends| {
                        ends.drop_senders();
                        ends.poll();
                    },
                    "....+- 0 0",
                ),
                (
                    "all senders dropped, tried",
                    |ends| {
                        ends.drop_senders();
                        ends.try_recv();
                    },
                    "....+- 0 0",
                ),
                (
                    "sent, all senders dropped",
                    |ends| {
                        ends.send();
                        ends.drop_senders();
                    },
                    "....-- 1 1",
                ),
                (
                    "sent, all senders dropped, polled",
                    |ends| {
                        ends.send();
                        ends.drop_senders();
                        ends.poll();
                    },
                    "....-+ 0 0",
                ),
                ("receiver dropped", |ends| ends.receiver = None, "++.+.."),
                (
                    "sent, receiver dropped",
                    |ends| {
                        ends.send();
                        ends.receiver = None;
                    },
                    "++.+..",
                ),
            ];
            check($ends::start, $ends::say, table);
        }
    };
}

channels!(
    of_a_bounded_channel,
    Bounded,
    Sender,
    Receiver,
    mpsc::channel(0),
    try_send
);
channels!(
    of_an_unbounded_channel,
    Open,
    UnboundedSender,
    UnboundedReceiver,
    mpsc::unbounded(),
    unbounded_send
);

#[test]
fn how_much_an_unbounded_channel_has() {
    let mut ends = Open::start();
    let len = |ends: &Open| {
        let sender = ends.sender.as_ref().unwrap();
        (sender.len(), sender.is_empty())
    };
    assert_eq!(len(&ends), (0, true));
    ends.send();
    ends.send();
    assert_eq!(len(&ends), (2, false));
    ends.try_recv();
    assert_eq!(len(&ends), (1, false));
    ends.receiver().close();
    assert_eq!(len(&ends), (1, false));
    ends.receiver = None;
    assert_eq!(len(&ends), (0, true));
    ends.sender().disconnect();
    assert_eq!(len(&ends), (0, true));
}

#[test]
fn of_what_receives_from_a_channel() {
    let mut ends = Open::start();
    assert!(!ends.receiver().recv().is_terminated());
    ends.drop_senders();
    assert!(!ends.receiver().recv().is_terminated());
    ends.try_recv();
    assert!(ends.receiver().recv().is_terminated());
}

#[test]
fn of_a_lock() {
    let mutex = Arc::new(Mutex::new(()));
    let task = Task::new();
    let say = || format!("{mutex:?}");
    let state = |is_locked, has_waiters| {
        format!("Mutex {{ is_locked: {is_locked}, has_waiters: {has_waiters} }}")
    };
    assert_eq!(say(), state(false, false));
    let guard = mutex.try_lock().unwrap();
    assert_eq!(say(), state(true, false));
    let (mut lock, mut owned) = (pin!(mutex.lock()), pin!(mutex.clone().lock_owned()));
    assert_eq!(say(), state(true, false));
    for polls in 0..2 {
        task.pending(lock.as_mut());
        task.pending(owned.as_mut());
        assert_eq!(say(), state(true, true), "{polls}");
        assert!(!lock.is_terminated() && !owned.is_terminated());
    }
    drop(guard);
    assert!(!lock.is_terminated() && !owned.is_terminated());
    drop(task.ready(lock.as_mut()));
    assert!(lock.is_terminated() && !owned.is_terminated());
    drop(task.ready(owned.as_mut()));
    assert!(lock.is_terminated() && owned.is_terminated());
    assert_eq!(say(), state(false, false));
    // One that has never waited, and one that is dropped as it waits.
    drop(task.ready(pin!(mutex.lock())));
    assert_eq!(say(), state(false, false));
    let guard = mutex.try_lock().unwrap();
    let mut dropped = Box::pin(mutex.lock());
    task.pending(dropped.as_mut());
    assert_eq!(say(), state(true, true));
    drop(dropped);
    assert_eq!(say(), state(true, false));
    drop(guard);
}
