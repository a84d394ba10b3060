//! The laws of `any::` and `cancellation::`, each in a test of its name.

use core::cell::Cell;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::collections::hash_map::RandomState;
use std::format;
use std::hash::BuildHasher;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::vec;
use std::vec::Vec;

use super::*;
use crate::Block;
use crate::test_util::{
    Event, WAKER_PANIC, allocations, counting_waker, hooked_waker, panic_message, panicking_waker,
    poll, poll_noop, reentrant_waker, scope,
};

type Token = CancellationToken;

/// How many entries the tree of a token has.
fn entries(token: &Token) -> usize {
    token.node.entries_of_tree().expect("it is in a tree")
}

#[test]
fn is_sticky() {
    let token = Token::new();
    assert!(!token.is_cancelled());
    assert!(poll_noop(pin!(token.cancelled(Bare))).is_pending());
    token.cancel();
    token.cancel();
    for _ in 0..2 {
        assert!(token.is_cancelled() && token.clone().is_cancelled());
        assert!(poll_noop(pin!(token.cancelled(Bare))).is_ready());
        assert!(poll_noop(pin!(token.clone().cancelled_owned(Bare))).is_ready());
        assert!(token.child_token().is_cancelled());
    }
}

#[test]
fn child_follows_parent_not_the_reverse() {
    let root = Token::new();
    let (first, second) = (root.child_token(), root.child_token());
    let below_first = first.child_token();
    let below_second = second.child_token();
    first.cancel();
    let state = || [&root, &first, &below_first, &second, &below_second].map(Token::is_cancelled);
    assert_eq!(state(), [false, true, true, false, false]);
    root.cancel();
    assert_eq!(state(), [true; 5]);
}

#[test]
fn child_of_a_dropped_token_follows_its_ancestors() {
    let root = Token::new();
    let middle = root.child_token();
    let below = middle.child_token();
    let (left, right) = (below.child_token(), below.child_token());
    drop(middle);
    drop(below);
    assert!(!left.is_cancelled());
    left.cancel();
    assert!(!right.is_cancelled(), "a brother is no descendant");
    root.cancel();
    assert!(right.is_cancelled());

    // Without a parent, of no token.
    let root = Token::new();
    let (left, right) = (root.child_token(), root.child_token());
    drop(root);
    assert!(!left.is_cancelled() && !right.is_cancelled());
    left.cancel();
    assert!(!right.is_cancelled());
}

#[test]
fn clone_keeps_the_token_in_its_tree() {
    let root = Token::new();
    let child = root.child_token();
    let clone = child.clone();
    drop(child);
    let mut wait = Box::pin(clone.cancelled_owned(Bare));
    assert!(poll_noop(wait.as_mut()).is_pending());
    assert_eq!(entries(&root), 2, "the wait has the token");
    root.cancel();
    assert!(poll_noop(wait.as_mut()).is_ready());
}

