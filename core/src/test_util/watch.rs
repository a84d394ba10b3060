//! What a watch over the grants of a queue ought to be: how often they have been met, and
//! when one goes on.

/// When a grant goes on, and how much a poll of its own task counts.
const LIMIT: usize = 128;
const OWN_TASK: usize = 43;

/// What a queued wait has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    Nothing,
    Again,
    Own,
    Stale,
}

/// What is known of the tasks of two waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    SameTask,
    OtherTask,
    Unknown,
}

impl Relation {
    /// Of two tasks, `None` if nothing is known of one.
    pub(crate) fn of(own: Option<usize>, other: Option<usize>) -> Self {
        match (own, other) {
            (Some(own), Some(other)) if own == other => Self::SameTask,
            (Some(_), Some(_)) => Self::OtherTask,
            _ => Self::Unknown,
        }
    }
}

/// Which grant is watched, by which wait, and how often it has been met.
#[derive(Debug, Default)]
pub(crate) struct WatchModel {
    grant: Option<usize>,
    watcher: Option<usize>,
    score: usize,
}

impl WatchModel {
    /// A grant is no more.
    pub(crate) fn forget(&mut self, grant: usize) {
        if self.grant == Some(grant) {
            *self = Self::default();
        }
    }

    /// The grant that goes on.
    pub(crate) fn take(&mut self) -> usize {
        let grant = self.grant.expect("one is watched");
        *self = Self::default();
        grant
    }

    /// A queued wait, which is this node, meets `grants`; `first` if it has just queued.
    pub(crate) fn meet(
        &mut self,
        node: usize,
        grants: &[usize],
        relation: impl Fn(usize) -> Relation,
        first: bool,
    ) -> Met {
        let Some(&head) = grants.first() else {
            return Met::Nothing;
        };
        let is_own = |grant: &usize| relation(*grant) == Relation::SameTask;
        let mine = self.grant.filter(is_own);
        let own = mine.or_else(|| grants.iter().copied().find(is_own));
        match own {
            // The one that another task is about to get comes first.
            Some(_) if mine.is_none() && self.watcher.is_some() => {}
            Some(own) => self.begin(own),
            None if self.grant.is_some() => {}
            None if first && relation(head) == Relation::OtherTask => return Met::Nothing,
            None => self.begin(head),
        }
        let watched = self.grant.expect("one is watched");
        match self.count(node, relation(watched), first) {
            Met::Nothing if own.is_some() => Met::Again,
            met => met,
        }
    }

    fn begin(&mut self, grant: usize) {
        if self.grant != Some(grant) {
            *self = Self {
                grant: Some(grant),
                ..Self::default()
            };
        }
    }

    fn count(&mut self, node: usize, relation: Relation, first: bool) -> Met {
        let comes = relation == Relation::OtherTask;
        if first && comes {
            return Met::Nothing;
        }
        let is_own = relation == Relation::SameTask;
        let is_watcher = is_own && *self.watcher.get_or_insert(node) == node;
        self.score += if is_watcher { OWN_TASK } else { 1 };
        match (self.score >= LIMIT, is_own) {
            (true, true) => Met::Own,
            (true, false) => Met::Stale,
            (false, _) if comes => Met::Nothing,
            (false, _) => Met::Again,
        }
    }
}
