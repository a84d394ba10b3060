//! The laws of Notify.

use std::sync::Arc;

use crate::backend::Capability::Spawn;
use crate::cx::Cx;
use crate::law::{About, Law};
use crate::run;
use crate::subject::{Kind, Subject};

const NOTIFY: About = About::Kinds(&[Kind::Notify]);

pub(super) const LAWS: &[Law] = &[Law::must(
    "notify::permit_is_stored",
    NOTIFY,
    "notify_one with nobody waiting lets the next wait through at once.",
    "Store a permit when the queue is empty, and let a wait take it before it queues.",
    run!(permit_is_stored),
)
.needs(&[Spawn])];

async fn permit_is_stored(cx: Cx, subject: Arc<dyn Subject>) {
    let notify = subject.notify();
    notify.notify_one();
    cx.waiting("the wait that finds a permit", notify.wait(&cx.io()))
        .await;
    // The permit is used up.
    let second = Arc::clone(&notify);
    let io = cx.io();
    let waiter = cx
        .spawn_queued("second", async move { second.wait(&io).await })
        .await;
    if let Some(count) = notify.waiter_count() {
        assert_eq!(count, 1, "the second wait queues, for the permit is gone");
    }
    notify.notify_one();
    waiter.join().await;
}
