//! The queue that one writes first, to be seen failing: [`NaiveQueue`].

use std::collections::VecDeque;

use anysync::{Io, Mutex, Notify};

/// Waits first and looks afterwards, once.
///
/// Both are wrong. Two pushes that find nobody waiting store *one* permit, so
/// two pops may find two items and one permit: the second sleeps until a third
/// push, which may never come. And a consumer that another one has overtaken
/// wakes up to an empty queue and has to go away with nothing.
pub(crate) struct NaiveQueue<T> {
    items: Mutex<VecDeque<T>>,
    pushed: Notify,
}

impl<T> NaiveQueue<T> {
    pub(crate) const fn new() -> Self {
        Self {
            items: Mutex::new(VecDeque::new()),
            pushed: Notify::new(),
        }
    }

    pub(crate) async fn push(&self, io: impl Io, item: T) {
        self.items.lock(io).await.push_back(item);
        self.pushed.notify_one();
    }

    pub(crate) async fn pop(&self, io: impl Io) -> Option<T> {
        self.pushed.wait(&io).await;
        self.items.lock(&io).await.pop_front()
    }

    pub(crate) async fn len(&self, io: impl Io) -> usize {
        self.items.lock(io).await.len()
    }
}
