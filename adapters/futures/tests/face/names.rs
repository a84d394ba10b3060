//! Every name of `futures::{lock, channel}` of 0.3, kept by hand, is used by a test of
//! both.

use anysync_adapter_tests::names::unused;

#[test]
fn lock() {
    let list = "Mutex: new into_inner get_mut try_lock lock lock_owned try_lock_owned from default
        MutexGuard: map
        MappedMutexGuard: map
        OwnedMutexGuard:
        MutexLockFuture: is_terminated
        OwnedMutexLockFuture: is_terminated";
    assert_eq!(unused(list, &[include_str!("lock.rs")]), [""; 0]);
}

#[test]
fn oneshot() {
    let list = "oneshot: channel
        Sender: send poll_canceled cancellation is_canceled is_connected_to
        Receiver: close try_recv is_terminated
        Cancellation:
        Canceled:";
    assert_eq!(unused(list, &[include_str!("oneshot.rs")]), [""; 0]);
}

#[test]
fn mpsc() {
    let list = "mpsc: channel unbounded
        Sender: try_send start_send poll_ready is_closed close_channel disconnect same_receiver
            is_connected_to hash_receiver poll_flush poll_close
        UnboundedSender: unbounded_send start_send poll_ready is_closed close_channel disconnect
            same_receiver is_connected_to hash_receiver len is_empty
        Receiver: recv close try_next try_recv poll_next size_hint is_terminated
        UnboundedReceiver: recv close try_recv
        Recv:
        SendError: is_full is_disconnected
        TrySendError: is_full is_disconnected into_inner into_send_error
        TryRecvError: Empty Closed is_empty is_closed
        RecvError:";
    assert_eq!(unused(list, &[include_str!("mpsc.rs")]), [""; 0]);
}
