//! A queue whose memory follows its content.
//!
//! It is a list of blocks of [`BLOCK`] places: nothing is ever copied as it grows, so
//! that no push takes long. A block that was emptied is kept for the next that is
//! wanted, one of them; so a queue with a steady rhythm allocates nothing.

use std::collections::{LinkedList, VecDeque};

/// How many items a block has place for.
const BLOCK: usize = 32;

/// First in, first out.
pub(super) struct Fifo<T> {
    /// None is empty, but the only one.
    blocks: LinkedList<VecDeque<T>>,
    /// An empty block, or none.
    spare: LinkedList<VecDeque<T>>,
    len: usize,
}

impl<T> Fifo<T> {
    pub(super) const fn new() -> Self {
        Self {
            blocks: LinkedList::new(),
            spare: LinkedList::new(),
            len: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        self.len += 1;
        match self.blocks.back_mut() {
            Some(back) if back.len() < BLOCK => back.push_back(item),
            _ => self.push_to_another(item),
        }
    }

    #[cold]
    fn push_to_another(&mut self, item: T) {
        if self.blocks.is_empty() {
            // The first grows with its content, as most queues are short.
            self.blocks.push_back(VecDeque::new());
        } else if self.spare.is_empty() {
            self.blocks.push_back(VecDeque::with_capacity(BLOCK));
        } else {
            self.blocks.append(&mut self.spare);
        }
        if let Some(back) = self.blocks.back_mut() {
            back.push_back(item);
        }
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        let front = self.blocks.front_mut()?;
        let item = front.pop_front()?;
        self.len -= 1;
        if front.is_empty() && self.len > 0 {
            self.leave_block();
        }
        Some(item)
    }

    #[cold]
    fn leave_block(&mut self) {
        let rest = self.blocks.split_off(1);
        self.spare = std::mem::replace(&mut self.blocks, rest);
    }

    /// Puts back what was popped.
    pub(super) fn unpop(&mut self, item: T) {
        self.len += 1;
        if self.blocks.is_empty() {
            self.blocks.push_back(VecDeque::new());
        }
        if let Some(front) = self.blocks.front_mut() {
            front.push_front(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_in_is_first_out() {
        let mut fifo = Fifo::new();
        let (mut pushed, mut popped) = (0, 0);
        for round in 0..200 {
            for _ in 0..round {
                fifo.push(pushed);
                pushed += 1;
            }
            assert_eq!(fifo.len(), pushed - popped);
            for _ in 0..(round * 7) % 200 {
                let Some(item) = fifo.pop() else { break };
                assert_eq!(item, popped);
                popped += 1;
            }
        }
        while let Some(item) = fifo.pop() {
            assert_eq!(item, popped);
            popped += 1;
        }
        assert_eq!((popped, fifo.len()), (pushed, 0));
    }

    #[test]
    fn what_is_put_back_is_first_again() {
        for others in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK] {
            let mut fifo = Fifo::new();
            for item in 0..=others {
                fifo.push(item);
            }
            let first = fifo.pop().unwrap();
            fifo.unpop(first);
            assert_eq!(fifo.len(), others + 1);
            for item in 0..=others {
                assert_eq!(fifo.pop(), Some(item), "{others}");
            }
            assert_eq!(fifo.pop(), None);
        }
    }

    #[test]
    fn memory_follows_the_content() {
        let mut fifo = Fifo::new();
        let places = |fifo: &Fifo<usize>| {
            let all = fifo.blocks.iter().chain(&fifo.spare);
            all.map(VecDeque::capacity).sum::<usize>()
        };
        for item in 0..100_000 {
            fifo.push(item);
        }
        while fifo.len() > 1 {
            fifo.pop();
        }
        assert!(places(&fifo) <= 2 * BLOCK);
        for item in 0..10_000 {
            fifo.push(item);
            fifo.pop();
            assert!(places(&fifo) <= 3 * BLOCK);
        }
    }
}
