//! The laws, a file for each group. A new law is an `async fn` and an entry in
//! its file's `LAWS`.

use crate::law::Law;

mod any;
mod barrier;
mod broadcast;
mod cancellation;
mod channel;
mod condvar;
mod floor;
mod hand;
mod io;
mod mutex;
mod notify;
mod once_cell;
mod oneshot;
mod pattern;
mod rwlock;
mod semaphore;
mod stalls;
mod watch;

/// All laws, in the order of the report.
pub fn all() -> Vec<Law> {
    let groups = [
        any::LAWS,
        notify::LAWS,
        barrier::LAWS,
        once_cell::LAWS,
        mutex::LAWS,
        rwlock::LAWS,
        semaphore::LAWS,
        condvar::LAWS,
        channel::LAWS,
        oneshot::LAWS,
        watch::LAWS,
        broadcast::LAWS,
        cancellation::LAWS,
        io::LAWS,
        pattern::LAWS,
        pattern::messages::LAWS,
    ];
    groups.concat()
}
