// Included for each side, see `main.rs`: locks and signals, on each kind of runtime
// and on none.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anysync_tokio::anysync::{Bare, Block};
use tokio::task::{LocalSet, block_in_place, spawn_blocking, spawn_local};

use sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce};

use crate::support::{many_threads, panic_of, runtime};

const TASKS: usize = 8;
const ROUNDS: usize = 50;

/// What the tasks of [`count`] share.
struct Shared {
    start: Barrier,
    slots: Semaphore,
    total: Mutex<usize>,
    most: RwLock<usize>,
    limit: OnceCell<usize>,
    done: Notify,
    finished: Mutex<usize>,
    result: SetOnce<usize>,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Barrier::new(TASKS),
            slots: Semaphore::new(3),
            total: Mutex::new(0),
            most: RwLock::new(0),
            limit: OnceCell::new(),
            done: Notify::new(),
            finished: Mutex::new(0),
            result: SetOnce::new(),
        })
    }

    /// One task of the count. The last to finish says so.
    async fn work(self: Arc<Self>) {
        self.start.wait().await;
        for _ in 0..ROUNDS {
            let permit = self.slots.acquire().await.unwrap();
            let limit = *self.limit.get_or_init(|| async { TASKS * ROUNDS }).await;
            let total = {
                let mut total = self.total.lock().await;
                *total += 1;
                *total
            };
            assert!(total <= limit);
            if *self.most.read().await < total {
                let mut most = self.most.write().await;
                *most = total.max(*most);
            }
            drop(permit);
        }
        let mut finished = self.finished.lock().await;
        *finished += 1;
        if *finished == TASKS {
            self.done.notify_one();
        }
    }

    /// Waits for the last, and publishes what was counted.
    async fn collect(self: Arc<Self>) {
        self.done.notified().await;
        let total = *self.total.lock().await;
        assert_eq!(total, *self.most.read().await);
        self.result.set(total).unwrap();
    }
}

/// Counts with so many tasks as `spawn` starts.
async fn count(spawn_work: impl Fn(Arc<Shared>), spawn_collect: impl Fn(Arc<Shared>)) -> usize {
    let shared = Shared::new();
    spawn_collect(shared.clone());
    for _ in 0..TASKS {
        spawn_work(shared.clone());
    }
    *shared.result.wait().await
}

#[test]
fn on_one_thread() {
    let total = runtime().block_on(count(
        |shared| drop(tokio::spawn(shared.work())),
        |shared| drop(tokio::spawn(shared.collect())),
    ));
    assert_eq!(total, TASKS * ROUNDS);
}

#[test]
fn on_many_threads() {
    let total = many_threads().block_on(count(
        |shared| drop(tokio::spawn(shared.work())),
        |shared| drop(tokio::spawn(shared.collect())),
    ));
    assert_eq!(total, TASKS * ROUNDS);
}

#[test]
fn in_a_local_set() {
    let counting = count(
        |shared| drop(spawn_local(shared.work())),
        |shared| drop(spawn_local(shared.collect())),
    );
    assert_eq!(LocalSet::new().block_on(&runtime(), counting), TASKS * ROUNDS);
}

#[test]
fn without_a_runtime() {
    let total = Bare.block_on(count(
        |shared| drop(thread::spawn(|| Bare.block_on(shared.work()))),
        |shared| drop(thread::spawn(|| Bare.block_on(shared.collect()))),
    ));
    assert_eq!(total, TASKS * ROUNDS);
}

#[test]
fn between_two_runtimes_and_threads() {
    let total = many_threads().block_on(count(
        |shared| drop(tokio::spawn(shared.work())),
        |shared| drop(thread::spawn(|| runtime().block_on(shared.collect()))),
    ));
    assert_eq!(total, TASKS * ROUNDS);
}

#[test]
fn values_of_one_thread_are_locked_in_a_local_set() {
    LocalSet::new().block_on(&runtime(), async {
        let mutex = Rc::new(Mutex::new(Rc::new(1)));
        let guard = mutex.lock().await;
        let other = spawn_local({
            let mutex = mutex.clone();
            async move { **mutex.lock().await }
        });
        tokio::task::yield_now().await;
        drop(guard);
        assert_eq!(other.await.unwrap(), 1);
    });
}

#[test]
fn blocking_forms_work_where_a_thread_may_block() {
    many_threads().block_on(async {
        let mutex = Arc::new(Mutex::new(0));
        let lock = Arc::new(RwLock::new(0));
        let semaphore = Arc::new(Semaphore::new(0));
        let task = tokio::spawn({
            let (mutex, lock, semaphore) = (mutex.clone(), lock.clone(), semaphore.clone());
            async move {
                block_in_place(|| {
                    semaphore.blocking_acquire().unwrap().forget();
                    *mutex.blocking_lock() += 1;
                    *lock.blocking_write() += *mutex.clone().blocking_lock_owned();
                });
            }
        });
        let thread = spawn_blocking({
            let (mutex, semaphore) = (mutex.clone(), semaphore.clone());
            move || {
                let _permits = semaphore.blocking_acquire_many_owned(2).unwrap();
                *mutex.blocking_lock() += 1;
            }
        });
        semaphore.add_permits(3);
        task.await.unwrap();
        thread.await.unwrap();
        assert_eq!(*mutex.lock().await, 2);
        assert!(*lock.read().await > 0);
        assert_eq!(semaphore.available_permits(), 2);
    });
}

#[test]
fn blocking_forms_panic_in_a_local_set_too() {
    let text = LocalSet::new().block_on(&runtime(), async {
        let mutex = Mutex::new(0);
        panic_of(|| drop(mutex.blocking_lock()))
    });
    assert!(text.starts_with("Cannot block the current thread from within a runtime"));
}

#[test]
fn a_wait_in_a_select_is_given_up_and_begun_again() {
    runtime().block_on(async {
        tokio::time::pause();
        let mutex = Arc::new(Mutex::new(0));
        let semaphore = Arc::new(Semaphore::new(1));
        let holder = tokio::spawn({
            let (mutex, semaphore) = (mutex.clone(), semaphore.clone());
            async move {
                for millis in 0..50 {
                    let _permit = semaphore.acquire().await.unwrap();
                    let mut guard = mutex.lock().await;
                    tokio::time::sleep(Duration::from_millis(millis % 7)).await;
                    *guard += 1;
                }
            }
        });
        let mut own = 0;
        while own < 50 {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(3)) => {}
                guard = mutex.lock() => {
                    drop(guard);
                    own += 1;
                }
                permit = semaphore.acquire() => drop(permit.unwrap()),
            }
        }
        holder.await.unwrap();
        assert_eq!(*mutex.lock().await, 50);
        assert_eq!(semaphore.available_permits(), 1);
    });
}
