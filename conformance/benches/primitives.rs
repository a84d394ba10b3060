//! Each primitive beside tokio's, polled by hand on one thread: what the
//! operations themselves cost, without an executor.
//!
//! ```console
//! $ cargo bench -p anysync-conformance --bench primitives -- notify
//! ```

#![allow(missing_docs)] // criterion's macros make public functions

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Polls once with a waker that does nothing.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that has to be ready.
fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to be ready"),
    }
}

/// Registers a wait, has it end, and completes it.
fn round_trip<F: Future>(wait: F, signal: impl FnOnce()) -> F::Output {
    let mut wait = pin!(wait);
    assert!(poll(wait.as_mut()).is_pending());
    signal();
    match poll(wait) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it had to be ready"),
    }
}

/// `count` waits, not polled yet.
fn waits<F: Future>(count: usize, mut make: impl FnMut() -> F) -> Vec<Pin<Box<F>>> {
    (0..count).map(|_| Box::pin(make())).collect()
}

fn queue<F: Future>(waits: &mut [Pin<Box<F>>]) {
    for wait in waits {
        assert!(poll(wait.as_mut()).is_pending());
    }
}

fn finish<F: Future>(waits: &mut [Pin<Box<F>>]) {
    for wait in waits {
        assert!(poll(wait.as_mut()).is_ready());
    }
}

fn notify(c: &mut Criterion) {
    let (ours, theirs) = (anysync::Notify::new(), tokio::sync::Notify::new());

    let mut group = c.benchmark_group("notify, a stored permit");
    group.bench_function("anysync", |b| {
        b.iter(|| {
            ours.notify_one();
            ready(ours.wait_future());
        });
    });
    group.bench_function("tokio", |b| {
        b.iter(|| {
            theirs.notify_one();
            ready(theirs.notified());
        });
    });
    group.finish();

    let mut group = c.benchmark_group("notify, register and notify and complete");
    group.bench_function("anysync", |b| {
        b.iter(|| round_trip(ours.wait_future(), || ours.notify_one()));
    });
    group.bench_function("tokio", |b| {
        b.iter(|| round_trip(theirs.notified(), || theirs.notify_one()));
    });
    group.finish();

    // One batch at a time: a wait counts for `notify_all` once it is created.
    let mut group = c.benchmark_group("notify, 1000 to be woken at once");
    group.bench_function("anysync", |b| {
        b.iter_batched_ref(
            || waits(1000, || ours.wait_future()),
            |waits| {
                queue(waits);
                ours.notify_all();
                finish(waits);
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("tokio", |b| {
        b.iter_batched_ref(
            || waits(1000, || theirs.notified()),
            |waits| {
                queue(waits);
                theirs.notify_waiters();
                finish(waits);
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn barrier(c: &mut Criterion) {
    for count in [2, 8, 1000] {
        let ours = anysync::Barrier::new(count);
        let theirs = tokio::sync::Barrier::new(count);
        let mut group = c.benchmark_group(format!("barrier, a generation of {count}"));
        group.bench_function("anysync", |b| {
            b.iter_batched_ref(
                || waits(count, || ours.wait_future()),
                |waits| {
                    let (last, others) = waits.split_last_mut().expect("at least two");
                    queue(others);
                    assert!(poll(last.as_mut()).is_ready());
                    finish(others);
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function("tokio", |b| {
            b.iter_batched_ref(
                || waits(count, || theirs.wait()),
                |waits| {
                    let (last, others) = waits.split_last_mut().expect("at least two");
                    queue(others);
                    assert!(poll(last.as_mut()).is_ready());
                    finish(others);
                },
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }
}

fn once_cell(c: &mut Criterion) {
    let ours = anysync::OnceCell::with_value(42_u64);
    let theirs = tokio::sync::OnceCell::new_with(Some(42_u64));
    let mut group = c.benchmark_group("once_cell, get");
    group.bench_function("anysync", |b| b.iter(|| black_box(&ours).get()));
    group.bench_function("tokio", |b| b.iter(|| black_box(&theirs).get()));
    group.finish();

    let mut group = c.benchmark_group("once_cell, set an empty one");
    group.bench_function("anysync", |b| {
        b.iter_batched_ref(
            anysync::OnceCell::new,
            |cell| assert!(cell.set(black_box(42_u64))),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("tokio", |b| {
        b.iter_batched_ref(
            tokio::sync::OnceCell::new,
            |cell| assert!(cell.set(black_box(42_u64)).is_ok()),
            BatchSize::SmallInput,
        );
    });
    group.finish();

    let mut group = c.benchmark_group("once_cell, initialise an empty one");
    group.bench_function("anysync", |b| {
        b.iter_batched_ref(
            anysync::OnceCell::new,
            |cell| *ready(cell.get_or_init_future(|| black_box(42_u64))),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("tokio", |b| {
        b.iter_batched_ref(
            tokio::sync::OnceCell::new,
            |cell| *ready(cell.get_or_init(|| async { black_box(42_u64) })),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn mutex(c: &mut Criterion) {
    let (ours, theirs) = (anysync::Mutex::new(0_u64), tokio::sync::Mutex::new(0_u64));

    let mut group = c.benchmark_group("mutex, lock and unlock a free one");
    group.bench_function("anysync", |b| b.iter(|| *ready(ours.lock_future()) += 1));
    group.bench_function("tokio", |b| b.iter(|| *ready(theirs.lock()) += 1));
    group.finish();

    let mut group = c.benchmark_group("mutex, try_lock and unlock a free one");
    group.bench_function("anysync", |b| {
        b.iter(|| *ours.try_lock().expect("it is free") += 1);
    });
    group.bench_function("tokio", |b| {
        b.iter(|| *theirs.try_lock().expect("it is free") += 1);
    });
    group.finish();

    let mut group = c.benchmark_group("mutex, queue and be handed the lock");
    group.bench_function("anysync", |b| {
        b.iter(|| {
            let held = ours.try_lock().expect("it is free");
            *round_trip(ours.lock_future(), || drop(held)) += 1;
        });
    });
    group.bench_function("tokio", |b| {
        b.iter(|| {
            let held = theirs.try_lock().expect("it is free");
            *round_trip(theirs.lock(), || drop(held)) += 1;
        });
    });
    group.finish();
}

criterion_group!(benches, notify, barrier, once_cell, mutex);
criterion_main!(benches);
