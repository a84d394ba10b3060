use core::pin::pin;

use super::*;
use crate::test_util::{counting_waker, poll};

#[test]
fn last_waker_is_the_one_woken() {
    let notify = Notify::new();
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    let mut wait = pin!(notify.wait_future());
    assert!(poll(wait.as_mut(), &first_waker).is_pending());
    assert!(poll(wait.as_mut(), &second_waker).is_pending());
    notify.notify_one();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(poll(wait.as_mut(), &second_waker).is_ready());
}
