//! The tree: who is cancelled with whom.
//!
//! The tokens of a tree have their entries in one table behind one lock, linked
//! by their numbers: parent, first child, and the neighbours among the children of
//! the same parent. Every step is O(1), and the lock is opened between any two of
//! a [`cancel`](Tree::cancel), so that nobody waits long, however large the tree.
//! Nothing here is recursive.
//!
//! An entry is one of three:
//!
//! - **live**: it has a [`Node`], which some token leads to and which is not
//!   cancelled;
//! - **light**: its last token is gone, but it has two or more children, which are
//!   to hear of what befalls its ancestors. With one child or none it goes, and the
//!   child takes its place: so there are fewer light entries than live ones;
//! - **doomed**: it has been cancelled, and has children that have not. It is in
//!   the list of the doomed, and goes with the last of its children.
//!
//! Invariant **MARKED**: a node that has a place in a tree is marked as cancelled
//! under the tree's lock, at the moment when its entry gives it up; and no entry is
//! linked under a marked one. So once nobody is doomed, everything below a
//! cancelled token is cancelled.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::node::Node;
use crate::primitive::Lock;

/// No entry.
const NONE: u32 = u32::MAX;
/// For a parent: the entry is doomed.
const DOOMED: u32 = u32::MAX - 1;
/// The largest number of entries.
const MAX: usize = DOOMED as usize;

/// How many entries the first chunk holds; each later one twice as many.
const FIRST: usize = if cfg!(anysync_loom) { 2 } else { 8 };

pub(super) struct Tree {
    table: Lock<Table>,
}

struct Table {
    // Chunks, so that growing moves nothing.
    chunks: Vec<Vec<Entry>>,
    len: usize,
    /// The first of the entries that are free, linked by `next`.
    free: u32,
    /// The first of the doomed.
    doomed: u32,
}

struct Entry {
    node: Option<Arc<Node>>,
    parent: u32,
    child: u32,
    prev: u32,
    next: u32,
}

/// The bytes of an entry.
#[cfg(all(test, feature = "std", not(anysync_loom)))]
pub(super) const ENTRY: usize = size_of::<Entry>();

impl Tree {
    /// A tree whose root is `node`, and the place of that.
    pub(super) fn new(node: Arc<Node>) -> (Self, u32) {
        let mut table = Table {
            chunks: Vec::new(),
            len: 0,
            free: NONE,
            doomed: NONE,
        };
        table.chunks.push(Vec::with_capacity(FIRST));
        let root = table
            .insert(NONE, node)
            .unwrap_or_else(|_| unreachable!("there is a chunk"));
        let table = Lock::new(table);
        (Self { table }, root)
    }

    /// Puts `node` below `parent`, whose place is `place`; `None` if that is
    /// cancelled.
    pub(super) fn add_child(&self, place: u32, parent: &Node, node: &Arc<Node>) -> Option<u32> {
        let mut node = node.clone();
        let mut fresh = Vec::new();
        loop {
            let mut table = self.table.lock();
            if parent.is_cancelled() {
                drop(table);
                return None;
            }
            if !table.has_room() && fresh.capacity() >= table.next_chunk() {
                table.chunks.push(mem::take(&mut fresh));
            }
            match table.insert(place, node) {
                Ok(index) => {
                    drop(table);
                    return Some(index);
                }
                Err(back) => node = back,
            }
            // Allocated while the lock is open; perhaps in vain, if others have
            // made room meanwhile.
            let capacity = table.next_chunk();
            drop(table);
            fresh = Vec::with_capacity(capacity);
        }
    }

    /// The last token of `node` is gone.
    pub(super) fn leave(&self, place: u32, node: &Node) {
        let mut table = self.table.lock();
        if node.is_cancelled() {
            // By MARKED the entry is not its own any more.
            return;
        }
        let gone = table.at(place).node.take();
        table.shrunk(place);
        drop(table);
        drop(gone);
    }

    /// Cancels `node` and everything below it. `marked` is given each node that was
    /// marked, after its parent, while the lock is open.
    ///
    /// Several cancels of one tree help each other: each returns when all that was
    /// below any of them has been marked.
    pub(super) fn cancel(&self, place: u32, node: &Node, mut marked: impl FnMut(Arc<Node>)) {
        let mut table = self.table.lock();
        if !node.is_cancelled() {
            let own = table.doom(place);
            drop(table);
            own.into_iter().for_each(&mut marked);
            table = self.table.lock();
        }
        while let Some(next) = table.next_below_doomed() {
            let below = table.doom(next);
            drop(table);
            below.into_iter().for_each(&mut marked);
            table = self.table.lock();
        }
    }