#[test]
fn cancel_wakes_all_below_after_all_are_marked() {
    let root = Token::new();
    let mut tokens = vec![root.clone()];
    for index in 0..99 {
        tokens.push(tokens[index / 2].child_token());
    }
    let tokens = Arc::new(tokens);
    let woken = Arc::new(AtomicUsize::new(0));
    let waker = {
        let (tokens, woken) = (tokens.clone(), woken.clone());
        hooked_waker(move |event| {
            if event == Event::Wake {
                assert!(tokens.iter().all(Token::is_cancelled));
                woken.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let mut waits: Vec<_> = tokens
        .iter()
        .map(|token| Box::pin(token.cancelled(Bare)))
        .collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    root.cancel();
    assert_eq!(woken.load(Ordering::Relaxed), 100);
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_ready());
    }
}

#[test]
fn run_until_cancelled_prefers_cancellation() {
    let token = Token::new();
    // The future runs alone, is polled again, and ends.
    let mut polls = 0;
    let slow = core::future::poll_fn(|_| {
        polls += 1;
        if polls < 3 {
            Poll::Pending
        } else {
            Poll::Ready(polls)
        }
    });
    let mut run = Box::pin(token.run_until_cancelled(Bare, slow));
    assert!(poll_noop(run.as_mut()).is_pending());
    assert!(poll_noop(run.as_mut()).is_pending());
    assert_eq!(poll_noop(run.as_mut()), Poll::Ready(Some(3)));
    let message = panic_message(|| _ = poll_noop(run.as_mut()));
    assert!(
        message.contains("polled after it had finished"),
        "{message}"
    );
    drop(run);

    // Cancelled while it runs, and ready in the same poll.
    let ready = AtomicUsize::new(0);
    let future = core::future::poll_fn(|_| match ready.load(Ordering::Relaxed) {
        0 => Poll::Pending,
        _ => Poll::Ready(()),
    });
    let (wakes, waker) = counting_waker();
    let mut run = pin!(token.run_until_cancelled(Bare, future));
    assert!(poll(run.as_mut(), &waker).is_pending());
    ready.store(1, Ordering::Relaxed);
    token.cancel();
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll(run.as_mut(), &waker), Poll::Ready(None));

    // Cancelled from the beginning: never polled, also while the budget is out.
    let never = || core::future::poll_fn(|_| -> Poll<()> { panic!("it was polled") });
    let io = Budget(Cell::new(0));
    let mut run = pin!(token.run_until_cancelled(&io, never()));
    assert!(poll_noop(run.as_mut()).is_pending());
    io.0.set(1);
    assert_eq!(poll_noop(run.as_mut()), Poll::Ready(None));
    let mut run = pin!(token.clone().run_until_cancelled_owned(Bare, never()));
    assert_eq!(poll_noop(run.as_mut()), Poll::Ready(None));
}

#[test]
fn drop_guard_cancels() {
    let token = Token::new();
    let guard = token.clone().drop_guard();
    assert!(!token.is_cancelled());
    assert!(guard.disarm() == token);
    token.drop_guard_ref().disarm();
    assert!(!token.is_cancelled());
    let child = token.child_token();
    drop(child.drop_guard_ref());
    assert!(child.is_cancelled() && !token.is_cancelled());

    // By unwinding, without a second panic.
    let mut wait = pin!(token.cancelled(Bare));
    assert!(poll(wait.as_mut(), &panicking_waker()).is_pending());
    let message = panic_message(|| {
        let _guard = token.clone().drop_guard();
        panic!("the first panic");
    });
    assert_eq!(message, "the first panic");
    assert!(token.is_cancelled());
}

/// On a thread whose stack is too small for any recursion.
fn on_a_small_stack(code: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(64 << 10);
    thread.spawn(code).unwrap().join().unwrap();
}

const MANY: usize = 1_000_000;

#[test]
fn deep_trees_do_not_overflow() {
    for order in 0..3 {
        on_a_small_stack(move || {
            let mut tokens = vec![Token::new()];
            for depth in 0..MANY {
                tokens.push(tokens[depth].child_token());
            }
            assert_eq!(entries(&tokens[0]), MANY + 1);
            let last = tokens[MANY].clone();
            match order {
                // Cancelled from the top; nothing is left in the tree.
                0 => tokens[0].cancel(),
                // Dropped from the top, and from the bottom, but for the ends.
                1 => {
                    let first = tokens.swap_remove(0);
                    drop(tokens);
                    assert_eq!(entries(&first), 2);
                    first.cancel();
                }
                _ => {
                    while tokens.len() > 1 {
                        tokens.pop();
                    }
                    assert_eq!(entries(&last), 2);
                    tokens[0].cancel();
                }
            }
            assert!(last.is_cancelled());
            assert_eq!(entries(&last), 0);
        });
    }
}

#[test]
fn rope_of_dropped_tokens_does_not_grow() {
    let root = Token::new();
    let mut token = root.child_token();
    for _ in 0..MANY {
        token = token.child_token();
    }
    assert_eq!(entries(&root), 2);
    root.cancel();
    assert!(token.is_cancelled());
}

#[test]
fn wide_trees_are_linear() {
    on_a_small_stack(|| {
        let root = Token::new();
        let mut tokens: Vec<_> = (0..MANY).map(|_| root.child_token()).collect();
        // From the middle: a search for each would take 10^11 steps.
        while tokens.len() > MANY / 2 {
            let middle = tokens.len() / 2;
            drop(tokens.swap_remove(middle));
        }
        assert_eq!(entries(&root), MANY / 2 + 1);
        root.cancel();
        assert!(tokens.iter().all(Token::is_cancelled));
        assert_eq!(entries(&root), 0);
    });
}

#[test]
fn branches_of_dropped_tokens_stay_few() {
    // A tree of two children each, of which only the leaves are kept.
    let root = Token::new();
    let mut level = vec![root.clone()];
    for _ in 0..10 {
        level = level
            .iter()
            .flat_map(|token| [token.child_token(), token.child_token()])
            .collect();
    }
    assert_eq!(entries(&root), 1024 + 1023);
    // One leaf of each pair: no branching is left on the lowest level.
    let kept: Vec<_> = level.into_iter().step_by(2).collect();
    assert_eq!(entries(&root), 512 + 511);
    let last = kept.into_iter().next_back().unwrap();
    assert_eq!(entries(&root), 2);
    root.cancel();
    assert!(last.is_cancelled());
}

#[test]
fn cancels_from_many_threads_agree() {
    for round in 0..50 {
        let root = Token::new();
        let mut tokens = vec![root];
        for index in 0..200 {
            let parent = &tokens[(index * 7 + round) % tokens.len()];
            tokens.push(parent.child_token());
        }
        let tokens = Arc::new(tokens);
        scope(|scope| {
            for start in [0, 3, 20] {
                let tokens = tokens.clone();
                scope.spawn(move || {
                    let below = tokens[start].child_token();
                    tokens[start].cancel();
                    // Whichever other thread cancels meanwhile: it is done.
                    assert!(below.is_cancelled());
                });
            }
            scope.spawn(|| {
                for token in tokens.iter() {
                    drop(token.child_token());
                }
            });
        });
        assert!(tokens.iter().all(Token::is_cancelled));
        assert_eq!(entries(&tokens[0]), 0);
    }
}

#[test]
fn dropped_wait_leaves_no_trace() {
    let token = Token::new();
    let (wakes, waker) = counting_waker();
    drop(token.cancelled(Bare));
    let mut wait = Box::pin(token.cancelled(Bare));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(wait);
    let mut wait = Box::pin(token.clone().cancelled_owned(Bare));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    drop(wait);
    assert_eq!(Arc::strong_count(&wakes), 2);
    token.cancel();
    assert_eq!(wakes.count(), 0);
}

#[test]
fn last_waker_is_the_one_woken() {
    let token = Token::new();
    let (first, first_waker) = counting_waker();
    let (second, second_waker) = counting_waker();
    let mut wait = pin!(token.cancelled(Bare));
    assert!(poll(wait.as_mut(), &first_waker).is_pending());
    assert!(poll(wait.as_mut(), &second_waker).is_pending());
    assert_eq!(Arc::strong_count(&first), 2, "the old waker was let go");
    token.cancel();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert!(poll(wait.as_mut(), &second_waker).is_ready());
}

#[test]
fn waker_may_reenter() {
    let token = Token::new();
    let entered = Arc::new(AtomicUsize::new(0));
    let again = |cancels: bool| {
        let (token, entered) = (token.clone(), entered.clone());
        reentrant_waker(move || {
            entered.fetch_add(1, Ordering::Relaxed);
            let child = token.child_token();
            let mut wait = Box::pin(child.cancelled(Bare));
            let _ = poll_noop(wait.as_mut());
            let mut waiter = Box::pin(Waiter::with_waker(Waker::noop().clone()));
            let _ = token.wait_with(waiter.as_mut());
            if cancels {
                child.cancel();
                token.cancel();
                assert!(poll_noop(wait.as_mut()).is_ready());
                assert!(waiter.is_cancelled());
            }
        })
    };
    let mut wait = Box::pin(token.cancelled(Bare));
    // Cloned, replaced, dropped.
    for _ in 0..3 {
        assert!(poll(wait.as_mut(), &again(false)).is_pending());
    }
    drop(wait);
    let mut wait = Box::pin(token.cancelled(Bare));
    assert!(poll(wait.as_mut(), &again(false)).is_pending());
    let mut clone = Box::pin(token.child_token().cancelled_owned(Bare));
    assert!(
        poll(clone.as_mut(), &again(true)).is_ready(),
        "the clone of its waker cancels"
    );
    assert!(token.is_cancelled());
    assert!(entered.load(Ordering::Relaxed) >= 6);
}

/// A million wakers of which each cancels again: none does so inside another.
#[test]
fn waker_that_cancels_does_not_recurse() {
    on_a_small_stack(|| {
        let root = Token::new();
        let depth = Arc::new(Mutex::new((0, 0)));
        let waker = {
            let (root, depth) = (root.clone(), depth.clone());
            hooked_waker(move |event| {
                if event == Event::Wake {
                    let inside = {
                        let mut depth = depth.lock().unwrap();
                        depth.0 += 1;
                        depth.1 = depth.1.max(depth.0);
                        depth.0
                    };
                    assert_eq!(inside, 1);
                    root.cancel();
                    depth.lock().unwrap().0 -= 1;
                }
            })
        };
        let mut waits: Vec<_> = (0..10_000)
            .map(|_| Box::pin(root.child_token().cancelled_owned(Bare)))
            .collect();
        for wait in &mut waits {
            assert!(poll(wait.as_mut(), &waker).is_pending());
        }
        root.cancel();
        assert_eq!(*depth.lock().unwrap(), (0, 1));
    });
}

#[test]
fn panicking_waker_loses_no_wakeup() {
    let root = Token::new();
    let (wakes, waker) = counting_waker();
    let children: Vec<_> = (0..50).map(|_| root.child_token()).collect();
    let mut waits: Vec<_> = children
        .iter()
        .flat_map(|child| [child, &root])
        .map(|token| Box::pin(token.cancelled(Bare)))
        .collect();
    let mut well = 0;
    for (index, wait) in waits.iter_mut().enumerate() {
        let panics = index % 7 == 0;
        well += usize::from(!panics);
        let waker = if panics {
            panicking_waker()
        } else {
            waker.clone()
        };
        assert!(poll(wait.as_mut(), &waker).is_pending());
    }
    assert_eq!(panic_message(|| root.cancel()), WAKER_PANIC);
    assert_eq!(wakes.count(), well);
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_ready());
    }
}

