//! Waits that are ready, in one poll of a task.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures::FutureExt;

use super::by_hand;
use crate::cx::{Cx, DynIo};
use crate::erased::BoxFuture;
use crate::subject::{Contended, Subject};
use crate::wakers::{counting, poll};

const WAITS: usize = 1_000;

fn turn<'a>(place: &'a dyn Contended, io: &'a DynIo) -> BoxFuture<'a, ()> {
    place.turn(io, 0, Box::pin(async {}))
}

pub(super) async fn ready_wait_needs_no_executor(cx: Cx, subject: Arc<dyn Subject>) {
    let of = Arc::clone(&subject);
    by_hand(&cx, move || where_no_executor_is(&of)).await;

    // In one poll of a task, by an executor within. A primitive that takes an
    // executor's handle takes none here; what has found one by itself may have a
    // budget, but not for a signal.
    if subject.new_notify().is_some() {
        let (notify, io) = (subject.notify(), DynIo::bare());
        for wait in 0..WAITS {
            notify.notify_one();
            let mut nested = notify.wait(&io);
            assert!(
                block_on(nested.as_mut()),
                "Notify: wait {wait} in a row does not end in a `block_on` within a task"
            );
        }
    }
    if subject.is_strict() {
        in_row(&subject, |wait| block_on(wait.as_mut()));
    }
}

fn where_no_executor_is(subject: &Arc<dyn Subject>) {
    in_row(subject, |wait| wait.now_or_never().is_some());
}

/// Many turns of each kind, each of which is to be over at once.
fn in_row(subject: &Arc<dyn Subject>, ends: impl Fn(&mut BoxFuture<'_, ()>) -> bool) {
    for contending in subject.contendings() {
        let (place, io) = ((contending.fresh)(1), DynIo::bare());
        for wait in 0..WAITS {
            assert!(
                ends(&mut turn(&*place, &io)),
                "{}: wait {wait} in a row does not end at once",
                contending.name
            );
        }
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
