// Which traits each type has, and each future that has no name. The locks and channels
// are those of `anysync-smol`, and so are their tests.

use anysync_adapter_tests::compile::Row;
use anysync_adapter_tests::rows;
use std::time::Duration;

use sync::{Condvar, MutexGuard};

pub(crate) fn rows() -> Vec<Row> {
    let rows = &mut Vec::new();
    rows!(rows, sized T, types {} functions {
        "Condvar::wait":
            |(it, guard): (&'static Condvar, MutexGuard<'static, T>)| it.wait(guard);
        "Condvar::wait_until":
            |(it, guard, is): (&'static Condvar, MutexGuard<'static, T>, fn(&mut T) -> bool)|
                it.wait_until(guard, is);
        "Condvar::wait_timeout":
            |(it, guard): (&'static Condvar, MutexGuard<'static, T>)|
                it.wait_timeout(guard, Duration::ZERO);
        "Condvar::wait_timeout_until":
            |(it, guard, is): (&'static Condvar, MutexGuard<'static, T>, fn(&mut T) -> bool)|
                it.wait_timeout_until(guard, Duration::ZERO, is);
    });
    rows!(rows, none, types {
        Condvar;
    } functions {});
    std::mem::take(rows)
}
