//! The tree: which token is cancelled with which.
//!
//! The tokens of a tree have their entries in one table behind one lock, linked
//! by their numbers: parent, first child, and the neighbours among the children of
//! the same parent. Every step is O(1), and the lock is opened between any two of
//! a [`cancel`](Tree::cancel), so that no thread waits long, however large the tree.
//! Nothing here is recursive.
//!
//! An entry is one of three:
//!
//! - **live**: it has a [`Node`], which some token leads to and which is not
//!   cancelled;
//! - **light**: its last token is gone, but it has two or more children, which are
//!   to hear of what befalls its ancestors. With one child or none it goes, and the
//!   child takes its place: so there are fewer light entries than live ones;
//! - **doomed**: it has been cancelled, and has children that have not, or that are
//!   doomed themselves. It goes with the last of them.
//!
//! # The walk of a cancel
//!
//! ```text
//!            root of the walk ──► doomed ──► cursor ──► live, light, or the root of
//!              │                    │          │        another walk
//!              live..               live..     live..
//! ```
//!
//! A cancel walks through what is below its token, always to the first child, and back
//! when there is none any more. Where it stands is written in the entry of its token, the
//! root of the walk; from there to the cursor all are doomed, each the first child of
//! the one before. So each thread can take a step for any walk. It does for three: its
//! own; that of a token above it which had doomed its own before; and one that had begun
//! below its own. So it does work below its own token only.
//!
//! Invariant **MARKED**: a node that has a place in a tree is marked as cancelled
//! under the tree's lock, and no entry is linked under a marked one. The entry is
//! its own until the node is marked as done, at the moment when its entry goes; then
//! everything below it is cancelled.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use super::node::Node;
use crate::primitive::Lock;

/// No entry.
const NONE: u32 = u32::MAX;
/// The largest number of entries.
const MAX: usize = NONE as usize - 1;

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
}

struct Entry {
    node: Option<Arc<Node>>,
    parent: u32,
    child: u32,
    prev: u32,
    next: u32,
    /// The root of the walk that has doomed it.
    root: u32,
    /// Of the root of a walk: where that is.
    cursor: u32,
}

/// What a cancel has done under the lock.
enum Step {
    /// It has marked this node.
    Marked(Arc<Node>),
    /// It has come back from an entry, which is gone; to be dropped when the lock is
    /// open.
    Passed(Option<Arc<Node>>),
    /// It has doomed a light entry.
    Went,
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
    /// Where others cancel what is below `node`, or have cancelled it from above, they
    /// share the work that is below `node`. It returns when all of that is marked.
    pub(super) fn cancel(&self, place: u32, node: &Node, mut marked: impl FnMut(Arc<Node>)) {
        while !node.is_done() {
            match self.step(place, node) {
                Step::Marked(node) => marked(node),
                Step::Passed(node) => drop(node),
                Step::Went => {}
            }
        }
    }

    fn step(&self, place: u32, node: &Node) -> Step {
        let mut table = self.table.lock();
        if !node.is_cancelled() {
            return table.doom(place, place);
        }
        if node.is_done() {
            return Step::Passed(None);
        }
        // By MARKED the entry is its own.
        let root = table.at(place).root;
        table.step(root)
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
            root: NONE,
            cursor: NONE,
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

    /// The first of the children of `parent`.
    fn head(&mut self, parent: u32) -> Option<&mut u32> {
        (parent != NONE).then(|| &mut self.at(parent).child)
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

    /// Takes an entry out of the tree, and frees it; returns its parent.
    fn unlink(&mut self, index: u32) -> u32 {
        let &mut Entry {
            parent, prev, next, ..
        } = self.at(index);
        self.relink(index, prev, next);
        self.release(index);
        parent
    }

    fn release(&mut self, index: u32) {
        let free = mem::replace(&mut self.free, index);
        self.at(index).next = free;
    }

    /// An entry has lost its node or a child: lets it go if it is not needed.
    fn shrunk(&mut self, mut index: u32) {
        // Once round for a light entry; its parent, if that is light or doomed
        // too, is the last.
        while index != NONE {
            let &mut Entry {
                ref node,
                parent,
                child,
                prev,
                next,
                root,
                ..
            } = self.at(index);
            if node.is_some() || root != NONE {
                return;
            }
            if child == NONE {
                index = self.unlink(index);
                continue;
            }
            if self.at(child).next == NONE {
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

    /// Cancels an entry that is live or light, in the walk of `root`.
    fn doom(&mut self, index: u32, root: u32) -> Step {
        let entry = self.at(index);
        if entry.child == NONE {
            return self.pass(index).map_or(Step::Went, Step::Marked);
        }
        entry.root = root;
        let node = entry.node.clone();
        self.at(root).cursor = index;
        let Some(node) = node else {
            return Step::Went;
        };
        node.mark();
        Step::Marked(node)
    }

    /// An entry below which nothing is left goes; its node, if it has one, is done.
    fn pass(&mut self, index: u32) -> Option<Arc<Node>> {
        let node = self.at(index).node.take();
        if let Some(node) = &node {
            node.mark_done();
        }
        let parent = self.unlink(index);
        self.shrunk(parent);
        node
    }

    /// Takes one step of a walk.
    fn step(&mut self, mut root: u32) -> Step {
        // Once round, and once for each walk that has begun below it, and where this one
        // has come to: so for no more than there are threads that cancel.
        loop {
            let cursor = self.at(root).cursor;
            let &mut Entry { parent, child, .. } = self.at(cursor);
            if child == NONE {
                if cursor != root {
                    self.at(root).cursor = parent;
                }
                return Step::Passed(self.pass(cursor));
            }
            if self.at(child).root == NONE {
                return self.doom(child, root);
            }
            root = child;
        }
    }
}
