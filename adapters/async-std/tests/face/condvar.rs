//! The condition variable, which is async-std's own.

/// The body, with the module that it is about by the name `sync`.
macro_rules! faces {
    ($($side:ident: $sync:path;)*) => {$(
        mod $side {
            use std::pin::pin;
            use std::time::Duration;

            use anysync_adapter_tests::face::Task;
            use async_std::task;
            use $sync as sync;
            use sync::{Arc, Condvar, Mutex};

            const LONG: Duration = Duration::from_secs(600);
            const SHORT: Duration = Duration::from_millis(1);

            #[test]
            fn gives_up_the_lock_and_takes_it_again() {
                let (mutex, changed) = (Mutex::new(1), Condvar::new());
                let (first, second) = (Task::new(), Task::new());
                let mut waiting = pin!(async { *changed.wait(mutex.lock().await).await });
                first.pending(waiting.as_mut());
                *mutex.try_lock().expect("the wait has given it up") = 2;
                changed.notify_one();
                assert_eq!(first.ready(waiting), 2);
                // A notification of nobody is for nobody.
                changed.notify_one();
                changed.notify_all();
                let mut waiting = pin!(async { *changed.wait(mutex.lock().await).await });
                second.pending(waiting.as_mut());
                second.pending(waiting.as_mut());
            }

            #[test]
            fn notifies_all_who_are_there() {
                let (mutex, changed) = (Mutex::new(0), Condvar::default());
                let task = [Task::new(), Task::new(), Task::new()];
                let mut waits = task.each_ref().map(|_| {
                    Box::pin(async { *changed.wait(mutex.lock().await).await += 1 })
                });
                for (task, wait) in task.iter().zip(&mut waits) {
                    task.pending(wait.as_mut());
                }
                changed.notify_all();
                for (task, wait) in task.iter().zip(&mut waits) {
                    task.ready(wait.as_mut());
                }
                assert_eq!(mutex.try_lock().map(|count| *count), Some(3));
            }

            #[test]
            fn waits_until_the_condition_holds() {
                let (mutex, changed) = (Mutex::new(0), Condvar::new());
                let task = Task::new();
                let mut waiting = pin!(async {
                    let guard = mutex.lock().await;
                    *changed.wait_until(guard, |count| *count == 2).await
                });
                task.pending(waiting.as_mut());
                for count in [1, 2] {
                    *mutex.try_lock().unwrap() = count;
                    changed.notify_one();
                    match count {
                        1 => task.pending(waiting.as_mut()),
                        _ => assert_eq!(task.ready(waiting.as_mut()), 2),
                    }
                }
                // It looks before it waits.
                let already = async {
                    *changed.wait_until(mutex.lock().await, |count| *count == 2).await
                };
                assert_eq!(task.ready(pin!(already)), 2);
            }

            #[test]
            fn gives_up_in_time_and_has_the_lock() {
                task::block_on(async {
                    let (mutex, changed) = (Mutex::new(1), Condvar::new());
                    let guard = mutex.lock().await;
                    let (guard, result) = changed.wait_timeout(guard, SHORT).await;
                    assert!(result.timed_out());
                    assert_eq!(format!("{result:?}"), "WaitTimeoutResult(true)");
                    let (guard, result) =
                        changed.wait_timeout_until(guard, SHORT, |_| false).await;
                    assert!(result.timed_out());
                    let (guard, result) = changed.wait_timeout_until(guard, LONG, |_| true).await;
                    assert!(!result.timed_out());
                    assert!(mutex.try_lock().is_none(), "it is held");
                    drop(guard);
                });
            }

            #[test]
            fn is_notified_in_time() {
                task::block_on(async {
                    let pair = Arc::new((Mutex::new(false), Condvar::new()));
                    let guard = pair.0.lock().await;
                    let other = Arc::clone(&pair);
                    let notifier = task::spawn(async move {
                        *other.0.lock().await = true;
                        other.1.notify_one();
                    });
                    let (guard, result) = pair.1.wait_timeout(guard, LONG).await;
                    assert!(*guard && !result.timed_out());
                    drop(guard);
                    notifier.await;
                });
            }

            #[test]
            fn a_dropped_wait_that_was_notified_lets_the_next_go() {
                let (mutex, changed) = (Mutex::new(()), Condvar::new());
                let (first, second) = (Task::new(), Task::new());
                let mut dropped = Box::pin(async { drop(changed.wait(mutex.lock().await).await) });
                let mut next = pin!(async { drop(changed.wait(mutex.lock().await).await) });
                first.pending(dropped.as_mut());
                second.pending(next.as_mut());
                changed.notify_one();
                drop(dropped);
                second.ready(next);
            }

            #[test]
            fn shows_itself() {
                assert_eq!(format!("{:?}", Condvar::new()), "Condvar { .. }");
            }

            #[test]
            fn is_shared_and_sent() {
                fn both<T: Send + Sync + 'static>() {}
                both::<Condvar>();
                fn sent<T: Send>(_: T) {}
                let (mutex, changed) = (Mutex::new(0), Condvar::new());
                sent(async { drop(changed.wait(mutex.lock().await).await) });
            }
        }
    )*};
}

faces! {
    original: async_std::sync;
    ours: anysync_async_std::sync;
}

/// Where the original is not as good.
mod differs {
    use std::pin::pin;

    use anysync_adapter_tests::face::Task;

    /// Whether the second is woken when the first was notified and dropped while it
    /// waited for the lock.
    macro_rules! passes_on {
        ($sync:path) => {{
            use $sync as sync;
            let (mutex, changed) = (sync::Mutex::new(()), sync::Condvar::new());
            let (first, second) = (Task::new(), Task::new());
            let mut dropped = Box::pin(async { drop(changed.wait(mutex.lock().await).await) });
            let mut next = pin!(async { drop(changed.wait(mutex.lock().await).await) });
            first.pending(dropped.as_mut());
            second.pending(next.as_mut());
            let guard = mutex.try_lock().unwrap();
            changed.notify_one();
            first.pending(dropped.as_mut());
            drop(dropped);
            drop(guard);
            second.poll(next).is_ready()
        }};
    }

    #[test]
    fn a_wait_dropped_while_it_waits_for_the_lock_lets_the_next_go() {
        assert!(!passes_on!(async_std::sync), "the original");
        assert!(passes_on!(anysync_async_std::sync), "ours");
    }

    #[test]
    fn ours_may_be_a_static() {
        static CHANGED: anysync_async_std::sync::Condvar = anysync_async_std::sync::Condvar::new();
        CHANGED.notify_one();
    }
}
