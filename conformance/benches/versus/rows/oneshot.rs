//! `oneshot`.

use std::future::IntoFuture;
use std::hint::black_box;
use std::pin::pin;

use crate::harness::{Contender, OURS, Row, does};
use crate::task::{finished, queued, ready, waker};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::new("oneshot", "send, then receive", sent),
        Row::new("oneshot", "receive waits, then send", waits),
    ]
}

fn sent() -> Vec<Contender> {
    vec![
        does(OURS, || {
            let (sender, mut receiver) = anysync::oneshot::channel();
            sender.send(7_u64).expect("a receiver");
            black_box(ready(receiver.recv(anysync::Bare)).expect("a value"));
        }),
        does("anysync, lent slot", || {
            let mut slot = anysync::oneshot::Slot::new();
            let (sender, mut receiver) = slot.split();
            sender.send(7_u64).expect("a receiver");
            black_box(ready(receiver.recv(anysync::Bare)).expect("a value"));
        }),
        does("tokio", || {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            sender.send(7_u64).expect("a receiver");
            black_box(ready(receiver).expect("a value"));
        }),
        does("futures", || {
            let (sender, receiver) = futures::channel::oneshot::channel();
            sender.send(7_u64).expect("a receiver");
            black_box(ready(receiver).expect("a value"));
        }),
        does("asyncband", || {
            let (sender, receiver) = asyncband::oneshot::channel();
            sender.send(7_u64).expect("a receiver");
            black_box(ready(receiver.into_future()).expect("a value"));
        }),
        does("oneshot", || {
            let (sender, receiver) = oneshot::async_channel();
            sender.send(7_u64).expect("a receiver");
            black_box(ready(receiver).expect("a value"));
        }),
        does("crossfire", || {
            let (sender, receiver) = crossfire::oneshot::oneshot();
            sender.send(7_u64);
            black_box(ready(receiver.recv_async()).expect("a value"));
        }),
    ]
}

macro_rules! receives {
    ($name:expr, $new:expr, |$sender:ident| $send:expr, |$receiver:ident| $recv:expr) => {{
        let waker = waker();
        does($name, move || {
            #[allow(unused_mut, reason = "some receive by `&mut`")]
            let ($sender, mut $receiver) = $new;
            let mut wait = pin!($recv);
            queued(wait.as_mut(), &waker);
            let _ = $send;
            black_box(finished(wait, &waker).expect("a value"));
        })
    }};
}

fn waits() -> Vec<Contender> {
    let task = waker();
    vec![
        receives!(OURS, anysync::oneshot::channel(), |s| s.send(7_u64), |r| r
            .recv(anysync::Bare)),
        does("anysync, lent slot", move || {
            let mut slot = anysync::oneshot::Slot::new();
            let (sender, mut receiver) = slot.split();
            let mut wait = pin!(receiver.recv(anysync::Bare));
            queued(wait.as_mut(), &task);
            sender.send(7_u64).expect("a receiver");
            black_box(finished(wait, &task).expect("a value"));
        }),
        receives!(
            "tokio",
            tokio::sync::oneshot::channel(),
            |s| s.send(7_u64),
            |r| r
        ),
        receives!(
            "futures",
            futures::channel::oneshot::channel(),
            |s| s.send(7_u64),
            |r| r
        ),
        receives!(
            "asyncband",
            asyncband::oneshot::channel(),
            |s| s.send(7_u64),
            |r| r.into_future()
        ),
        receives!(
            "oneshot",
            oneshot::async_channel(),
            |s| s.send(7_u64),
            |r| r
        ),
        receives!(
            "crossfire",
            crossfire::oneshot::oneshot(),
            |s| s.send(7_u64),
            |r| r.recv_async()
        ),
    ]
}
