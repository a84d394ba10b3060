//! Waits that are ready, in one poll of a task.

use std::future::Future;
use std::pin::Pin;

use futures::FutureExt;

use super::by_hand;
use crate::cx::{Cx, DynIo};
use crate::erased::BoxFuture;
use crate::subject::{Contended, Contending};
use crate::wakers::{counting, poll};

const WAITS: usize = 1_000;

fn turn<'a>(place: &'a dyn Contended, io: &'a DynIo) -> BoxFuture<'a, ()> {
    place.turn(io, 0, Box::pin(async {}))
}

pub(super) async fn ready_wait_needs_no_executor(cx: Cx, contending: Contending) {
    // Where no executor is.
    let of = contending.clone();
    by_hand(&cx, move || {
        let (place, io) = ((of.fresh)(1), DynIo::bare());
        for wait in 0..WAITS {
            let polled = turn(&*place, &io).now_or_never();
            assert!(
                polled.is_some(),
                "wait {wait} in a row is not ready at once"
            );
        }
    })
    .await;

    // In one poll of a task, by an executor within.
    let (place, io) = ((contending.fresh)(1), cx.io());
    for wait in 0..WAITS {
        let mut nested = turn(&*place, &io);
        assert!(
            block_on(nested.as_mut()),
            "wait {wait} in a row does not end in a `block_on` within a task"
        );
    }
}

/// Polls a future as `block_on` does, on a thread that does nothing else: whether it has
/// ended before it slept for ever, or was woken for ever.
fn block_on(mut future: Pin<&mut (impl Future + ?Sized)>) -> bool {
    let (wakes, waker) = counting();
    for _ in 0..WAITS {
        let woken = wakes.count();
        if poll(future.as_mut(), &waker).is_ready() {
            return true;
        }
        if wakes.count() == woken {
            return false;
        }
    }
    false
}
