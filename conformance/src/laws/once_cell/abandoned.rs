//! A turn that a call has, and does not come for.

use super::*;
use crate::laws::hand::{Hand, TURNS};

/// How the first initialiser ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Fails,
    Panics,
    IsDropped,
}

pub(super) async fn abandoned_turn_goes_on(cx: Cx, subject: Arc<dyn Subject>) {
    for end in [End::Fails, End::Panics, End::IsDropped] {
        for queued_before in [false, true] {
            for same_task in [false, true] {
                cx.note(format_args!(
                    "it {end:?}; queued before: {queued_before}; of one task: {same_task}"
                ));
                goes_on(&*subject.once_cell(), end, queued_before, same_task);
            }
        }
        cx.note(format_args!("it {end:?}; a value from outside"));
        ends_by_a_value(&*subject.once_cell(), end);
    }
}

/// Begins to initialise, has `wait` wait, and another behind it, and ends without a value: the turn is the
/// one of `wait`.
fn pass_the_turn<'a>(
    cell: &'a dyn OnceCellSubject,
    io: &'a DynIo,
    end: End,
    wait: &mut Hand<'a, &'a Token>,
    behind: Option<&mut Hand<'a, &'a Token>>,
) {
    let over = AtomicBool::new(false);
    let init = async {
        until_set(&over).await;
        match end {
            End::Panics => planned_panic(),
            _ => Err(InitFailed),
        }
    };
    let mut first = cell.get_or_try_init(io, Box::pin(init));
    assert_pending(first.as_mut(), Waker::noop(), "the first");
    for wait in [Some(wait), behind].into_iter().flatten() {
        assert!(
            wait.poll().is_pending(),
            "another initialises beside the first"
        );
    }
    if end == End::IsDropped {
        return;
    }
    over.store(true, Ordering::SeqCst);
    let ended = caught(|| poll_noop(first.as_mut()).is_ready());
    assert!(ended.unwrap_or(true), "the first has not ended");
}

fn goes_on(cell: &dyn OnceCellSubject, end: End, queued_before: bool, same_task: bool) {
    let io = DynIo::bare();
    let (wakes, waker) = counting();
    let of_task = |wait| Hand::with_waker(wait, Arc::clone(&wakes), waker.clone());
    let mut kept = of_task(cell.get_or_init(&io, make(2)));
    let call = cell.get_or_init(&io, make(3));
    let mut other = match same_task {
        true => of_task(call),
        false => Hand::new(call),
    };
    let behind = queued_before.then_some(&mut other);
    pass_the_turn(cell, &io, end, &mut kept, behind);
    let value = match same_task {
        true => other.goes_on("a call, with one kept that has the turn,"),
        false => other.gets_in(
            TURNS,
            "a call, with one of another task kept that has the turn,",
        ),
    };
    assert_eq!(value.number(), 3, "it initialised");
    let same = kept.goes_on("the call that was kept");
    assert!(std::ptr::eq(value, same), "there are two values");
}

fn ends_by_a_value(cell: &dyn OnceCellSubject, end: End) {
    let io = DynIo::bare();
    let mut kept = Hand::new(cell.get_or_init(&io, make(2)));
    pass_the_turn(cell, &io, end, &mut kept, None);
    let mut other = Hand::new(cell.get_or_init(&io, make(3)));
    match cell.set(Token::new(4)) {
        Ok(()) => {
            let value = other.assert_ready("a call, after a value came from outside,");
            assert_eq!(value.number(), 4, "the value from outside");
            assert_eq!(kept.goes_on("the call that was kept").number(), 4);
        }
        // The turn is that of a call that has not come for it.
        Err(SetRefused::Initializing(_)) => {
            let value = other.gets_in(TURNS, "a call, with one kept that has the turn,");
            assert_eq!(value.number(), 3, "it initialised");
        }
        Err(refused) => panic!("the cell is empty, and a value is refused: {refused:?}"),
    }
}
