use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anysync::{Block, Timer};
use anysync_smol::Smol;
use tempfile::TempDir;

use super::{ConnectionPool, PoolError};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1);

fn pool(size: usize) -> (TempDir, Arc<ConnectionPool>) {
    let directory = tempfile::tempdir().unwrap();
    let pool = ConnectionPool::open(&directory.path().join("test.db"), size).unwrap();
    (directory, Arc::new(pool))
}

#[test]
fn a_caller_that_times_out_leaves_no_trace() {
    let (_directory, pool) = pool(1);
    Smol.block_on(async {
        let lease = pool.lease(Smol, LONG).await.unwrap();
        let outcome = pool.lease(Smol, SHORT).await;
        assert!(matches!(outcome, Err(PoolError::TimedOut)));
        assert_eq!((pool.waiting(), pool.available()), (0, 0));
        drop(lease);
        assert_eq!(pool.available(), 1);
        assert!(pool.lease(Smol, SHORT).await.is_ok());
    });
    assert_eq!(pool.close().unwrap(), 1);
}

#[test]
fn a_connection_that_is_idle_is_had_without_time() {
    let (_directory, pool) = pool(1);
    assert!(Smol.block_on(pool.lease(Smol, Duration::ZERO)).is_ok());
}

#[test]
fn a_panic_gives_the_connection_back() {
    let (_directory, pool) = pool(1);
    let outcome = Smol.block_on(pool.run(&Smol, LONG, |_| -> rusqlite::Result<()> {
        panic!("as the test wants")
    }));
    assert!(matches!(outcome, Err(PoolError::Panicked(_))));
    assert_eq!(pool.available(), 1);
    let outcome = Smol.block_on(pool.run_alone(&Smol, LONG, |_| -> rusqlite::Result<()> {
        panic!("as the test wants")
    }));
    assert!(matches!(outcome, Err(PoolError::Panicked(_))));
    assert_eq!(pool.available(), 1);
    assert_eq!(pool.close().unwrap(), 1);
}

#[test]
fn an_error_of_the_database_is_told_and_the_connection_goes_back() {
    let (_directory, pool) = pool(1);
    let outcome = Smol.block_on(pool.run(&Smol, LONG, |connection| {
        connection.execute_batch("SELECT nothing")
    }));
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("nothing"), "{message}");
    assert_eq!(pool.available(), 1);
}

#[test]
fn who_is_alone_is_alone() {
    const SIZE: usize = 3;
    let (_directory, pool) = pool(SIZE);
    let in_use = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let in_use = Arc::clone(&in_use);
                    let one = pool.run(&Smol, LONG, move |_| {
                        assert!(in_use.fetch_add(1, Ordering::SeqCst) < SIZE);
                        in_use.fetch_sub(1, Ordering::SeqCst);
                        Ok(())
                    });
                    Smol.block_on(one).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..20 {
                let in_use = Arc::clone(&in_use);
                let alone = pool.run_alone(&Smol, LONG, move |_| {
                    assert_eq!(in_use.load(Ordering::SeqCst), 0);
                    Ok(())
                });
                Smol.block_on(alone).unwrap();
            }
        });
    });
    assert_eq!(pool.available(), SIZE);
    assert_eq!(pool.close().unwrap(), SIZE);
}

#[test]
fn close_reaches_those_in_line_and_those_who_come_later() {
    let (_directory, pool) = pool(1);
    Smol.block_on(async {
        let lease = pool.lease(Smol, LONG).await.unwrap();
        let waiting = smol::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.lease(Smol, LONG).await.map(drop) }
        });
        while pool.waiting() == 0 {
            Smol.sleep(SHORT).await;
        }
        assert_eq!(pool.close().unwrap(), 0);
        assert!(matches!(waiting.await, Err(PoolError::Closed)));
        assert!(matches!(
            pool.lease(Smol, LONG).await,
            Err(PoolError::Closed)
        ));
        drop(lease);
        assert_eq!(pool.close().unwrap(), 1);
    });
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("test.db");
    assert!(matches!(
        ConnectionPool::open(&path, 1),
        Err(PoolError::Sqlite(_))
    ));
}
