use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use anysync::{Bare, Block};
use tempfile::TempDir;

use super::DbPool;

fn pool(size: usize) -> (TempDir, DbPool) {
    let directory = tempfile::tempdir().unwrap();
    let pool = DbPool::open(&directory.path().join("visits.db"), size).unwrap();
    (directory, pool)
}

fn is_ready<T>(poll: &Poll<T>) -> bool {
    matches!(poll, Poll::Ready(_))
}

#[test]
fn a_returned_connection_goes_to_who_has_waited_longest() {
    let mut cx = Context::from_waker(Waker::noop());
    let (_directory, pool) = pool(1);
    let lease = Bare.block_on(pool.lease(Bare));
    let mut first = pin!(pool.lease(Bare));
    let mut second = pin!(pool.lease(Bare));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    drop(lease);
    // The connection is idle and this one looks first, but it has a place in
    // the line, behind.
    assert!(second.as_mut().poll(&mut cx).is_pending());
    let lease = first.as_mut().poll(&mut cx);
    assert!(is_ready(&lease));
    drop(lease);
    assert!(is_ready(&second.as_mut().poll(&mut cx)));
}

#[test]
fn returns_that_merge_into_one_permit_serve_two() {
    let (_directory, pool) = pool(2);
    let leases = (
        Bare.block_on(pool.lease(Bare)),
        Bare.block_on(pool.lease(Bare)),
    );
    drop(leases);
    assert!(pool.returned.has_permit());
    let again = (
        Bare.block_on(pool.lease(Bare)),
        Bare.block_on(pool.lease(Bare)),
    );
    drop(again);
    assert_eq!(pool.close().unwrap(), 2);
}

#[test]
fn a_wait_that_is_cancelled_takes_no_connection_with_it() {
    let mut cx = Context::from_waker(Waker::noop());
    let (_directory, pool) = pool(1);
    let lease = Bare.block_on(pool.lease(Bare));
    let mut second = pin!(pool.lease(Bare));
    {
        let mut first = pin!(pool.lease(Bare));
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        drop(lease);
    }
    assert!(is_ready(&second.as_mut().poll(&mut cx)));
}

#[test]
fn a_panic_gives_the_connection_back() {
    let (_directory, pool) = pool(1);
    thread::scope(|scope| {
        let user = scope.spawn(|| {
            let _lease = Bare.block_on(pool.lease(Bare));
            panic!("as the test wants");
        });
        assert!(user.join().is_err());
    });
    assert_eq!(pool.close().unwrap(), 1);
}

#[test]
fn threads_never_have_more_than_there_are() {
    const SIZE: usize = 2;
    let (_directory, pool) = pool(SIZE);
    let out = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let lease = Bare.block_on(pool.lease(Bare));
                    assert!(out.fetch_add(1, Ordering::Relaxed) < SIZE);
                    out.fetch_sub(1, Ordering::Relaxed);
                    drop(lease);
                }
            });
        }
    });
    assert_eq!(pool.close().unwrap(), SIZE);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("visits.db");
    assert!(DbPool::open(&path, 1).is_err());
}
