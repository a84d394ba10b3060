//! Every name of `tokio::sync` 1.54.1 and of `tokio_util`'s token, kept by hand, is
//! used by a test of both.

use anysync_adapter_tests::names::unused;

/// The names of each kind, and the files that test it.
macro_rules! names {
    ($($kind:ident in $($file:literal)+: $list:literal;)+) => {$(
        #[test]
        fn $kind() {
            let tests = [$(include_str!($file)),+];
            assert_eq!(unused($list, &tests), [""; 0], "names that no test uses");
        }
    )+};
}

names! {
    notify in "notify.rs" "locks_anywhere.rs": "Notify: new const_new notified notified_owned
        notify_one notify_last notify_waiters
        Notified: enable
        OwnedNotified: enable";
    barrier in "barrier.rs" "locks_anywhere.rs": "Barrier: new wait
        BarrierWaitResult: is_leader";
    once_cell in "once_cell.rs" "locks_anywhere.rs": "OnceCell: new const_new new_with
        const_new_with initialized get get_mut set get_or_init get_or_try_init into_inner take from
        SetError: AlreadyInitializedError InitializingError is_already_init_err is_initializing_err";
    set_once in "set_once.rs" "locks_anywhere.rs": "SetOnce: new const_new new_with const_new_with
        initialized get set into_inner wait
        SetOnceError:";
    mutex in "mutex.rs" "locks_anywhere.rs": "Mutex: new const_new lock blocking_lock lock_owned
        blocking_lock_owned try_lock try_lock_owned get_mut into_inner
        MutexGuard: map try_map mutex
        OwnedMutexGuard: map try_map mutex
        MappedMutexGuard: map try_map
        OwnedMappedMutexGuard: map try_map
        TryLockError:";
    rwlock in "rwlock.rs" "locks_anywhere.rs": "RwLock: new with_max_readers const_new
        const_with_max_readers read write read_owned write_owned blocking_read blocking_write
        try_read try_write try_read_owned try_write_owned get_mut into_inner
        RwLockReadGuard: map try_map
        RwLockWriteGuard: map try_map downgrade downgrade_map try_downgrade_map into_mapped
        RwLockMappedWriteGuard: map try_map
        OwnedRwLockReadGuard: map try_map rwlock
        OwnedRwLockWriteGuard: map try_map downgrade downgrade_map try_downgrade_map into_mapped
            rwlock
        OwnedRwLockMappedWriteGuard: map try_map rwlock";
    semaphore in "semaphore.rs" "locks_anywhere.rs": "Semaphore: MAX_PERMITS new const_new
        available_permits add_permits forget_permits acquire acquire_many acquire_owned
        acquire_many_owned try_acquire try_acquire_many try_acquire_owned try_acquire_many_owned
        close is_closed
        SemaphorePermit: forget merge split semaphore num_permits
        OwnedSemaphorePermit: forget merge split semaphore num_permits
        AcquireError:
        TryAcquireError: NoPermits Closed";
    oneshot in "oneshot.rs" "messages_anywhere.rs": "oneshot: channel
        Sender: send closed is_closed poll_closed
        Receiver: close is_terminated is_empty try_recv blocking_recv
        RecvError:
        TryRecvError: Empty Closed";
    mpsc in "mpsc.rs" "mpsc_both.rs" "messages_anywhere.rs": "mpsc: channel unbounded_channel
        Sender: send closed try_send send_timeout blocking_send is_closed reserve reserve_many
            reserve_owned try_reserve try_reserve_many try_reserve_owned same_channel capacity
            downgrade max_capacity strong_count weak_count
        WeakSender: upgrade strong_count weak_count
        Receiver: recv recv_many blocking_recv blocking_recv_many poll_recv poll_recv_many try_recv
            close is_closed is_empty len capacity max_capacity sender_strong_count
            sender_weak_count
        Permit: send
        PermitIterator: next
        OwnedPermit: send release same_channel same_channel_as_sender
        UnboundedSender: send
        WeakUnboundedSender: upgrade
        UnboundedReceiver: recv
        SendError:
        TrySendError: Full Closed
        TryRecvError: Empty Disconnected
        SendTimeoutError: Timeout Closed";
    broadcast in "broadcast.rs" "messages_anywhere.rs": "broadcast: channel
        Sender: new send subscribe downgrade len is_empty receiver_count same_channel closed
            strong_count weak_count
        WeakSender: upgrade
        Receiver: len is_empty same_channel sender_strong_count sender_weak_count is_closed
            resubscribe recv try_recv blocking_recv
        SendError:
        RecvError: Closed Lagged
        TryRecvError: Empty Closed Lagged";
    watch in "watch.rs" "messages_anywhere.rs": "watch: channel
        Sender: new send send_modify send_if_modified send_replace borrow is_closed closed subscribe
            receiver_count sender_count same_channel
        Receiver: borrow borrow_and_update has_changed is_closed mark_changed mark_unchanged changed
            wait_for same_channel
        Ref: has_changed
        SendError:
        RecvError:";
    cancellation in "cancellation.rs" "messages_anywhere.rs": "CancellationToken: new child_token
        cancel is_cancelled cancelled cancelled_owned drop_guard drop_guard_ref
        run_until_cancelled run_until_cancelled_owned
        DropGuard: disarm
        DropGuardRef: disarm
        WaitForCancellationFuture:
        WaitForCancellationFutureOwned:";
}
