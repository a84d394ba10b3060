//! One body of tests for each drop-in, over the original and over ours: a name that
//! is missing does not compile, and what both promise is asked of both. `differs`
//! shows, from each side, where they are not the same.

#![forbid(unsafe_code)]

mod differs;
mod names;
mod random;

/// The bodies, each with the library that it is about by the name of its module.
macro_rules! faces {
    ($($side:ident: $lock:path, $channel:path;)*) => {$(
        mod $side {
            mod lock {
                use $lock as lock;
                include!("lock.rs");
            }
            pub(crate) mod ends {
                use $lock as lock;
                include!("ends.rs");
            }
            mod oneshot {
                use $channel as channel;
                include!("oneshot.rs");
            }
            mod mpsc {
                use $channel as channel;
                include!("mpsc.rs");
            }
            mod mpsc_slots {
                use $channel as channel;
                include!("mpsc_slots.rs");
            }
            mod states {
                use $channel as channel;
                use $lock as lock;
                include!("states.rs");
            }
        }
    )*};
}

faces! {
    original: futures::lock, futures::channel;
    ours: anysync_futures::lock, anysync_futures::channel;
}

/// Over generated programs of joins, selects, buffers, timeouts and kept futures.
#[test]
fn ends_where_the_original_ends() {
    // Which of two waits an unlock wakes decides whether some programs end, by either: those
    // that keep waits in one buffer while they wait in another.
    anysync_adapter_tests::ends::ends_where_the_original_ends(
        2_000,
        [0, 8],
        original::ends::places,
        ours::ends::places,
    );
}
