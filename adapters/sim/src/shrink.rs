//! Makes a schedule that fails as plain as it can be.
//!
//! Plain is: few choices that are not 0, and then few choices at all. A candidate
//! is run, and taken when it fails in the same way and is plainer as it was run,
//! which need not be as it was listed.

/// How many candidates are run at most.
const LIMIT: u32 = 2_000;
/// Up to which place, and up to which option, one choice alone is tried.
const ALONE: (usize, u32) = (100, 6);

/// A plainer list of choices with which `run` says that it fails likewise.
/// `run` returns the choices as they were made.
///
/// Also tells how many candidates were run.
pub(crate) fn shrink(
    choices: Vec<u32>,
    run: impl FnMut(Vec<u32>) -> Option<Vec<u32>>,
) -> (Vec<u32>, u32) {
    let mut search = Search {
        best: trimmed(choices),
        run,
        tried: 0,
    };
    while search.tried < LIMIT && search.pass() {}
    search.one_alone();
    (search.best, search.tried)
}

/// The zeros at the end say nothing.
fn trimmed(mut choices: Vec<u32>) -> Vec<u32> {
    let used = choices.iter().rposition(|choice| *choice != 0);
    choices.truncate(used.map_or(0, |last| last + 1));
    choices
}

fn cost(choices: &[u32]) -> (usize, usize, u64) {
    let unusual = choices.iter().filter(|choice| **choice != 0);
    let sum = unusual.clone().map(|choice| u64::from(*choice)).sum();
    (unusual.count(), choices.len(), sum)
}

struct Search<R> {
    best: Vec<u32>,
    run: R,
    tried: u32,
}

impl<R: FnMut(Vec<u32>) -> Option<Vec<u32>>> Search<R> {
    /// Whether anything became plainer.
    fn pass(&mut self) -> bool {
        let before = cost(&self.best);
        let mut size = self.best.len();
        while size > 0 {
            let mut end = self.best.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                if !self.zero(start..end) {
                    self.remove(start..end);
                }
                // What follows may have become shorter.
                end = start.min(self.best.len());
            }
            size /= 2;
        }
        for place in 0..self.best.len() {
            self.lower(place);
        }
        cost(&self.best) < before
    }

    /// Most failures need one choice only, but not always one of those that were
    /// drawn: several that each hold a task back are one that prefers another.
    fn one_alone(&mut self) {
        let places = ALONE.0.min(2 * self.best.len());
        for place in 0..places {
            for option in 1..=ALONE.1 {
                if cost(&self.best).0 <= 1 {
                    return;
                }
                let mut candidate = vec![0; place + 1];
                candidate[place] = option;
                self.accept(candidate);
            }
        }
    }

    fn zero(&mut self, range: std::ops::Range<usize>) -> bool {
        let range = range.start..range.end.min(self.best.len());
        if self.best[range.clone()].iter().all(|choice| *choice == 0) {
            return false;
        }
        let mut candidate = self.best.clone();
        candidate[range].fill(0);
        self.accept(candidate)
    }

    fn remove(&mut self, range: std::ops::Range<usize>) -> bool {
        let range = range.start..range.end.min(self.best.len());
        let mut candidate = self.best.clone();
        candidate.drain(range);
        self.accept(candidate)
    }

    fn lower(&mut self, place: usize) -> bool {
        if self.best.get(place).is_none_or(|choice| *choice <= 1) {
            return false;
        }
        let mut candidate = self.best.clone();
        candidate[place] = 1;
        self.accept(candidate)
    }

    fn accept(&mut self, candidate: Vec<u32>) -> bool {
        if self.tried >= LIMIT {
            return false;
        }
        self.tried += 1;
        let Some(made) = (self.run)(candidate).map(trimmed) else {
            return false;
        };
        let is_plainer = cost(&made) < cost(&self.best);
        if is_plainer {
            self.best = made;
        }
        is_plainer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_failure_needs_is_left() {
        // Fails when choice 7 is 3 or more, and choice 20 is not 0.
        let fails = |choices: &[u32]| {
            let at = |place: usize| choices.get(place).copied().unwrap_or(0);
            at(7) >= 3 && at(20) != 0
        };
        let choices = vec![5; 100];
        let (shrunk, tried) = shrink(choices, |choices| fails(&choices).then_some(choices));
        let mut expected = vec![0; 21];
        (expected[7], expected[20]) = (5, 1);
        assert_eq!(shrunk, expected);
        assert!(tried < 500, "{tried}");
    }

    #[test]
    fn what_fails_always_needs_no_choice() {
        let (shrunk, tried) = shrink(vec![1; 50], Some);
        assert_eq!((shrunk, tried), (Vec::new(), 1));
    }

    #[test]
    fn what_never_fails_again_is_left_as_it_is() {
        let choices: Vec<_> = (1..2_000).collect();
        let (shrunk, tried) = shrink(choices.clone(), |_| None);
        assert_eq!(shrunk, choices);
        assert_eq!(tried, LIMIT);
    }
}