#[test]
fn panicking_clone_leaves_the_wait_as_it_was() {
    let token = Token::new();
    let picky = hooked_waker(|event| assert_ne!(event, Event::Clone, "no clones"));
    let (wakes, waker) = counting_waker();
    let mut wait = pin!(token.cancelled(Bare));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(wait.as_mut(), &picky))).is_err());
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(wait.as_mut(), &picky))).is_err());
    token.cancel();
    assert_eq!(wakes.count(), 1);
}

#[test]
fn spurious_poll_is_harmless() {
    let token = Token::new();
    let (wakes, waker) = counting_waker();
    let mut wait = pin!(token.cancelled(Bare));
    for _ in 0..3 {
        assert!(poll(wait.as_mut(), &waker).is_pending());
        assert_eq!(Arc::strong_count(&wakes), 3);
    }
    token.cancel();
    assert_eq!((wakes.count(), Arc::strong_count(&wakes)), (1, 2));
}

#[test]
fn completed_future_is_fused_or_panics_clearly() {
    let token = Token::new();
    let mut wait = pin!(token.cancelled(Bare));
    let mut owned = pin!(token.clone().cancelled_owned(Bare));
    assert!(poll_noop(wait.as_mut()).is_pending());
    token.cancel();
    for _ in 0..3 {
        assert!(poll_noop(wait.as_mut()).is_ready());
        assert!(poll_noop(owned.as_mut()).is_ready());
    }
}

