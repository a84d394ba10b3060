//! [`RateLimiter`]: a bucket of tokens, which is a [`Semaphore`] whose permits
//! are used up.

use std::time::Duration;

use anysync::{Io, Semaphore, Timer};

#[cfg(test)]
mod tests;

/// So many requests at once, and then so many in each period.
///
/// Who has to wait is served in order; a request that costs many tokens is not
/// overtaken by those that cost few.
pub(crate) struct RateLimiter {
    /// A permit is a token. It is forgotten when it is used, and comes back from
    /// [`refill`](RateLimiter::refill).
    tokens: Semaphore,
    burst: usize,
}

impl RateLimiter {
    /// A bucket that holds `burst` tokens, and is full.
    pub(crate) const fn new(burst: usize) -> Self {
        Self {
            tokens: Semaphore::new(burst),
            burst,
        }
    }

    /// Uses up `cost` tokens, and waits for them if need be.
    ///
    /// Dropped before it is done, it has used none, and gives up its place in
    /// the line.
    ///
    /// # Panics
    ///
    /// If the bucket never holds as many.
    pub(crate) async fn acquire(&self, io: impl Io, cost: usize) {
        assert!(
            cost <= self.burst,
            "a request of {cost} tokens, of a bucket for {}",
            self.burst
        );
        let tokens = self.tokens.acquire_many(io, cost).await;
        tokens.expect("the semaphore is never closed").forget();
    }

    /// Uses up `cost` tokens if they are there and nobody waits; otherwise the
    /// request is one too many.
    pub(crate) fn try_acquire(&self, cost: usize) -> bool {
        match self.tokens.try_acquire_many(cost) {
            Ok(tokens) => {
                tokens.forget();
                true
            }
            Err(_) => false,
        }
    }

    /// Puts `tokens` into the bucket, for those who wait first, and then as many
    /// as it holds. Only one at a time may do so.
    pub(crate) fn refill(&self, tokens: usize) {
        // While somebody waits the bucket counts as empty, though it may hold
        // what is not enough for him; he takes that with him. From this look to
        // the last line tokens become fewer, or a request that has been granted
        // its tokens is dropped and gives them back: what is then too much goes
        // with the next refill.
        let there = self.tokens.available_permits();
        self.tokens.forget_permits(there.saturating_sub(self.burst));
        let room = self.burst.saturating_sub(there);
        self.tokens.add_permits(tokens.min(room));
    }

    /// Refills the bucket with `tokens` every `period`, for ever.
    ///
    /// The periods are counted from the start, so that one refill that comes
    /// late does not put off all the others.
    pub(crate) async fn keep_filling(&self, io: impl Timer, tokens: usize, period: Duration) {
        let mut next = io.now();
        loop {
            next = next + period;
            io.sleep_until(next).await;
            self.refill(tokens);
        }
    }

    /// How many tokens can be had without waiting, at this moment.
    pub(crate) fn available(&self) -> usize {
        self.tokens.available_permits()
    }

    /// How many requests wait, at this moment.
    pub(crate) fn waiting(&self) -> usize {
        self.tokens.waiter_count()
    }
}
