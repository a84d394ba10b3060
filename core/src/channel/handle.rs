//! What senders and receivers have in common, and the weak handles.

/// The methods that both handles have.
macro_rules! common_methods {
    () => {
        /// How many messages are in the channel, at this moment. Those that are
        /// promised to a receive that has been woken count until it takes them.
        pub fn len(&self) -> usize {
            self.chan.lock().buffer.len()
        }

        /// Whether no message is in the channel, at this moment.
        pub fn is_empty(&self) -> bool {
            self.len() == 0
        }

        /// Whether a [`try_send`](crate::channel::Sender::try_send) would find no
        /// slot, at this moment: each of them holds a message or is reserved, or
        /// others wait for those that are free. An unbounded channel is never
        /// full.
        pub fn is_full(&self) -> bool {
            self.free_slots() == Some(0)
        }

        /// How many messages the channel can hold; `None` if it is unbounded.
        pub fn capacity(&self) -> Option<usize> {
            self.chan.capacity()
        }

        /// How many messages could be sent without waiting, at this moment; `None`
        /// if the channel is unbounded. While a wait for a slot is queued this is 0,
        /// unless a slot belongs to the first that comes. A closed channel still counts them.
        #[doc(alias("capacity", "remaining"))]
        pub fn free_slots(&self) -> Option<usize> {
            self.chan.capacity()?;
            let list = self.chan.lock();
            Some(if self.chan.may_send(&list) {
                self.chan.free(&list)
            } else {
                0
            })
        }

        /// Whether the channel is closed: by `close` of any handle, or because
        /// all its senders or all its receivers have been dropped. Messages may
        /// be left in it all the same.
        ///
        /// # Memory ordering
        ///
        /// What was done before the close is visible to a task that finds it closed.
        pub fn is_closed(&self) -> bool {
            self.chan.is_closed()
        }

        /// Closes the channel for good; `false` if it was closed already.
        ///
        /// From now on nothing can be sent, except by what has its slot already: a
        /// [`Permit`](crate::channel::Permit), or a send that has been granted a
        /// slot and not been polled since. Tasks that wait for a slot get an error,
        /// and with it what they wanted to send. Receivers get what is left, and
        /// what comes by a slot that is reserved; then they get an error.
        ///
        /// ```
        /// use anysync::channel::{self, SendError, TryRecvError};
        ///
        /// let (sender, receiver) = channel::bounded(4);
        /// sender.try_send(1).unwrap();
        /// assert!(receiver.close());
        /// assert_eq!(sender.force_send(2), Err(SendError(2)));
        /// assert_eq!(receiver.try_recv(), Ok(1));
        /// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        /// ```
        ///
        /// # Panics
        ///
        /// Passes on the panic of a waker, after all the others have been woken.
        pub fn close(&self) -> bool {
            self.chan.close()
        }

        crate::channel::handle::counts!();

        /// How many sends and reservations are queued, at this moment.
        ///
        /// Counts them one by one under the inner lock: for tests and diagnostics.
        ///
        /// ```
        /// use std::{pin::pin, task::{Context, Waker}};
        ///
        /// let (sender, receiver) = anysync::channel::bounded(1);
        /// sender.try_send(1).unwrap();
        /// let mut send = pin!(sender.send_future(2));
        /// let _ = send.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        /// assert_eq!(receiver.waiting_sender_count(), 1);
        /// receiver.try_recv().unwrap();
        /// assert_eq!(receiver.waiting_sender_count(), 0);
        /// ```
        pub fn waiting_sender_count(&self) -> usize {
            self.chan.lock().count(crate::channel::chan::SENDERS)
        }

        /// How many receives are queued, at this moment.
        ///
        /// Counts them one by one under the inner lock: for tests and diagnostics.
        ///
        /// ```
        /// use std::{pin::pin, task::{Context, Waker}};
        ///
        /// let (sender, receiver) = anysync::channel::bounded(1);
        /// let mut recv = pin!(receiver.recv_future());
        /// let _ = recv.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        /// assert_eq!(sender.waiting_receiver_count(), 1);
        /// sender.try_send(1).unwrap();
        /// assert_eq!(sender.waiting_receiver_count(), 0);
        /// ```
        pub fn waiting_receiver_count(&self) -> usize {
            self.chan.lock().count(crate::channel::chan::RECEIVERS)
        }
    };
}
pub(super) use common_methods;

/// The counts of handles, which weak handles have too.
macro_rules! counts {
    () => {
        /// How many [`Sender`](crate::channel::Sender)s there are, at this moment.
        #[doc(alias("strong_count"))]
        pub fn sender_count(&self) -> usize {
            self.chan.senders.load(crate::primitive::Ordering::Acquire)
        }

        /// How many [`Receiver`](crate::channel::Receiver)s there are, at this
        /// moment.
        pub fn receiver_count(&self) -> usize {
            self.chan
                .receivers
                .load(crate::primitive::Ordering::Acquire)
        }

        /// How many [`WeakSender`](crate::channel::WeakSender)s there are, at this
        /// moment.
        #[doc(alias("weak_count"))]
        pub fn weak_sender_count(&self) -> usize {
            self.chan
                .weak_senders
                .load(crate::primitive::Ordering::Acquire)
        }

        /// How many [`WeakReceiver`](crate::channel::WeakReceiver)s there are, at
        /// this moment.
        pub fn weak_receiver_count(&self) -> usize {
            self.chan
                .weak_receivers
                .load(crate::primitive::Ordering::Acquire)
        }
    };
}
pub(super) use counts;

/// A weak handle: its type, and how it becomes a strong one.
macro_rules! weak_handle {
    ($(#[$meta:meta])* $weak:ident of $strong:ident, $weak_count:ident, $strong_count:ident) => {
        $(#[$meta])*
        pub struct $weak<T> {
            chan: Arc<Chan<T>>,
        }

        impl<T> $weak<T> {
            fn new(chan: Arc<Chan<T>>) -> Self {
                // Relaxed: it is a count, which orders nothing.
                chan.$weak_count.fetch_add(1, Ordering::Relaxed);
                Self { chan }
            }

            /// A strong handle, unless the last of its kind has been dropped. (A
            /// channel that was closed by `close` may still have some.)
            pub fn upgrade(&self) -> Option<$strong<T>> {
                let count = &self.chan.$strong_count;
                let mut current = count.load(Ordering::Acquire);
                while current != 0 {
                    match count.compare_exchange_weak(
                        current,
                        current + 1,
                        Ordering::AcqRel,
                        Ordering::Acquire,
                    ) {
                        Ok(_) => return Some($strong::first(self.chan.clone())),
                        Err(actual) => current = actual,
                    }
                }
                None
            }

            /// Whether this is of the same channel as `other`.
            #[doc(alias("same_receiver"))]
            pub fn same_channel(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.chan, &other.chan)
            }

            crate::channel::handle::counts!();
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self::new(self.chan.clone())
            }
        }

        impl<T> Drop for $weak<T> {
            fn drop(&mut self) {
                self.chan.$weak_count.fetch_sub(1, Ordering::AcqRel);
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($weak)).finish_non_exhaustive()
            }
        }
    };
}
pub(super) use weak_handle;
