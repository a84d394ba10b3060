//! One body of tests for each drop-in, over the original and over ours: a name
//! that is missing does not compile, and what both promise is asked of both.
//! `differs` shows, from each side, where they are not the same.

#![forbid(unsafe_code)]

mod differs;
mod support;

/// The bodies, with `lock` for the library that they are about.
macro_rules! faces {
    ($($side:ident: $lock:ident;)*) => {$(
        mod $side {
            mod mutex {
                use crate::$lock as lock;
                include!("mutex.rs");
            }
            mod rwlock {
                use crate::$lock as lock;
                include!("rwlock.rs");
            }
            mod semaphore {
                use crate::$lock as lock;
                include!("semaphore.rs");
            }
            mod barrier {
                use crate::$lock as lock;
                include!("barrier.rs");
            }
            mod once_cell {
                use crate::$lock as lock;
                include!("once_cell.rs");
            }
        }
    )*};
}

use anysync_smol::lock as our_lock;
use async_lock as original_lock;

faces! {
    original: original_lock;
    ours: our_lock;
}
