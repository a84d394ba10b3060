//! Callbacks in the shape of a `Waker`: what a `Waiter` without a task calls.

use core::marker::PhantomData;
use core::task::{RawWaker, RawWakerVTable, Waker};

#[cfg(all(test, feature = "std", not(anysync_loom)))]
mod tests;

/// A waker that calls `callback(context)`.
///
/// The callback is known by its type alone, so a waker's single data word can
/// carry the context, and nothing is allocated.
pub(crate) fn waker_of<C, F>(context: &'static C, _callback: F) -> Waker
where
    C: Sync,
    F: Fn(&'static C) + Copy + Send + Sync + 'static,
{
    const {
        assert!(
            size_of::<F>() == 0,
            "the callback must be a function or a closure that captures nothing"
        );
    }
    // SAFETY: invariant CALLBACK of the table below.
    unsafe { Waker::from_raw(raw::<C, F>(context)) }
}

fn raw<C, F>(context: *const C) -> RawWaker
where
    C: Sync + 'static,
    F: Fn(&'static C) + Copy + 'static,
{
    RawWaker::new(context.cast(), &Table::<C, F>::TABLE)
}

/// Invariant **CALLBACK**: the data word is the `&'static C` that `waker_of`
/// was given, and an `F` was given to it, which takes no space and is `Copy`.
/// `C: Sync` and `F: Send + Sync` make it right to call from any thread.
struct Table<C, F>(PhantomData<(C, F)>);

impl<C, F> Table<C, F>
where
    C: Sync + 'static,
    F: Fn(&'static C) + Copy + 'static,
{
    const TABLE: RawWakerVTable = RawWakerVTable::new(Self::clone, Self::call, Self::call, |_| {});

    // By CALLBACK, `data` is the context.
    unsafe fn clone(data: *const ()) -> RawWaker {
        raw::<C, F>(data.cast())
    }

    // By CALLBACK, `data` is the context.
    unsafe fn call(data: *const ()) {
        // SAFETY: invariant CALLBACK: the context is alive for ever, and a
        // value without size, of which one existed, may be copied from nowhere.
        let (context, callback) = unsafe {
            (
                &*data.cast::<C>(),
                core::ptr::NonNull::<F>::dangling().as_ptr().read(),
            )
        };
        callback(context);
    }
}
