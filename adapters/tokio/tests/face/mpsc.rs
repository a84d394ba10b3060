// Included for each side, see `main.rs`. What both kinds of channel do alike is
// in `mpsc_both.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::iter::FusedIterator;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use sync::mpsc::error::{SendError, SendTimeoutError, TryRecvError, TrySendError};
use sync::mpsc::{
    OwnedPermit, Permit, PermitIterator, Receiver, Sender, UnboundedReceiver, UnboundedSender,
    WeakSender, WeakUnboundedSender, channel,
};

use crate::support::{MAY_NOT_BLOCK, Task, blamed_panic_of, now, panic_of, runtime};

assert_impl_all!(Sender<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Clone, Debug);
assert_not_impl_any!(Sender<Rc<u8>>: Send, Sync);
assert_impl_all!(Receiver<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Debug);
assert_not_impl_any!(Receiver<Rc<u8>>: Send, Sync);
assert_not_impl_any!(Receiver<u8>: Clone);
assert_impl_all!(WeakSender<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Clone, Debug);
assert_not_impl_any!(WeakSender<Rc<u8>>: Send, Sync);
assert_impl_all!(UnboundedSender<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(UnboundedSender<Rc<u8>>: Clone, Debug);
assert_not_impl_any!(UnboundedSender<Rc<u8>>: Send, Sync);
assert_impl_all!(UnboundedReceiver<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(UnboundedReceiver<Rc<u8>>: Debug);
assert_not_impl_any!(UnboundedReceiver<u8>: Clone);
assert_not_impl_any!(UnboundedReceiver<Rc<u8>>: Send, Sync);
assert_impl_all!(WeakUnboundedSender<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(WeakUnboundedSender<Rc<u8>>: Clone, Debug);
assert_not_impl_any!(WeakUnboundedSender<Rc<u8>>: Send, Sync);
assert_impl_all!(Permit<'static, Cell<u8>>: Send, Sync, Unpin, UnwindSafe, Debug);
assert_not_impl_any!(Permit<'static, Rc<u8>>: Send, Sync);
assert_impl_all!(PermitIterator<'static, Cell<u8>>: Send, Sync, Unpin, UnwindSafe, Debug);
assert_impl_all!(PermitIterator<'static, u8>: ExactSizeIterator, FusedIterator);
assert_not_impl_any!(PermitIterator<'static, Rc<u8>>: Send, Sync);
assert_impl_all!(OwnedPermit<Cell<u8>>: Send, Sync, Unpin, UnwindSafe, Debug);
assert_not_impl_any!(OwnedPermit<Rc<u8>>: Send, Sync);
assert_impl_all!(SendError<u8>: Error, Copy, Eq, Send, Sync);
assert_impl_all!(TrySendError<u8>: Error, Copy, Eq, From<SendError<u8>>, Send, Sync);
assert_impl_all!(SendTimeoutError<u8>: Error, Copy, Eq, Send, Sync);
assert_impl_all!(TryRecvError: Error, Copy, Eq, Send, Sync);
#[allow(deprecated)]
mod never_returned {
    use super::sync::mpsc::error::RecvError;
    static_assertions::assert_impl_all!(RecvError: std::error::Error, Clone, Send, Sync);
}

fn is_send<F: Send>(future: F) -> F {
    future
}

#[test]
fn capacity_is_a_bound() {
    let (sender, mut receiver) = channel(2);
    assert_eq!((sender.capacity(), sender.max_capacity()), (2, 2));
    sender.try_send(1).unwrap();
    now(sender.send(2)).unwrap();
    assert_eq!(sender.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!((receiver.capacity(), receiver.max_capacity()), (0, 2));
    assert_eq!(receiver.len(), 2);
    let task = Task::new();
    let mut sending = pin!(is_send(sender.send(4)));
    task.pending(sending.as_mut());
    assert_eq!(receiver.try_recv(), Ok(1));
    assert!(task.woken());
    // The slot is for the one who waits.
    assert_eq!(sender.capacity(), 0);
    assert_eq!(sender.try_send(5), Err(TrySendError::Full(5)));
    assert_eq!(task.ready(sending), Ok(()));
    assert_eq!(now(receiver.recv()), Some(2));
    assert_eq!(now(receiver.recv()), Some(4));
}

#[test]
fn waiting_senders_are_first_in_first_out() {
    let (sender, mut receiver) = channel(1);
    sender.try_send(0).unwrap();
    let tasks = [Task::new(), Task::new(), Task::new()];
    let mut sends: Vec<_> = (1..=3).map(|n| Box::pin(sender.send(n))).collect();
    for (task, sending) in tasks.iter().zip(&mut sends) {
        task.pending(sending.as_mut());
    }
    for n in 0..3 {
        assert_eq!(receiver.try_recv(), Ok(n));
        let n = n as usize;
        assert!(tasks[n].woken() && !tasks.get(n + 1).is_some_and(Task::woken));
        tasks[n].ready(sends[n].as_mut()).unwrap();
    }
    assert_eq!(receiver.try_recv(), Ok(3));
}

#[test]
fn a_send_that_is_given_up_has_not_sent() {
    let (sender, mut receiver) = channel(1);
    let kept = Arc::new(());
    sender.try_send(kept.clone()).unwrap();
    let (first, second) = (Task::new(), Task::new());
    let mut given_up = Box::pin(sender.send(kept.clone()));
    let mut next = pin!(sender.send(kept.clone()));
    first.pending(given_up.as_mut());
    second.pending(next.as_mut());
    receiver.try_recv().unwrap();
    assert!(first.woken() && !second.woken());
    // It had been given the slot.
    drop(given_up);
    assert!(second.woken());
    second.ready(next).unwrap();
    receiver.try_recv().unwrap();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn closing_refuses_who_waits() {
    let (sender, mut receiver) = channel(1);
    sender.try_send(1).unwrap();
    let tasks = [Task::new(), Task::new(), Task::new()];
    let mut sending = pin!(sender.send(2));
    let mut reserving = pin!(is_send(sender.reserve()));
    let mut owning = pin!(is_send(sender.clone().reserve_owned()));
    tasks[0].pending(sending.as_mut());
    tasks[1].pending(reserving.as_mut());
    tasks[2].pending(owning.as_mut());
    receiver.close();
    assert!(tasks.iter().all(Task::woken));
    assert_eq!(tasks[0].ready(sending), Err(SendError(2)));
    assert_eq!(tasks[1].ready(reserving).unwrap_err(), SendError(()));
    assert_eq!(tasks[2].ready(owning).unwrap_err(), SendError(()));
    assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
    assert_eq!(now(sender.send(4)), Err(SendError(4)));
    assert_eq!(sender.try_reserve().unwrap_err(), TrySendError::Closed(()));
    assert_eq!(now(receiver.recv()), Some(1));
    assert_eq!(now(receiver.recv()), None);
}

#[test]
fn closing_refuses_also_who_was_woken_for_a_slot() {
    let (sender, mut receiver) = channel(3);
    for n in 0..3 {
        sender.try_send(n).unwrap();
    }
    let tasks = [Task::new(), Task::new(), Task::new(), Task::new()];
    let mut sending = pin!(sender.send(3));
    let mut reserving = pin!(sender.reserve());
    let mut owning = Box::pin(sender.clone().reserve_owned());
    tasks[0].pending(sending.as_mut());
    tasks[1].pending(reserving.as_mut());
    tasks[2].pending(owning.as_mut());
    for n in 0..3 {
        assert_eq!(receiver.try_recv(), Ok(n));
    }
    assert!(tasks[..3].iter().all(Task::woken));
    receiver.close();
    // Each may still have sent, for all that the receiver knows.
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let mut end = Box::pin(receiver.recv());
    tasks[3].pending(end.as_mut());
    assert_eq!(tasks[0].ready(sending), Err(SendError(3)));
    assert!(tasks[1].ready(reserving).is_err());
    assert!(tasks[2].ready(owning.as_mut()).is_err());
    assert!(tasks[3].woken());
    assert_eq!(tasks[3].ready(end.as_mut()), None);
}

#[test]
fn permits_outlive_the_close() {
    let (sender, mut receiver) = channel(3);
    let permit = sender.try_reserve().unwrap();
    let owned = sender.clone().try_reserve_owned().unwrap();
    let unused = now(sender.reserve()).unwrap();
    receiver.close();
    assert!(receiver.is_closed());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let task = Task::new();
    let mut receiving = Box::pin(receiver.recv());
    task.pending(receiving.as_mut());
    permit.send(1);
    assert!(task.woken());
    assert_eq!(task.ready(receiving.as_mut()), Some(1));
    drop(receiving);
    let mut receiving = Box::pin(receiver.recv());
    task.pending(receiving.as_mut());
    let sender_again = owned.send(2);
    assert_eq!(task.ready(receiving.as_mut()), Some(2));
    drop(receiving);
    let mut receiving = Box::pin(receiver.recv());
    let task = Task::new();
    task.pending(receiving.as_mut());
    drop(unused);
    assert!(task.woken());
    assert_eq!(task.ready(receiving.as_mut()), None);
    drop(receiving);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
    drop(sender_again);
}

#[test]
fn a_permit_is_a_slot() {
    let (sender, mut receiver) = channel(2);
    let permit = now(sender.reserve()).unwrap();
    assert_eq!(sender.capacity(), 1);
    sender.try_send(1).unwrap();
    assert!(sender.try_reserve().is_err());
    permit.send(2);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Ok(2));
    let permit = sender.try_reserve().unwrap();
    assert_eq!(receiver.capacity(), 1);
    drop(permit);
    assert_eq!(receiver.capacity(), 2);
    // The slot goes to who waits.
    let both = sender.try_reserve_many(2).unwrap();
    let task = Task::new();
    let mut sending = pin!(sender.send(3));
    task.pending(sending.as_mut());
    drop(both);
    assert!(task.woken());
    task.ready(sending).unwrap();
}

#[test]
fn many_slots_are_an_iterator() {
    let (sender, mut receiver) = channel(4);
    let mut permits = now(is_send(sender.reserve_many(3))).unwrap();
    assert_eq!((permits.len(), permits.size_hint()), (3, (3, Some(3))));
    assert_eq!(sender.capacity(), 1);
    permits.next().unwrap().send(1);
    assert_eq!(permits.len(), 2);
    let text = format!("{permits:?}");
    assert!(text.starts_with("PermitIterator {") && text.contains("capacity: 2"));
    drop(permits);
    assert_eq!(sender.capacity(), 3);
    let permits = sender.try_reserve_many(2).unwrap();
    permits.enumerate().for_each(|(n, permit)| permit.send(n + 2));
    let mut received = Vec::new();
    assert_eq!(now(receiver.recv_many(&mut received, 9)), 3);
    assert_eq!(received, [1, 2, 3]);
    let mut none = now(sender.reserve_many(0)).unwrap();
    assert!(none.next().is_none() && none.next().is_none());
}

#[test]
fn more_slots_than_there_are_is_an_error() {
    let (sender, mut receiver) = channel::<u8>(2);
    assert_eq!(now(sender.reserve_many(3)).unwrap_err(), SendError(()));
    assert_eq!(now(sender.reserve_many(usize::MAX)).unwrap_err(), SendError(()));
    assert_eq!(sender.try_reserve_many(3).unwrap_err(), TrySendError::Full(()));
    let one = sender.try_reserve().unwrap();
    assert_eq!(sender.try_reserve_many(2).unwrap_err(), TrySendError::Full(()));
    assert_eq!(sender.try_reserve_many(0).unwrap().len(), 0);
    drop(one);
    receiver.close();
    // It says `Full` of what it never holds, also when it is closed.
    assert_eq!(sender.try_reserve_many(3).unwrap_err(), TrySendError::Full(()));
    assert_eq!(sender.try_reserve_many(2).unwrap_err(), TrySendError::Closed(()));
    assert_eq!(sender.try_reserve_many(0).unwrap_err(), TrySendError::Closed(()));
    assert_eq!(now(sender.reserve_many(2)).unwrap_err(), SendError(()));
    assert_eq!(now(sender.reserve_many(0)).unwrap_err(), SendError(()));
}

#[test]
fn who_wants_many_is_not_passed() {
    let (sender, mut receiver) = channel(2);
    sender.try_send(1).unwrap();
    sender.try_send(2).unwrap();
    let (big, small) = (Task::new(), Task::new());
    let mut many = pin!(sender.reserve_many(2));
    let mut one = pin!(sender.reserve());
    big.pending(many.as_mut());
    small.pending(one.as_mut());
    receiver.try_recv().unwrap();
    assert!(!small.woken());
    assert_eq!(sender.capacity(), 0);
    assert!(sender.try_reserve().is_err());
    receiver.try_recv().unwrap();
    assert!(big.woken() && !small.woken());
    let mut permits = big.ready(many).unwrap();
    drop(permits.next());
    assert!(small.woken());
}

#[test]
fn an_owned_permit_gives_its_sender_back() {
    let (sender, mut receiver) = channel(1);
    let permit = now(sender.reserve_owned()).unwrap();
    let sender = permit.send(1);
    let sender = match sender.try_reserve_owned() {
        Err(TrySendError::Full(sender)) => sender,
        other => panic!("{other:?}"),
    };
    receiver.try_recv().unwrap();
    let permit = sender.try_reserve_owned().unwrap();
    assert_eq!(receiver.capacity(), 0);
    let sender = permit.release();
    assert_eq!(receiver.capacity(), 1);
    let permit = sender.try_reserve_owned().unwrap();
    assert_eq!(receiver.sender_strong_count(), 1);
    drop(permit);
    assert_eq!((receiver.capacity(), receiver.sender_strong_count()), (1, 0));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));

    let (sender, receiver) = channel::<u8>(1);
    drop(receiver);
    match sender.try_reserve_owned() {
        Err(TrySendError::Closed(sender)) => assert!(now(sender.reserve_owned()).is_err()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn owned_permits_know_their_channel() {
    let (sender, _receiver) = channel::<u8>(2);
    let (other, _other_receiver) = channel::<u8>(2);
    let (one, two) = (sender.clone().try_reserve_owned(), sender.clone().try_reserve_owned());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one.same_channel(&two) && one.same_channel_as_sender(&sender));
    assert!(!one.same_channel_as_sender(&other));
    assert!(!one.same_channel(&other.try_reserve_owned().unwrap()));
}

#[test]
fn a_permit_without_a_receiver_sends_to_nobody() {
    let (sender, receiver) = channel(1);
    let permit = sender.try_reserve().unwrap();
    drop(receiver);
    permit.send(1);
    assert!(sender.is_closed());
}

#[test]
fn send_timeout_follows_the_paused_clock() {
    runtime().block_on(async {
        tokio::time::pause();
        let (sender, mut receiver) = channel(1);
        let wait = Duration::from_secs(3_600);
        assert_eq!(sender.send_timeout(1, wait).await, Ok(()));
        let begun = tokio::time::Instant::now();
        assert_eq!(sender.send_timeout(2, wait).await, Err(SendTimeoutError::Timeout(2)));
        assert!(begun.elapsed() >= wait && begun.elapsed() < wait * 2);
        let late = tokio::spawn(async move {
            tokio::time::sleep(wait / 2).await;
            (receiver.recv().await, receiver)
        });
        assert_eq!(sender.send_timeout(3, wait).await, Ok(()));
        let (first, mut receiver) = late.await.unwrap();
        assert_eq!((first, receiver.recv().await), (Some(1), Some(3)));
        // One that is ready beats a timeout of nothing.
        assert_eq!(sender.send_timeout(4, Duration::ZERO).await, Ok(()));
        drop(receiver);
        assert_eq!(sender.send_timeout(5, wait).await, Err(SendTimeoutError::Closed(5)));
    });
}

#[test]
fn send_timeout_asks_for_a_runtime() {
    let (sender, _receiver) = channel(1);
    let text = panic_of(|| now(sender.send_timeout(1, Duration::ZERO)).is_ok());
    assert!(text.starts_with("there is no reactor running"), "{text}");
}

#[test]
fn threads_send_too() {
    let (sender, mut receiver) = channel(1);
    let sends = thread::spawn(move || {
        for n in 0..100 {
            sender.blocking_send(n).unwrap();
        }
        sender
    });
    let received: Vec<_> = std::iter::from_fn(|| receiver.blocking_recv()).take(100).collect();
    assert_eq!(received, Vec::from_iter(0..100));
    let sender = sends.join().unwrap();
    drop(receiver);
    assert_eq!(sender.blocking_send(1), Err(SendError(1)));
}

#[test]
fn blocking_send_panics_in_a_task() {
    let (sender, _receiver) = channel(1);
    let (text, blamed) = runtime().block_on(async {
        blamed_panic_of(|| sender.blocking_send(1))
    });
    assert_eq!((text.as_str(), blamed), (MAY_NOT_BLOCK, true));
}

#[test]
fn impossible_capacities_panic() {
    let (text, blamed) = blamed_panic_of(|| channel::<u8>(0));
    assert_eq!(text, "mpsc bounded channel requires buffer > 0");
    assert!(blamed);
    let most = usize::MAX >> 3;
    let text = panic_of(|| channel::<u8>(most + 1));
    assert_eq!(
        text,
        format!("a semaphore may not have more than MAX_PERMITS permits ({most})")
    );
    assert_eq!(channel::<u8>(most).0.capacity(), most);
}

#[test]
fn sends_within_the_budget_of_a_task() {
    let (sender, receiver) = channel(20_000);
    runtime().block_on(poll_fn(|cx| {
        let mut polls = 0;
        while pin!(sender.send(1)).poll(cx).is_ready() {
            polls += 1;
            assert!(polls < 10_000, "no budget is spent");
        }
        assert_eq!(receiver.len(), polls);
        Poll::Ready(())
    }));
}

#[test]
fn errors_read_as_they_do() {
    let error = SendError(Rc::new(1));
    assert_eq!(error.to_string(), "channel closed");
    assert_eq!(format!("{error:?}"), "SendError { .. }");
    let errors = [TrySendError::Full(1), TrySendError::from(SendError(2))];
    assert_eq!(errors.map(|e| e.to_string()), ["no available capacity", "channel closed"]);
    assert_eq!(format!("{errors:?}"), r#"["Full(..)", "Closed(..)"]"#);
    assert_eq!(errors.map(TrySendError::into_inner), [1, 2]);
    let errors = [SendTimeoutError::Timeout(1), SendTimeoutError::Closed(2)];
    let texts = ["timed out waiting on send operation", "channel closed"];
    assert_eq!(errors.map(|e| e.to_string()), texts);
    assert_eq!(format!("{errors:?}"), r#"["Timeout(..)", "Closed(..)"]"#);
    assert_eq!(errors.map(SendTimeoutError::into_inner), [1, 2]);
    let errors = [TryRecvError::Empty, TryRecvError::Disconnected];
    let texts = ["receiving on an empty channel", "receiving on a closed channel"];
    assert_eq!(errors.map(|e| e.to_string()), texts);
    assert_eq!(format!("{errors:?}"), "[Empty, Disconnected]");
}

#[test]
fn handles_are_debug() {
    let (sender, receiver) = channel::<Rc<u8>>(2);
    assert!(format!("{sender:?}").starts_with("Sender {"));
    assert!(format!("{receiver:?}").starts_with("Receiver {"));
    assert_eq!(format!("{:?}", sender.downgrade()), "WeakSender");
    assert!(format!("{:?}", sender.try_reserve().unwrap()).starts_with("Permit {"));
    let owned = sender.try_reserve_owned().unwrap();
    assert!(format!("{owned:?}").starts_with("OwnedPermit {"));
    let (sender, receiver) = sync::mpsc::unbounded_channel::<Rc<u8>>();
    assert!(format!("{sender:?}").starts_with("UnboundedSender"));
    assert!(format!("{receiver:?}").starts_with("UnboundedReceiver"));
    assert_eq!(format!("{:?}", sender.downgrade()), "WeakUnboundedSender");
}

mod bounded {
    use super::*;

    fn make<T>() -> (Sender<T>, Receiver<T>) {
        channel(16)
    }

    fn send<T>(sender: &Sender<T>, value: T) -> Result<(), SendError<T>> {
        sender.try_send(value).map_err(|error| match error {
            TrySendError::Closed(value) => SendError(value),
            TrySendError::Full(_) => panic!("the tests fill no channel"),
        })
    }

    async fn send_in_task<T: Debug>(sender: &Sender<T>, value: T) {
        sender.send(value).await.unwrap();
    }

    include!("mpsc_both.rs");
}

mod unbounded {
    use super::*;

    fn make<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
        sync::mpsc::unbounded_channel()
    }

    fn send<T>(sender: &UnboundedSender<T>, value: T) -> Result<(), SendError<T>> {
        sender.send(value)
    }

    async fn send_in_task<T: Debug>(sender: &UnboundedSender<T>, value: T) {
        sender.send(value).unwrap();
        tokio::task::yield_now().await;
    }

    include!("mpsc_both.rs");
}
