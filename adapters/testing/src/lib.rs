//! What every adapter tests of its handles, written once.
//!
//! A test is named after the law or the property that it checks. Each takes a
//! function that makes a handle, and what sets handles of `Send` tasks apart from
//! those of local tasks is behind [`Executor`]:
//!
//! ```ignore
//! anysync_adapter_tests::laws!(smol: Sending(Smol));
//! anysync_adapter_tests::laws!(smol_local: Local(SmolLocal::default()));
//! ```

#![forbid(unsafe_code)]

pub mod compile;
pub mod ends;
pub mod face;
pub mod names;
mod tasks;
mod time;

pub use tasks::*;
pub use time::*;

use std::future::Future;
use std::sync::Arc;

use anysync::{Block, Join, Notify, Spawn, SpawnBlocking, SpawnLocal, Timer};

/// A handle that spawns in one way or the other.
pub trait Executor {
    /// The handle itself.
    type Io: Timer + Block + SpawnBlocking;
    /// Waits for a task.
    type Handle<T: Send + 'static>: Join<T>;

    /// The handle itself.
    fn io(&self) -> &Self::Io;

    /// Starts a task.
    fn start<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Runs what the test says.
    fn run<F: Future>(&self, future: F) -> F::Output {
        self.io().block_on(future)
    }
}

/// Tests the tasks of [`Spawn`].
#[derive(Debug)]
pub struct Sending<I>(pub I);

impl<I: Spawn + Block + SpawnBlocking> Executor for Sending<I> {
    type Io = I;
    type Handle<T: Send + 'static> = I::Handle<T>;

    fn io(&self) -> &I {
        &self.0
    }

    fn start<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(future)
    }
}

/// Tests the tasks of [`SpawnLocal`].
#[derive(Debug)]
pub struct Local<I>(pub I);

impl<I: SpawnLocal + Block + SpawnBlocking> Executor for Local<I> {
    type Io = I;
    type Handle<T: Send + 'static> = I::LocalHandle<T>;

    fn io(&self) -> &I {
        &self.0
    }

    fn start<F>(&self, future: F) -> Self::Handle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn_local(future)
    }
}

/// Signals when it is dropped.
#[derive(Debug)]
pub(crate) struct SignalOnDrop(pub(crate) Arc<Notify>);

impl Drop for SignalOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// A module of tests of the handle that an expression makes.
///
/// `simulated` leaves out what takes the real clock or a thread for each blocking
/// call.
#[macro_export]
macro_rules! laws {
    ($name:ident: $executor:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::laws! { @all $executor }
            $crate::laws! { @each $executor =>
                spawn_blocking_does_not_stall_tasks
                sleep_never_ends_early
            }
        }
    };
    ($name:ident: simulated $executor:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $crate::laws! { @all $executor }
        }
    };
    (@all $executor:expr) => {
        $crate::laws! { @each $executor =>
            spawned_task_runs_without_being_awaited
            dropped_handle_detaches
            abort_drops_the_future
            abort_outlives_the_handle
            finished_task_survives_abort
            panic_becomes_join_error
            panic_of_a_detached_output_stays_in_its_task
            panic_in_a_dropped_future_becomes_join_error
            task_is_woken_from_another_thread
            block_on_returns_the_value
            block_on_works_after_a_panic
            dropped_blocking_handle_detaches
            blocking_panic_becomes_join_error
            sleep_until_the_past_is_ready_at_once
            sleep_for_ever_is_no_panic
            timeout_cancels_the_inner_future
            ready_future_beats_an_elapsed_timeout
            sleep_ends_on_another_executor
        }
    };
    (@each $executor:expr => $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                // Some handles want to be made, used and dropped within their
                // executor's context; the law does all of it.
                $crate::$law(|| $executor);
            }
        )*
    };
}
