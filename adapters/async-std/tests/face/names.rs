//! Every name of `async_std::sync` and `async_std::channel` of 1.13, kept by hand, is
//! used by a test of both, here or among those of `anysync_smol`.

use anysync_adapter_tests::names::unused;

#[test]
fn sync() {
    let list = "Arc:
        Weak:
        Mutex:
        MutexGuard:
        MutexGuardArc:
        RwLock:
        RwLockReadGuard:
        RwLockUpgradableReadGuard:
        RwLockWriteGuard:
        Barrier:
        BarrierWaitResult:";
    assert_eq!(unused(list, &[include_str!("main.rs")]), [""; 0]);
}

#[test]
fn condvar() {
    let list = "Condvar: new wait wait_until wait_timeout wait_timeout_until notify_one notify_all
            default timed_out";
    assert_eq!(unused(list, &[include_str!("condvar.rs")]), [""; 0]);
}

#[test]
fn channel() {
    let list = "bounded:
        unbounded:
        Sender: try_send send send_blocking close is_closed is_empty is_full len capacity
            sender_count receiver_count downgrade
        Receiver: recv try_recv recv_blocking close is_closed is_empty is_full len capacity
            sender_count receiver_count downgrade
        WeakSender: upgrade
        WeakReceiver: upgrade
        Send:
        Recv:
        SendError: into_inner
        TrySendError: Full Closed into_inner is_full is_closed
        RecvError:
        TryRecvError: Empty Closed is_empty is_closed";
    assert_eq!(unused(list, &[include_str!("channel.rs")]), [""; 0]);
}
