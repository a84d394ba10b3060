//! What compiles with the originals compiles with the drop-ins: one body over both. What
//! cannot is said here, and in `MIGRATION.md`.

#![forbid(unsafe_code)]

/// The bodies, each with the library that it is about by the name of its module.
macro_rules! sides {
    ($($side:ident: $lock:path, $channel:path;)*) => {$(
        mod $side {
            #[allow(unused_imports, unused_assignments, unused_variables)]
            mod drops {
                use $channel as channel;
                use $lock as lock;
                include!("drops.rs");
            }
            #[allow(clippy::type_complexity)]
            pub(crate) mod traits {
                use $channel as channel;
                use $lock as lock;
                include!("traits.rs");
            }
            #[allow(dead_code, unused_imports)]
            mod variance {
                use $channel as channel;
                use $lock as lock;
                include!("variance.rs");
            }
        }
    )*};
}

sides! {
    original: futures::lock, futures::channel;
    ours: anysync_futures::lock, anysync_futures::channel;
}

/// The traits that only one side has.
#[test]
fn traits() {
    use anysync_adapter_tests::compile::differences;
    let found = differences(&original::traits::rows(), &ours::traits::rows());
    let open = [
        "lock::MappedMutexGuard<'static, T, T> lacks Sync: SyncOnly DynSync",
        "lock::MappedMutexGuard<'static, T, u8> lacks Sync: SyncOnly DynSync",
        "lock::MutexGuard<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::MutexLockFuture<'static, T> lacks Sync: Neither SyncOnly DynNeither DynSync",
        "lock::OwnedMutexGuard<T> lacks Sync: SyncOnly DynSync",
        "lock::OwnedMutexLockFuture<T> lacks Sync: Neither SyncOnly DynNeither DynSync",
    ];
    assert_eq!(found, open, "{found:#?}");
}