#[test]
fn moves_between_executors() {
    let token = Token::new();
    let mut wait = Box::pin(token.child_token().cancelled_owned(Bare));
    assert!(poll_noop(wait.as_mut()).is_pending());
    let other = std::thread::spawn(move || Bare.block_on(wait));
    token.cancel();
    other.join().unwrap();
}

#[test]
fn happens_before() {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    for round in 1..=200 {
        let root = Token::new();
        let child = root.child_token();
        let writer = std::thread::spawn(move || {
            WRITTEN.store(round, Ordering::Relaxed);
            root.cancel();
        });
        Bare.block_on(child.cancelled(Bare));
        assert_eq!(WRITTEN.load(Ordering::Relaxed), round);
        writer.join().unwrap();
    }
}

#[test]
fn waits_without_allocation() {
    let root = Token::new();
    let child = root.child_token();
    let owned = child.clone();
    let (wakes, waker) = counting_waker();
    let count = allocations(|| {
        let mut first = pin!(child.cancelled(Bare));
        let mut second = pin!(owned.cancelled_owned(Bare));
        let mut third = pin!(Waiter::new());
        let mut run = pin!(root.run_until_cancelled(Bare, core::future::pending::<()>()));
        assert!(poll(first.as_mut(), &waker).is_pending());
        assert!(poll(second.as_mut(), &waker).is_pending());
        assert!(poll(run.as_mut(), &waker).is_pending());
        assert!(!root.wait_with(third.as_mut()));
        root.cancel();
        assert!(poll(first.as_mut(), &waker).is_ready());
        assert!(poll(second.as_mut(), &waker).is_ready());
        assert!(poll(run.as_mut(), &waker).is_ready());
        assert!(third.is_cancelled());
    });
    assert_eq!((count, wakes.count()), (0, 3));

    // A token is one allocation, and its tree grows by chunks.
    assert_eq!(allocations(|| drop(Token::new())), 1);
    let root = Token::new();
    let first = root.child_token();
    drop(first);
    assert_eq!(allocations(|| drop(root.child_token())), 1);
}

