//! Guards that own a share of the lock, or show a part of the list.

use super::*;
use crate::laws::hand::Hand;

fn lock_owned(mutex: &Arc<dyn MutexSubject>, cx: &Cx) -> BoxFuture<'static, Guard<'static>> {
    let lock = Arc::clone(mutex).lock_owned(cx.io());
    lock.expect("it promises an owned guard")
}

pub(super) async fn owned_guard_keeps_the_lock_alive(cx: Cx, subject: Arc<dyn Subject>) {
    let alive = "the lock is gone while somebody holds it or waits for it";
    // The guard is the last that has a share, and then a wait is.
    let mutex = subject.mutex();
    let known = Arc::downgrade(&mutex);
    let first = lock_owned(&mutex, &cx);
    let mut guard = Hand::new(first).assert_ready("the first");
    let mut next = Hand::queued(lock_owned(&mutex, &cx));
    let mut last = Hand::queued(lock_owned(&mutex, &cx));
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    drop(mutex);
    guard.push(1);
    last.assert_pending("one that is not next");
    drop(guard);
    assert!(next.is_woken(), "an owned guard woke nobody");
    let mut guard = next.assert_ready("the next");
    assert_eq!(guard[..], [1], "what was written is lost");
    guard.push(2);
    next.cancel();
    last.cancel();
    let mutex = known.upgrade().expect(alive);
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    drop(mutex);
    assert_eq!(guard[..], [1, 2]);
    drop(guard);
    assert!(
        known.upgrade().is_none(),
        "the lock outlives all who use it"
    );

    // A wait alone, and one that was never polled.
    let mutex = subject.mutex();
    let known = Arc::downgrade(&mutex);
    let wait = lock_owned(&mutex, &cx);
    drop(mutex);
    assert!(known.upgrade().is_some(), "{alive}");
    drop(Hand::new(wait).assert_ready("the only one"));
    assert!(
        known.upgrade().is_none(),
        "the lock outlives all who use it"
    );
    let wait = lock_owned(&subject.mutex(), &cx);
    drop(wait);

    // A guard that goes from task to task.
    let mutex = subject.mutex();
    let known = Arc::downgrade(&mutex);
    let mut guard = lock_owned(&mutex, &cx).await;
    drop(mutex);
    for number in 0..3 {
        let task = async move {
            yield_now().await;
            guard.push(number);
            guard
        };
        guard = cx.spawn(format!("holder {number}"), task).join().await;
    }
    assert_eq!(guard[..], [0, 1, 2]);
    assert!(known.upgrade().is_some(), "{alive}");
    drop(guard);
    assert!(
        known.upgrade().is_none(),
        "the lock outlives all who use it"
    );
}

pub(super) async fn mapped_guard_unlocks_once(_: Cx, subject: Arc<dyn Subject>) {
    let mutex = subject.mutex();
    let io = DynIo::bare();
    take(&*mutex, "at first").extend([1, 2, 3]);
    let mapped = |part| {
        let guard = mutex.try_lock_mapped(part);
        guard.expect("the lock is free")
    };

    // With nobody waiting.
    let mut guard = mapped(|list| &mut list[1]);
    assert!(mutex.try_lock().is_none(), "to map the guard unlocks");
    assert!(
        mutex.try_lock_mapped(|list| &mut list[0]).is_none(),
        "to map the guard unlocks"
    );
    assert_eq!(**guard, 2, "the guard shows another part");
    **guard = 7;
    drop(guard);
    assert_eq!(take(&*mutex, "after a mapped guard")[..], [1, 7, 3]);

    // With some waiting.
    let guard = mapped(|list| &mut list[0]);
    let mut first = Hand::queued(mutex.lock(&io));
    let mut second = Hand::queued(mutex.lock(&io));
    drop(guard);
    assert!(first.is_woken(), "a mapped guard woke nobody");
    assert!(!second.is_woken(), "a mapped guard unlocked twice");
    let guard = first.assert_ready("the first");
    second.assert_pending("one that waits while another has the lock");
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    drop(guard);
    drop(second.assert_ready("the second"));

    // When the closure panics.
    let unwound = caught(|| drop(mutex.try_lock_mapped(|_| planned_panic())));
    assert!(is_planned(&*unwound.expect_err("it panics")));
    let guard = take(&*mutex, "after a closure has panicked");
    assert!(mutex.try_lock().is_none(), "the lock was taken twice");
    drop(guard);
    drop(take(&*mutex, "at the end"));
}
