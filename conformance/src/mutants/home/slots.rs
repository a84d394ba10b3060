//! A queue whose nodes are found by number and leave it from anywhere.

/// Nodes, of which some are linked in a row.
pub(super) struct Slots<T> {
    nodes: Vec<Option<Node<T>>>,
    free: Vec<usize>,
    head: Option<usize>,
    tail: Option<usize>,
    linked: usize,
}

struct Node<T> {
    value: T,
    previous: Option<usize>,
    next: Option<usize>,
    is_linked: bool,
}

const THERE: &str = "the node is there until its owner removes it";

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            head: None,
            tail: None,
            linked: 0,
        }
    }

    /// Makes room, so that the first few need no allocation.
    pub(super) fn reserve(&mut self, nodes: usize) {
        self.nodes.reserve(nodes);
        self.free.reserve(nodes);
    }

    /// How many are linked.
    pub(super) fn linked(&self) -> usize {
        self.linked
    }

    pub(super) fn push_back(&mut self, value: T) -> usize {
        let node = Some(Node {
            value,
            previous: None,
            next: None,
            is_linked: false,
        });
        let key = match self.free.pop() {
            Some(key) => {
                self.nodes[key] = node;
                key
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        self.link_back(key);
        key
    }

    fn link_back(&mut self, key: usize) {
        let tail = self.tail.replace(key);
        let node = self.node(key);
        node.previous = tail;
        node.next = None;
        node.is_linked = true;
        match tail {
            Some(tail) => self.node(tail).next = Some(key),
            None => self.head = Some(key),
        }
        self.linked += 1;
    }

    pub(super) fn move_back(&mut self, key: usize) {
        self.unlink(key);
        self.link_back(key);
    }

    /// The first or the last in the row, which leaves it.
    pub(super) fn pop(&mut self, last: bool) -> Option<usize> {
        let key = if last { self.tail } else { self.head }?;
        self.unlink(key);
        Some(key)
    }

    pub(super) fn unlink(&mut self, key: usize) {
        let node = self.node(key);
        if !node.is_linked {
            return;
        }
        node.is_linked = false;
        let (previous, next) = (node.previous.take(), node.next.take());
        match previous {
            Some(previous) => self.node(previous).next = next,
            None => self.head = next,
        }
        match next {
            Some(next) => self.node(next).previous = previous,
            None => self.tail = previous,
        }
        self.linked -= 1;
    }

    /// Takes a node out altogether.
    pub(super) fn remove(&mut self, key: usize) -> T {
        self.unlink(key);
        self.free.push(key);
        self.nodes[key].take().expect(THERE).value
    }

    /// Every node of the row.
    pub(super) fn keys(&self) -> impl Iterator<Item = usize> + '_ {
        let next = |key: &usize| self.nodes[*key].as_ref().expect(THERE).next;
        std::iter::successors(self.head, next)
    }

    pub(super) fn get(&mut self, key: usize) -> &mut T {
        &mut self.node(key).value
    }

    /// The node of a number that may be outdated.
    pub(super) fn find(&mut self, key: usize) -> Option<&mut T> {
        self.nodes[key].as_mut().map(|node| &mut node.value)
    }

    fn node(&mut self, key: usize) -> &mut Node<T> {
        self.nodes[key].as_mut().expect(THERE)
    }
}
