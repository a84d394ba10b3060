//! The laws, a file for each group. A new law is an `async fn` and an entry in
//! its file's `LAWS`.

use crate::law::Law;

mod any;
mod barrier;
mod hand;
mod io;
mod notify;

/// All laws, in the order of the report.
pub fn all() -> Vec<Law> {
    [any::LAWS, notify::LAWS, barrier::LAWS, io::LAWS].concat()
}
