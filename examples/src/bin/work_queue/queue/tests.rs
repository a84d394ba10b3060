use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use anysync::{Bare, Block};

use super::{Closed, WorkQueue};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn push<T>(queue: &WorkQueue<T>, item: T) {
    assert!(Bare.block_on(queue.push(Bare, item)).is_ok());
}

fn pop<T>(queue: &WorkQueue<T>) -> Option<T> {
    Bare.block_on(queue.pop(Bare))
}

#[test]
fn items_come_out_in_the_order_of_their_pushes() {
    let queue = WorkQueue::new();
    for item in 0..5 {
        push(&queue, item);
    }
    assert_eq!(queue.try_pop(), Some(0));
    let rest: Vec<_> = (1..5).map(|_| pop(&queue)).collect();
    assert_eq!(rest, [Some(1), Some(2), Some(3), Some(4)]);
}

#[test]
fn try_pop_does_not_wait_for_items_nor_for_the_lock() {
    let queue = WorkQueue::new();
    assert_eq!(queue.try_pop(), None);
    push(&queue, 1);
    let held = queue.state.try_lock().unwrap();
    assert_eq!(queue.try_pop(), None);
    drop(held);
    assert_eq!(queue.try_pop(), Some(1));
}

#[test]
fn consumers_are_served_in_the_order_of_their_waits() {
    let queue = WorkQueue::new();
    let mut first = pin!(queue.pop(Bare));
    let mut second = pin!(queue.pop(Bare));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    push(&queue, 'a');
    push(&queue, 'b');
    assert_eq!(poll(second), Poll::Ready(Some('a')));
    assert_eq!(poll(first), Poll::Ready(Some('b')));
}

#[test]
fn one_signal_for_two_items_serves_two_consumers() {
    let queue = WorkQueue::new();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut first = pin!(queue.pop(Bare));
    let mut second = pin!(queue.pop(Bare));
    assert!(poll(first.as_mut()).is_pending());
    assert!(
        second
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );

    // What two pushes look like whose permits have merged.
    queue.state.try_lock().unwrap().items.extend(['a', 'b']);
    queue.ready.notify_one();

    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    assert_eq!(poll(first), Poll::Ready(Some('a')));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(poll(second), Poll::Ready(Some('b')));
}

#[test]
fn an_overtaken_consumer_waits_again() {
    let queue = WorkQueue::new();
    let mut slow = pin!(queue.pop(Bare));
    assert!(poll(slow.as_mut()).is_pending());
    push(&queue, 1);
    assert_eq!(queue.try_pop(), Some(1));
    assert!(poll(slow.as_mut()).is_pending());
    push(&queue, 2);
    assert_eq!(poll(slow), Poll::Ready(Some(2)));
}

#[test]
fn a_permit_left_over_does_not_end_a_wait() {
    let queue = WorkQueue::new();
    push(&queue, 1);
    assert_eq!(queue.try_pop(), Some(1));
    assert!(queue.ready.has_permit());
    assert!(poll(pin!(queue.pop(Bare))).is_pending());
}

#[test]
fn a_signal_survives_a_pop_that_is_cancelled_on_its_way_to_the_item() {
    let queue = WorkQueue::new();
    let mut second = pin!(queue.pop(Bare));
    {
        let mut first = Box::pin(queue.pop(Bare));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        let mut state = queue.state.try_lock().unwrap();
        state.items.push_back(1);
        queue.ready.notify_one();
        // It has taken the signal and waits for the lock.
        assert!(poll(first.as_mut()).is_pending());
        assert_eq!(queue.ready.waiter_count(), 1);
        drop(first);
        assert_eq!(queue.ready.waiter_count(), 0);
    }
    assert_eq!(poll(second), Poll::Ready(Some(1)));
}

#[test]
fn close_ends_every_consumer_after_the_last_item() {
    let queue = WorkQueue::<i32>::new();
    let mut waiting = pin!(queue.pop(Bare));
    assert!(poll(waiting.as_mut()).is_pending());
    Bare.block_on(queue.close(Bare));
    assert_eq!(poll(waiting), Poll::Ready(None));

    let queue = WorkQueue::new();
    push(&queue, 1);
    Bare.block_on(queue.close(Bare));
    assert_eq!(Bare.block_on(queue.push(Bare, 2)), Err(Closed(2)));
    assert_eq!(pop(&queue), Some(1));
    assert_eq!(pop(&queue), None);
    assert_eq!(pop(&queue), None);
}

#[test]
fn threads_deliver_everything_once() {
    const ITEMS: usize = 2_000;
    let queue = WorkQueue::new();
    let sum = AtomicUsize::new(0);
    let count = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(item) = pop(&queue) {
                    sum.fetch_add(item, Ordering::Relaxed);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let producers: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| (0..ITEMS).for_each(|item| push(&queue, item))))
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        Bare.block_on(queue.close(Bare));
    });
    assert_eq!(count.into_inner(), 2 * ITEMS);
    assert_eq!(sum.into_inner(), ITEMS * (ITEMS - 1));
}
