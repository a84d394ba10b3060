//! What compiles with the originals compiles with the drop-ins: one body over both. What
//! cannot is said here, and in `MIGRATION.md`.

#![forbid(unsafe_code)]

/// The bodies, each with the modules that it is about by the names of the drop-ins, and
/// what the macro `listener!` makes by the name `listened`.
macro_rules! sides {
    ($($side:ident: $lock:path, $channel:path, $event:path, $listened:path;)*) => {$(
        mod $side {
            #[allow(unused_imports, unused_assignments, unused_variables)]
            mod drops {
                use $channel as channel;
                use $event as event;
                use $listened as listened;
                use $lock as lock;
                include!("drops.rs");
            }
            #[allow(clippy::type_complexity)]
            pub(crate) mod traits {
                use $channel as channel;
                use $event as event;
                use $listened as listened;
                use $lock as lock;
                include!("traits.rs");
            }
            #[allow(dead_code, unused_imports)]
            mod variance {
                use $channel as channel;
                use $event as event;
                use $listened as listened;
                use $lock as lock;
                include!("variance.rs");
            }
        }
    )*};
}

sides! {
    original: async_lock, async_channel, event_listener, event_listener::__private;
    ours: anysync_smol::lock, anysync_smol::channel, anysync_smol::event, anysync_smol::event;
}

/// The traits that only the originals have, each since it would be unsound.
#[test]
fn traits() {
    use anysync_adapter_tests::compile::differences;
    let found = differences(&original::traits::rows(), &ours::traits::rows());
    let unsound = [
        // `source` leads a thread that shares the guard to the mutex: another thread
        // locks that when the guard has gone, and has a value that may not be sent.
        "lock::MutexGuard<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::MutexGuardArc<T> lacks Sync: SyncOnly DynSync",
        // Another thread downgrades the guard, and shares the value with one that reads
        // here.
        "lock::RwLockWriteGuard<'static, T> lacks Send: SendOnly DynSend",
        // As above: they return that guard where they are polled.
        "lock::futures::Upgrade<'static, T> lacks Send: SendOnly DynSend",
        "lock::futures::Write<'static, T> lacks Send: SendOnly DynSend",
    ];
    assert_eq!(found, unsound, "{found:#?}");
}
