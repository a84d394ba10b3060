//! Every name of async-lock 3.5, async-channel 2.5 and event-listener 5.4.2, kept by
//! hand, is used by a test of both.

use anysync_adapter_tests::names::unused;

/// The names of each kind, and the file that tests it.
macro_rules! names {
    ($($kind:ident in $file:literal: $list:literal;)+) => {$(
        #[test]
        fn $kind() {
            let unused = unused($list, &[include_str!($file)]);
            assert_eq!(unused, [""; 0], "names that no test uses");
        }
    )+};
}

names! {
    mutex in "mutex.rs": "Mutex: new into_inner get_mut lock lock_arc lock_blocking
        lock_arc_blocking try_lock try_lock_arc
        MutexGuard: source
        MutexGuardArc: source";
    rwlock in "rwlock.rs": "RwLock: new into_inner get_mut read upgradable_read write read_arc
        upgradable_read_arc write_arc read_blocking upgradable_read_blocking write_blocking
        read_arc_blocking upgradable_read_arc_blocking write_arc_blocking try_read
        try_upgradable_read try_write try_read_arc try_upgradable_read_arc try_write_arc
        RwLockReadGuard:
        RwLockReadGuardArc:
        RwLockUpgradableReadGuard: downgrade try_upgrade upgrade upgrade_blocking
        RwLockUpgradableReadGuardArc: downgrade try_upgrade upgrade upgrade_blocking
        RwLockWriteGuard: downgrade downgrade_to_upgradable
        RwLockWriteGuardArc: downgrade downgrade_to_upgradable";
    semaphore in "semaphore.rs": "Semaphore: new acquire acquire_arc acquire_blocking
        acquire_arc_blocking try_acquire try_acquire_arc add_permits available_permits
        SemaphoreGuard: forget
        SemaphoreGuardArc: forget";
    barrier in "barrier.rs": "Barrier: new wait wait_blocking
        BarrierWaitResult: is_leader";
    once_cell in "once_cell.rs": "OnceCell: new is_initialized get get_mut take into_inner wait
        wait_blocking get_or_init get_or_init_blocking get_or_try_init get_or_try_init_blocking set
        set_blocking try_set";
    channel in "channel.rs": "bounded:
        unbounded:
        Sender: try_send send send_blocking force_send closed close is_closed is_empty is_full len
            capacity sender_count receiver_count downgrade same_channel
        Receiver: recv try_recv recv_blocking
        WeakSender: upgrade
        WeakReceiver: upgrade
        SendError:
        TrySendError: Full Closed into_inner is_full is_closed
        RecvError:
        TryRecvError: Empty Closed is_empty is_closed";
    event in "event.rs": "Event: new with_tag listen notify notify_relaxed notify_additional
        notify_additional_relaxed is_notified total_listeners
        EventListener:
        Listener: wait wait_timeout wait_deadline discard listens_to same_event
        IntoNotification: additional relaxed tag tag_with
        listener:";
}
