//! What tokio-console is shown of the locks and signals: spans and events of the
//! names, targets and fields that tokio's own have, by the feature `tracing`.
//! Without the feature nothing is left of it.
//!
//! All of it happens before or after core's code, and so outside its critical
//! sections: a subscriber may use the very primitive that it is told of.

#[cfg(not(feature = "tracing"))]
pub(super) use off::{Held, Resource};
#[cfg(feature = "tracing")]
pub(super) use on::{Held, Resource};

/// What a resource is, and how it begins.
#[cfg_attr(not(feature = "tracing"), allow(dead_code))]
#[derive(Clone, Copy)]
pub(super) enum What {
    Mutex,
    RwLock { max_readers: u32 },
    Semaphore { permits: usize },
    Barrier { size: usize },
    Oneshot,
}

/// What is held until it is given back.
#[cfg_attr(not(feature = "tracing"), allow(dead_code))]
#[derive(Clone, Copy)]
pub(super) enum Hold {
    Lock,
    Read,
    Write,
    Permits(usize),
    /// A place in a barrier's generation.
    Arrival,
    /// The sender of a oneshot.
    Sender,
    /// The receiver of a oneshot.
    Receiver,
}

/// What happens to a resource beside that.
#[cfg_attr(not(feature = "tracing"), allow(dead_code))]
#[derive(Clone, Copy)]
pub(super) enum Change {
    PermitsAdded(usize),
    PermitsForgotten(usize),
    /// A generation is complete, and who says so leads it.
    Led,
    Sent,
    Received,
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::future::Future;

    use super::{Change, Hold, What};

    pub(in crate::sync) struct Resource;

    impl Resource {
        #[inline]
        pub(in crate::sync) const fn new(_: What) -> Self {
            Self
        }

        #[inline]
        pub(in crate::sync) fn handle(&self) -> Self {
            Self
        }

        #[inline]
        pub(in crate::sync) fn wait<F: Future>(&self, _: &'static str, future: F) -> F {
            future
        }

        #[inline]
        pub(in crate::sync) fn hold(&self, _: Hold) -> Held {
            Held
        }

        #[inline]
        pub(in crate::sync) fn change(&self, _: Change) {}
    }

    pub(in crate::sync) struct Held;

    impl Held {
        #[inline]
        pub(in crate::sync) fn downgrade(self) -> Self {
            self
        }

        #[inline]
        pub(in crate::sync) fn merge(&mut self, _: Self) {}

        #[inline]
        pub(in crate::sync) fn split(&mut self, _: usize) -> Self {
            Self
        }

        #[inline]
        pub(in crate::sync) fn forget(self) {}
    }
}

#[cfg(feature = "tracing")]
mod on {
    use std::future::Future;
    use std::mem;
    use std::panic::{AssertUnwindSafe, Location};
    use std::pin::Pin;
    use std::sync::OnceLock;
    use std::task::{Context, Poll};

    use pin_project_lite::pin_project;
    use tracing::{Span, trace, trace_span};

    use super::{Change, Hold, What};

    macro_rules! update {
        ($($field:tt)*) => {
            trace!(target: "runtime::resource::state_update", $($field)*)
        };
    }
    // Their messages are of the subscriber's making: a panic there breaks nothing here.
    type Shared = AssertUnwindSafe<Span>;

    /// A resource, which the subscriber hears of when it is first used: so it can be
    /// made in a constant.
    pub(in crate::sync) struct Resource {
        what: What,
        place: &'static Location<'static>,
        span: OnceLock<Shared>,
    }

    impl Resource {
        #[track_caller]
        pub(in crate::sync) const fn new(what: What) -> Self {
            Self {
                what,
                place: Location::caller(),
                span: OnceLock::new(),
            }
        }

        fn span(&self) -> &Span {
            if let Some(span) = self.span.get() {
                return span;
            }
            // Not within a lock: the subscriber may use the primitive.
            if self.span.set(AssertUnwindSafe(self.begin())).is_ok() {
                self.tell_how_it_begins();
            }
            self.span.get().expect("it has just been set")
        }

        fn begin(&self) -> Span {
            let (concrete_type, kind) = match self.what {
                What::Mutex => ("Mutex", "Sync"),
                What::RwLock { .. } => ("RwLock", "Sync"),
                What::Semaphore { .. } => ("Semaphore", "Sync"),
                What::Barrier { .. } => ("Barrier", "Sync"),
                What::Oneshot => ("Sender|Receiver", "Sync"),
            };
            trace_span!(
                parent: None,
                "runtime.resource",
                concrete_type,
                kind,
                loc.file = self.place.file(),
                loc.line = self.place.line(),
                loc.col = self.place.column(),
            )
        }

        fn tell_how_it_begins(&self) {
            self.span().in_scope(|| match self.what {
                What::Mutex => update!(locked = false),
                What::RwLock { max_readers } => {
                    update!(max_readers = max_readers);
                    update!(write_locked = false);
                    update!(current_readers = 0);
                }
                What::Semaphore { permits } => {
                    update!(permits = permits as u64, permits.op = "override");
                }
                What::Barrier { size } => {
                    update!(size = size as u64);
                    update!(arrived = 0);
                }
                What::Oneshot => {
                    update!(tx_dropped = false, tx_dropped.op = "override");
                    update!(rx_dropped = false, rx_dropped.op = "override");
                    update!(value_sent = false, value_sent.op = "override");
                    update!(value_received = false, value_received.op = "override");
                }
            });
        }

