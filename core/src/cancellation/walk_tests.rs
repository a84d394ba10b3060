//! Cancels of one tree that meet: each does the work that is below its own token, and
//! no other. One thread plays them all, as a cancel can be begun between any two steps
//! of another.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

type Token = CancellationToken;

fn count(tokens: &[Token]) -> usize {
    tokens.iter().filter(|token| token.is_cancelled()).count()
}

/// So many below `parent`, each below an earlier one.
fn grow(parent: &Token, number: usize) -> Vec<Token> {
    let mut tokens = Vec::new();
    tokens.push(parent.child_token());
    for at in 1..number {
        let child = tokens[at / 3].child_token();
        tokens.push(child);
    }
    tokens
}

/// `cancellation::cancel_does_its_own_work_only`
#[test]
fn cancel_does_its_own_work_only() {
    const MANY: usize = 1_000;
    let root = Token::new();
    let (busy, leaf) = (root.child_token(), root.child_token());
    let (other, last) = (root.child_token(), root.child_token());
    let below_busy = grow(&busy, MANY);
    let below_other = grow(&other, 10);
    let mut at = 0;
    busy.node.cancel_and(|| {
        at += 1;
        if at != 10 {
            return;
        }
        let marked = count(&below_busy);
        leaf.cancel();
        assert!(leaf.is_cancelled());
        other.cancel();
        assert_eq!(count(&below_other), 10);
        assert_eq!(count(&below_busy), marked, "that is not theirs");
        // One that was cancelled from above, with all below it or not yet.
        below_busy
            .iter()
            .filter(|token| token.is_cancelled())
            .for_each(Token::cancel);
        // One that was not.
        let late = below_busy.last().unwrap();
        late.cancel();
        assert!(late.is_cancelled() && !last.is_cancelled());
    });
    assert_eq!(count(&below_busy), MANY);
    assert_eq!(root.node.entries_of_tree(), Some(2), "`root` and `last`");
    assert!(!last.is_cancelled());
}

/// One that is above another shares the work of that.
#[test]
fn cancel_from_above_ends_what_was_begun_below() {
    let root = Token::new();
    let middle = root.child_token();
    let tokens = grow(&middle, 100);
    let mut at = 0;
    middle.node.cancel_and(|| {
        at += 1;
        if at == 5 {
            root.cancel();
            assert_eq!(count(&tokens), 100);
        }
    });
    assert_eq!(at, 5, "nothing was left to be done");
    assert_eq!(root.node.entries_of_tree(), Some(0));
}

/// Runs cancels within cancels: `plan` says after how many steps the next begins, and
/// of which token.
fn run(tokens: &[Token], parents: &[usize], plan: &mut Vec<(usize, usize)>) {
    let Some((steps, number)) = plan.pop() else {
        return;
    };
    let number = number % tokens.len();
    let is_below = |mut token: usize| {
        while token > number {
            token = parents[token];
        }
        token == number
    };
    let mut at = 0;
    tokens[number].node.cancel_and(|| {
        at += 1;
        if at == steps {
            run(tokens, parents, plan);
        }
    });
    for (token, _) in tokens.iter().enumerate().filter(|(at, _)| is_below(*at)) {
        assert!(tokens[token].is_cancelled(), "{token} is below {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn cancels_within_cancels(
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..40),
        dropped in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        plan in proptest::collection::vec((1..6_usize, 0..40_usize), 1..8),
    ) {
        let mut tokens = Vec::from([Token::new()]);
        let mut parents = Vec::from([0]);
        for pick in &picks {
            let parent = pick.index(tokens.len());
            tokens.push(tokens[parent].child_token());
            parents.push(parent);
        }
        // Some are gone, and leave light entries: others take their places here.
        for pick in dropped {
            let at = pick.index(tokens.len());
            if at != 0 {
                let above = parents[at];
                for parent in parents.iter_mut().skip(at + 1).filter(|parent| **parent == at) {
                    *parent = above;
                }
                parents[at] = 0;
                tokens[at] = tokens[0].child_token();
            }
        }
        let begun: Vec<_> = plan.iter().map(|(_, number)| number % tokens.len()).collect();
        let mut plan = plan;
        while !plan.is_empty() {
            run(&tokens, &parents, &mut plan);
        }
        for (at, token) in tokens.iter().enumerate() {
            let mut above = at;
            while above != 0 && !begun.contains(&above) {
                above = parents[above];
            }
            prop_assert_eq!(token.is_cancelled(), begun.contains(&above));
        }
        if let Some(entries) = tokens[0].node.entries_of_tree() {
            let live = count(&tokens);
            prop_assert!(entries >= tokens.len() - live);
            prop_assert!(entries <= 2 * (tokens.len() - live));
        }
    }
}
