//! One body of tests for each kind, over tokio's own and over the drop-in: a name
//! that is missing does not compile, and what both promise is asked of both.

#![forbid(unsafe_code)]

mod differs;
mod names;
mod nested;
mod support;

/// The bodies, each with the module that it is about by the name `sync`; that of
/// `CancellationToken`, which is in another crate, by the name `util`.
macro_rules! faces {
    ($($side:ident: $sync:path, $util:path;)*) => {$(
        mod $side {
            pub(crate) mod budget {
                use $sync as sync;
                use $util as util;
                include!("budget.rs");
            }
            mod barrier {
                use $sync as sync;
                include!("barrier.rs");
            }
            mod broadcast {
                use $sync as sync;
                include!("broadcast.rs");
            }
            mod cancellation {
                use $util as util;
                include!("cancellation.rs");
            }
            pub(crate) mod ends {
                use $sync as sync;
                include!("ends.rs");
            }
            mod locks_anywhere {
                use $sync as sync;
                include!("locks_anywhere.rs");
            }
            mod messages_anywhere {
                use $sync as sync;
                use $util as util;
                include!("messages_anywhere.rs");
            }
            mod mpsc {
                use $sync as sync;
                include!("mpsc.rs");
            }
            mod mutex {
                use $sync as sync;
                include!("mutex.rs");
            }
            mod notify {
                use $sync as sync;
                include!("notify.rs");
            }
            mod once_cell {
                use $sync as sync;
                include!("once_cell.rs");
            }
            mod oneshot {
                use $sync as sync;
                include!("oneshot.rs");
            }
            mod rwlock {
                use $sync as sync;
                include!("rwlock.rs");
            }
            mod semaphore {
                use $sync as sync;
                include!("semaphore.rs");
            }
            mod set_once {
                use $sync as sync;
                include!("set_once.rs");
            }
            mod watch {
                use $sync as sync;
                include!("watch.rs");
            }
        }
    )*};
}

faces! {
    original: tokio::sync, tokio_util::sync;
    ours: anysync_tokio::sync, anysync_tokio::sync;
}

/// Over generated programs of joins, selects, buffers, timeouts and kept futures.
#[test]
fn ends_where_the_original_ends() {
    anysync_adapter_tests::ends::ends_where_the_original_ends(
        2_000,
        [0, 0],
        original::ends::places,
        ours::ends::places,
    );
}