#[test]
fn sizes_are_as_documented() {
    assert_eq!(size_of::<Token>(), size_of::<usize>());
    if cfg!(target_pointer_width = "64") {
        assert!(size_of::<Node>() <= 64, "{}", size_of::<Node>());
        assert_eq!(tree::ENTRY, 32);
        assert!(size_of::<Cancelled<'static>>() <= 48);
        assert!(size_of::<CancelledOwned>() <= 56);
        assert!(size_of::<Waiter<'static>>() <= 64);
    }
}

#[test]
fn cancel_is_constant_time() {
    // The waits in the middle leave one by one: a search would take 10^10 steps.
    let token = Token::new();
    let mut waits: Vec<_> = (0..100_000)
        .map(|_| Box::pin(token.cancelled(Bare)))
        .collect();
    for wait in &mut waits {
        assert!(poll_noop(wait.as_mut()).is_pending());
    }
    while waits.len() > 1 {
        let middle = waits.len() / 2;
        drop(waits.swap_remove(middle));
    }
    token.cancel();
    assert!(poll_noop(waits[0].as_mut()).is_ready());
}

/// An executor that lets one operation through for each unit of its budget.
struct Budget(Cell<usize>);

impl Io for Budget {
    fn poll_spend(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.0.get().checked_sub(1) {
            Some(left) => {
                self.0.set(left);
                Poll::Ready(())
            }
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

#[test]
fn spends_budget_after_winning() {
    let token = Token::new();
    let io = Budget(Cell::new(0));
    let (wakes, waker) = counting_waker();
    let mut wait = pin!(token.cancelled(&io));
    assert!(poll(wait.as_mut(), &waker).is_pending());
    assert_eq!(wakes.count(), 0, "waiting costs nothing");
    token.cancel();
    assert!(poll(wait.as_mut(), &waker).is_pending(), "won, and yields");
    assert_eq!(wakes.count(), 2);
    io.0.set(1);
    assert!(poll(wait.as_mut(), &waker).is_ready());
    assert_eq!(io.0.get(), 0);
}

#[test]
fn raw_waiter_reports_state() {
    let (one, other) = (Token::new(), Token::new());
    let (wakes, waker) = counting_waker();
    let mut waiter = pin!(Waiter::with_waker(waker.clone()));
    assert!(!waiter.is_cancelled());
    assert!(!one.cancel_wait(waiter.as_mut()), "it waits nowhere");
    assert!(!one.wait_with(waiter.as_mut()));
    assert!(!one.wait_with(waiter.as_mut()), "stays where it is");
    let message = panic_message(|| _ = other.wait_with(waiter.as_mut()));
    assert!(message.contains("another `CancellationToken`"), "{message}");
    assert!(!other.cancel_wait(waiter.as_mut()));
    assert!(one.cancel_wait(waiter.as_mut()));
    assert!(!one.cancel_wait(waiter.as_mut()));
    assert!(!one.wait_with(waiter.as_mut()));
    one.cancel();
    assert_eq!(wakes.count(), 1);
    assert!(waiter.is_cancelled() && one.wait_with(waiter.as_mut()));
    // Told, and no task looked: a new waker is woken at once.
    waiter.as_mut().set_waker(waker.clone());
    assert_eq!(wakes.count(), 2);
    assert!(!one.cancel_wait(waiter.as_mut()));

    waiter.as_mut().reset();
    assert!(!waiter.is_cancelled());
    assert!(!other.wait_with(waiter.as_mut()));
    waiter.as_mut().reset();
    assert!(one.wait_with(waiter.as_mut()), "cancelled already");
    assert!(waiter.is_cancelled());
    assert_eq!(wakes.count(), 2);
}

#[test]
fn tokens_are_equal_to_their_clones() {
    let token = Token::default();
    let (clone, child) = (token.clone(), token.child_token());
    assert!(token == clone && token != child && token != Token::new());
    let hasher = RandomState::new();
    let [token, clone, child] = [token, clone, child].map(|token| hasher.hash_one(&token));
    assert!(token == clone && token != child);
}

#[test]
fn debug_tells_the_state() {
    let token = Token::new();
    assert_eq!(
        format!("{token:?}"),
        "CancellationToken { is_cancelled: false }"
    );
    token.cancel();
    assert_eq!(
        format!("{:?}", token.cancelled(Bare)),
        "Cancelled { is_cancelled: true, .. }"
    );
    for token in [token, Token::new()] {
        let is_cancelled = token.is_cancelled();
        let mut waiter = pin!(Waiter::new());
        token.wait_with(waiter.as_mut());
        assert_eq!(
            format!("{waiter:?}"),
            format!("Waiter {{ is_cancelled: {is_cancelled}, .. }}")
        );
        assert_eq!(
            format!("{:?}", token.clone().cancelled_owned(Bare)),
            format!("CancelledOwned {{ is_cancelled: {is_cancelled}, .. }}")
        );
    }
}

/// All are marked before any task is woken, so a wait whose news is on its way is over.
#[test]
fn wait_polled_on_its_way_to_be_woken_is_over() {
    type Late = Mutex<Option<Pin<Box<Cancelled<'static>>>>>;
    static TOKEN: std::sync::LazyLock<Token> = std::sync::LazyLock::new(Token::new);
    static LATE: Late = Mutex::new(None);

    let polls_the_last = hooked_waker(|event| {
        if event == Event::Wake {
            if let Some(mut late) = LATE.lock().unwrap().take() {
                assert!(poll_noop(late.as_mut()).is_ready());
            }
        }
    });
    let wait = |waker: &Waker| {
        let mut wait = Box::pin(TOKEN.cancelled(Bare));
        assert!(poll(wait.as_mut(), waker).is_pending());
        wait
    };
    // The last is in a later batch.
    let _waits: Vec<_> = (0..70).map(|_| wait(&polls_the_last)).collect();
    *LATE.lock().unwrap() = Some(wait(Waker::noop()));
    TOKEN.cancel();
    assert!(LATE.lock().unwrap().is_none());
}

/// Everything that a tree was made of is freed: the wakers are the witnesses.
#[test]
fn trees_are_freed() {
    let (wakes, waker) = counting_waker();
    for cancels in [false, true] {
        let root = Token::new();
        let weak = Arc::downgrade(&root.node);
        let child = root.child_token();
        let weak_child = Arc::downgrade(&child.node);
        let mut wait: Pin<Box<_>> = Box::pin(child.cancelled_owned(Bare));
        assert!(poll(wait.as_mut(), &waker).is_pending());
        if cancels {
            root.cancel();
        }
        drop(root);
        assert!(weak.upgrade().is_none());
        drop(wait);
        assert!(weak_child.upgrade().is_none());
        assert_eq!(Arc::strong_count(&wakes), 2);
    }
}

/// What the docs say.
#[cfg(all(feature = "std", target_pointer_width = "64"))]
#[test]
fn sizes_are_bounded() {
    use core::mem::size_of;

    let sizes = [
        size_of::<CancellationToken>(),
        size_of::<Node>() + 2 * size_of::<usize>(),
        size_of::<Cancelled<'static>>(),
        size_of::<CancelledOwned>(),
        size_of::<Waiter<'static>>(),
        size_of::<DropGuard>(),
    ];
    assert_eq!(sizes, [8, 72, 48, 56, 64, 8]);
}
