//! Sees an initialiser that waits for its own cell.
//!
//! Each thread keeps a short list of the initialisers that it is polling at the
//! moment: which cell, and which waker they are polled with. A wait for the
//! same cell, polled from within with a waker of the same task, can never end:
//! only the initialiser would wake it, and that one waits.
//!
//! The list has a fixed length, so nothing is allocated and nothing is pointed
//! at. Initialisers that are nested deeper are not seen, nor is anything
//! without `std`.

pub(super) use imp::{enter, is_within};

#[cfg(all(feature = "std", not(anysync_loom)))]
mod imp {
    use core::cell::Cell;
    use core::task::Waker;

    /// How many nested initialisers a thread remembers.
    const DEPTH: usize = 8;

    /// A cell's address, and the two pointers that make a waker's identity.
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Frame {
        cell: usize,
        data: usize,
        table: usize,
    }

    impl Frame {
        const NONE: Self = Self {
            cell: 0,
            data: 0,
            table: 0,
        };

        #[inline]
        fn new<C>(cell: &C, waker: &Waker) -> Self {
            Self {
                cell: core::ptr::from_ref(cell).addr(),
                data: waker.data().addr(),
                table: core::ptr::from_ref(waker.vtable()).addr(),
            }
        }
    }

    struct Chain {
        depth: Cell<usize>,
        frames: [Cell<Frame>; DEPTH],
    }

    std::thread_local! {
        static CHAIN: Chain = const {
            Chain { depth: Cell::new(0), frames: [const { Cell::new(Frame::NONE) }; DEPTH] }
        };
    }

    /// Ends what [`enter`] began.
    pub(in super::super) struct Entered {
        depth: usize,
    }

    /// Says that the initialiser of `cell` is being polled, until the result is
    /// dropped.
    #[inline]
    pub(in super::super) fn enter<C>(cell: &C, waker: &Waker) -> Entered {
        CHAIN.with(|chain| {
            let depth = chain.depth.get();
            if let Some(slot) = chain.frames.get(depth) {
                slot.set(Frame::new(cell, waker));
            }
            chain.depth.set(depth + 1);
            Entered { depth }
        })
    }

    impl Drop for Entered {
        #[inline]
        fn drop(&mut self) {
            CHAIN.with(|chain| chain.depth.set(self.depth));
        }
    }

    /// Whether this runs inside the initialiser of `cell`, in the same task.
    pub(in super::super) fn is_within<C>(cell: &C, waker: &Waker) -> bool {
        CHAIN.with(|chain| {
            let depth = chain.depth.get().min(DEPTH);
            depth > 0 && {
                let frame = Frame::new(cell, waker);
                chain.frames[..depth].iter().any(|slot| slot.get() == frame)
            }
        })
    }
}

/// Without thread-local storage nothing is seen. Under loom all threads are one.
#[cfg(not(all(feature = "std", not(anysync_loom))))]
mod imp {
    use core::task::Waker;

    pub(in super::super) struct Entered;

    pub(in super::super) fn enter<C>(_: &C, _: &Waker) -> Entered {
        Entered
    }

    pub(in super::super) fn is_within<C>(_: &C, _: &Waker) -> bool {
        false
    }
}