        /// The same resource, which begins now.
        pub(in crate::sync) fn handle(&self) -> Self {
            let span = AssertUnwindSafe(self.span().clone());
            Self {
                what: self.what,
                place: self.place,
                span: OnceLock::from(span),
            }
        }

        /// `future`, shown as a wait for this.
        pub(in crate::sync) fn wait<F: Future>(
            &self,
            source: &'static str,
            future: F,
        ) -> Traced<F> {
            let resource = self.span().clone();
            let operation = resource.in_scope(|| {
                trace_span!(
                    "runtime.resource.async_op",
                    source = source,
                    inherits_child_attrs = false
                )
            });
            let poll = operation.in_scope(|| trace_span!("runtime.resource.async_op.poll"));
            Traced {
                future,
                resource: AssertUnwindSafe(resource),
                operation: AssertUnwindSafe(operation),
                poll: AssertUnwindSafe(poll),
            }
        }

        /// That something is held from now on.
        pub(in crate::sync) fn hold(&self, hold: Hold) -> Held {
            let span = AssertUnwindSafe(self.span().clone());
            span.in_scope(|| match hold {
                Hold::Lock => update!(locked = true),
                Hold::Read => update!(current_readers = 1, current_readers.op = "add"),
                Hold::Write => update!(write_locked = true, write_locked.op = "override"),
                Hold::Permits(n) => update!(permits = n as u64, permits.op = "sub"),
                Hold::Arrival => update!(arrived = 1, arrived.op = "add"),
                Hold::Sender | Hold::Receiver => {}
            });
            Held {
                span,
                hold: Some(hold),
            }
        }

        pub(in crate::sync) fn change(&self, change: Change) {
            self.span().in_scope(|| match change {
                Change::PermitsAdded(n) => update!(permits = n as u64, permits.op = "add"),
                Change::PermitsForgotten(n) => update!(permits = n as u64, permits.op = "sub"),
                Change::Led => update!(arrived = 0, arrived.op = "override"),
                Change::Sent => update!(value_sent = true, value_sent.op = "override"),
                Change::Received => {
                    update!(value_received = true, value_received.op = "override");
                }
            });
        }
    }

    /// What is held; dropped, it is given back.
    pub(in crate::sync) struct Held {
        span: Shared,
        // None once it has been given back or is somebody else's.
        hold: Option<Hold>,
    }

    impl Held {
        /// A writer becomes a reader.
        pub(in crate::sync) fn downgrade(mut self) -> Self {
            self.give_back();
            self.span
                .in_scope(|| update!(current_readers = 1, current_readers.op = "add"));
            self.hold = Some(Hold::Read);
            self
        }

        fn permits(&mut self) -> &mut usize {
            match &mut self.hold {
                Some(Hold::Permits(n)) => n,
                _ => unreachable!("only permits are counted"),
            }
        }

        pub(in crate::sync) fn merge(&mut self, mut other: Self) {
            *self.permits() += mem::take(other.permits());
            other.hold = None;
        }

        /// So many of the permits, which there are.
        pub(in crate::sync) fn split(&mut self, n: usize) -> Self {
            *self.permits() -= n;
            Self {
                span: AssertUnwindSafe(self.span.0.clone()),
                hold: Some(Hold::Permits(n)),
            }
        }

        pub(in crate::sync) fn forget(mut self) {
            self.hold = None;
        }

        fn give_back(&mut self) {
            let Some(hold) = self.hold.take() else {
                return;
            };
            self.span.in_scope(|| match hold {
                Hold::Lock => update!(locked = false),
                Hold::Read => update!(current_readers = 1, current_readers.op = "sub"),
                Hold::Write => update!(write_locked = false, write_locked.op = "override"),
                Hold::Permits(n) => update!(permits = n as u64, permits.op = "add"),
                Hold::Arrival => update!(arrived = 1, arrived.op = "sub"),
                Hold::Sender => update!(tx_dropped = true, tx_dropped.op = "override"),
                Hold::Receiver => update!(rx_dropped = true, rx_dropped.op = "override"),
            });
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            self.give_back();
        }
    }

    pin_project! {
        /// A wait that is shown.
        pub(in crate::sync) struct Traced<F> {
            #[pin]
            future: F,
            resource: Shared,
            operation: Shared,
            poll: Shared,
        }
    }

    impl<F: Future> Future for Traced<F> {
        type Output = F::Output;

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
            let this = self.project();
            let _resource = this.resource.enter();
            let _operation = this.operation.enter();
            let _poll = this.poll.enter();
            let polled = this.future.poll(cx);
            trace!(
                target: "runtime::resource::poll_op",
                op_name = "poll",
                is_ready = polled.is_ready()
            );
            polled
        }
    }
}
