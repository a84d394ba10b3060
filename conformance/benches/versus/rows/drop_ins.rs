//! The drop-ins beside what they replace, called as their users call them.
//!
//! A module of contenders is written once, by a macro that is given the path of one
//! or of the other. So nothing but the `use` differs, and the names of a row's two
//! contenders.

mod for_futures;
mod for_smol;
mod for_tokio;

use crate::harness::Row;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = for_tokio::rows();
    rows.extend(for_smol::rows());
    rows.extend(for_futures::rows());
    rows
}

/// Rows of a group, each of a function that is in both modules.
macro_rules! group {
    ($group:literal, $ours:ident, $theirs:ident, $($what:literal => $work:ident $(of $operations:expr)?),+ $(,)?) => {
        pub(in crate::rows) fn rows() -> Vec<Row> {
            vec![$(
                Row::new($group, $what, || vec![$ours::$work(), $theirs::$work()])
                    $(.operations($operations))?
            ),+]
        }
    };
}
use group;
