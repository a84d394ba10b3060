//! The rows: one file for each kind of primitive.

use crate::harness::Row;

mod barrier;
mod channel;
mod drop_ins;
mod floor;
mod growth;
mod io;
mod many;
mod mutex;
mod notify;
mod once_cell;
mod oneshot;
mod rwlock;
mod seed;
mod semaphore;
mod tasks;

pub(crate) fn all() -> Vec<Row> {
    let groups = [
        floor::rows(),
        notify::rows(),
        barrier::rows(),
        once_cell::rows(),
        mutex::rows(),
        rwlock::rows(),
        semaphore::rows(),
        oneshot::rows(),
        channel::rows(),
        many::rows(),
        io::rows(),
        seed::rows(),
        drop_ins::rows(),
        growth::rows(),
    ];
    groups.into_iter().flatten().collect()
}
