//! What nothing can be faster than.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::task::AtomicWaker;

use crate::harness::{Row, does};
use crate::task::waker;

pub(super) fn rows() -> Vec<Row> {
    vec![Row::new("floor", "one of each", || {
        let word = AtomicUsize::new(0);
        let load = does("an Acquire load", move || {
            black_box(black_box(&word).load(Ordering::Acquire));
        });
        let word = AtomicUsize::new(0);
        let swap = does("a compare-and-swap", move || {
            let word = black_box(&word);
            let old = word.load(Ordering::Relaxed);
            let new = old.wrapping_add(1);
            let _ = black_box(word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed));
        });
        let one = waker();
        let wake = does("a waker: clone and wake", move || {
            black_box(black_box(&one).clone()).wake()
        });
        let (cell, one) = (AtomicWaker::new(), waker());
        let register = does("AtomicWaker: register and wake", move || {
            black_box(&cell).register(&one);
            cell.wake();
        });
        let boxed = does("a Box of 64 bytes", || {
            black_box(Box::new(black_box([0_u64; 8])));
        });
        let arc = does("an Arc of 64 bytes", || {
            black_box(Arc::new(black_box([0_u64; 8])));
        });
        vec![load, swap, wake, register, boxed, arc]
    })]
}