    #[cfg(all(test, feature = "std", not(anysync_loom)))]
    pub(super) fn entries(&self) -> usize {
        let mut table = self.table.lock();
        let mut free = 0;
        let mut index = table.free;
        while index != NONE {
            free += 1;
            index = table.at(index).next;
        }
        table.len - free
    }
}

impl Table {
    /// How many entries the next chunk will hold.
    fn next_chunk(&self) -> usize {
        FIRST << self.chunks.len()
    }

    fn has_room(&self) -> bool {
        // All chunks are `FIRST * (2^n - 1)` entries.
        self.free != NONE || self.len + FIRST < self.next_chunk()
    }

    #[inline]
    fn at(&mut self, index: u32) -> &mut Entry {
        let index = index as usize;
        let chunk = (index / FIRST + 1).ilog2() as usize;
        let before = (FIRST << chunk) - FIRST;
        &mut self.chunks[chunk][index - before]
    }

    /// Links a live entry below `parent`; gives the node back if there is no room.
    fn insert(&mut self, parent: u32, node: Arc<Node>) -> Result<u32, Arc<Node>> {
        if !self.has_room() {
            return Err(node);
        }
        let entry = Entry {
            node: Some(node),
            parent: NONE,
            child: NONE,
            prev: NONE,
            next: NONE,
        };
        let index = if self.free != NONE {
            let index = self.free;
            let slot = self.at(index);
            let next = slot.next;
            *slot = entry;
            self.free = next;
            index
        } else {
            assert!(
                self.len < MAX,
                "a tree has at most {MAX} cancellation tokens"
            );
            let index = self.len as u32;
            self.len += 1;
            let last = self.chunks.len() - 1;
            self.chunks[last].push(entry);
            index
        };
        self.link(parent, index);
        Ok(index)
    }

    /// The first entry of a list: of the children of `parent`, or of the doomed.
    fn head(&mut self, parent: u32) -> Option<&mut u32> {
        match parent {
            NONE => None,
            DOOMED => Some(&mut self.doomed),
            parent => Some(&mut self.at(parent).child),
        }
    }

    /// Puts an entry first below `parent`.
    fn link(&mut self, parent: u32, index: u32) {
        let next = self
            .head(parent)
            .map_or(NONE, |head| mem::replace(head, index));
        if next != NONE {
            self.at(next).prev = index;
        }
        let entry = self.at(index);
        entry.parent = parent;
        entry.prev = NONE;
        entry.next = next;
    }

    /// Makes `after` the successor of the entry before `index`, and `before` the
    /// predecessor of the one after it.
    fn relink(&mut self, index: u32, before: u32, after: u32) {
        let &mut Entry {
            parent, prev, next, ..
        } = self.at(index);
        if prev != NONE {
            self.at(prev).next = after;
        } else if let Some(head) = self.head(parent) {
            *head = after;
        }
        if next != NONE {
            self.at(next).prev = before;
        }
    }

    /// Takes an entry out of the list in which it is; returns its parent.
    fn unlink(&mut self, index: u32) -> u32 {
        let &mut Entry { prev, next, .. } = self.at(index);
        self.relink(index, prev, next);
        mem::replace(&mut self.at(index).parent, NONE)
    }

    fn release(&mut self, index: u32) {
        let free = mem::replace(&mut self.free, index);
        self.at(index).next = free;
    }

    /// An entry has lost its node or a child: lets it go if it is not needed.
    fn shrunk(&mut self, mut index: u32) {
        // Once round for a light entry; its parent, if that is light or doomed
        // too, is the last.
        while index != NONE && index != DOOMED {
            let &mut Entry {
                ref node,
                parent,
                child,
                prev,
                next,
            } = self.at(index);
            if node.is_some() {
                return;
            }
            if child == NONE {
                let parent = self.unlink(index);
                self.release(index);
                index = parent;
            } else {
                if parent != DOOMED && self.at(child).next == NONE {
                    self.relink(index, child, child);
                    let heir = self.at(child);
                    heir.parent = parent;
                    heir.prev = prev;
                    heir.next = next;
                    self.release(index);
                }
                return;
            }
        }
    }

    /// Cancels one entry and marks its node, which is the result; a light entry has
    /// none.
    fn doom(&mut self, index: u32) -> Option<Arc<Node>> {
        let node = self.at(index).node.take();
        if let Some(node) = &node {
            node.mark();
        }
        let parent = self.unlink(index);
        if self.at(index).child == NONE {
            self.release(index);
        } else {
            self.link(DOOMED, index);
        }
        self.shrunk(parent);
        node
    }

    /// Some entry whose parent is doomed.
    fn next_below_doomed(&mut self) -> Option<u32> {
        let doomed = self.doomed;
        (doomed != NONE).then(|| self.at(doomed).child)
    }
}
