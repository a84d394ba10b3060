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

/// The traits that only one side has.
#[test]
fn traits() {
    use anysync_adapter_tests::compile::differences;
    let found = differences(&original::traits::rows(), &ours::traits::rows());
    let open = [
        "IntoNotification::tag_with has Clone: u8 str String unit SendOnly Neither Plain SyncOnly Pinned Exclusive",
        "lock::MutexGuard<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::MutexGuardArc<T> lacks Sync: SyncOnly DynSync",
        "lock::RwLockReadGuardArc<T> lacks RefUnwindSafe: u8 str String unit Neither Plain SyncOnly Pinned Exclusive",
        "lock::RwLockReadGuardArc<T> lacks UnwindSafe: u8 str String unit Neither Plain SyncOnly Pinned Exclusive",
        "lock::RwLockUpgradableReadGuard<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::RwLockWriteGuard<'static, T> lacks Send: SendOnly DynSend",
        "lock::RwLockWriteGuard<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::futures::Lock<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::futures::LockArc<T> lacks Sync: SyncOnly DynSync",
        "lock::futures::Read<'static, T> lacks Send: SyncOnly DynSync",
        "lock::futures::Read<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::futures::UpgradableRead<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::futures::Upgrade<'static, T> lacks Send: SendOnly DynSend",
        "lock::futures::Upgrade<'static, T> lacks Sync: SyncOnly DynSync",
        "lock::futures::Write<'static, T> lacks Send: SendOnly DynSend",
        "lock::futures::Write<'static, T> lacks Sync: SyncOnly DynSync",
    ];
    assert_eq!(found, open, "{found:#?}");
}
