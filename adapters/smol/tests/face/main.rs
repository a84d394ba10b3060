//! One body of tests for each drop-in, over the original and over ours: a name
//! that is missing does not compile, and what both promise is asked of both.
//! `differs` shows, from each side, where they are not the same.

#![forbid(unsafe_code)]

mod differs;
mod names;
mod support;

/// The bodies, each with the library that it is about by the name of the drop-in.
macro_rules! faces {
    ($($side:ident: $lock:ident, $channel:ident, $event:ident;)*) => {$(
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
            mod once_cell_programs {
                use crate::$lock as lock;
                include!("once_cell_programs.rs");
            }
            mod channel {
                use crate::$channel as channel;
                include!("channel.rs");
            }
            pub(crate) mod ends {
                use crate::$channel as channel;
                use crate::$lock as lock;
                include!("ends.rs");
            }
            mod event {
                use crate::$event as event;
                include!("event.rs");
            }
        }
    )*};
}

use anysync_smol::channel as our_channel;
use anysync_smol::event as our_event;
use anysync_smol::lock as our_lock;
use async_channel as original_channel;
use async_lock as original_lock;
use event_listener as original_event;

faces! {
    original: original_lock, original_channel, original_event;
    ours: our_lock, our_channel, our_event;
}

/// Over generated programs of joins, selects, buffers, timeouts and kept futures.
#[test]
fn ends_where_the_original_ends() {
    // Of waits that are woken in vain, the originals let the one behind be woken next; ours
    // keep their places, so that none starves. Which of them happens to be woken decides
    // whether some programs end, by either.
    anysync_adapter_tests::ends::ends_where_the_original_ends(
        2_000,
        [3, 5],
        original::ends::places,
        ours::ends::places,
    );
}
