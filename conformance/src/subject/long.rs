//! Calls that may take long, and the short ones that another thread makes meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Subject, Token};

/// A call that has much to do, and another of the same primitive that has not.
pub struct LongCall {
    /// What it is, for messages.
    pub name: &'static str,
    /// The call.
    pub long: Box<dyn FnOnce() + Send>,
    /// What another thread calls meanwhile.
    pub other: Box<dyn Fn() + Send + Sync>,
}

/// Those of the kinds of a subject, with so much to do.
pub(super) fn long_calls(subject: &Arc<dyn Subject>, size: usize) -> Vec<LongCall> {
    let mut all = Vec::new();
    if subject.new_broadcast(1).is_some() {
        all.push(broadcast_leave(subject, size));
    }
    all.extend(subject.more_long_calls(size));
    all
}

/// A receiver that has read nothing leaves; what it has not read is another's, too.
pub fn broadcast_leave(subject: &Arc<dyn Subject>, size: usize) -> LongCall {
    let sender = subject.broadcast(size.next_power_of_two());
    let (goes, stays) = (sender.subscribe(), sender.subscribe());
    let message = Arc::new(Token::new(1));
    for _ in 0..size {
        let sent = sender.send(Arc::clone(&message));
        assert!(sent.is_ok(), "there are receivers");
    }
    let stays = Mutex::new(stays);
    LongCall {
        name: "Broadcast: a receiver that is far behind leaves",
        long: Box::new(move || drop(goes)),
        other: Box::new(move || {
            let mut stays = stays.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = stays.try_recv();
        }),
    }
}
