use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use anysync::{Bare, Block};

use super::{Ended, Heard, Line, Member, Room};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn say(member: &Member, text: &str) {
    Bare.block_on(member.say(Bare, text)).unwrap();
}

fn hear(member: &mut Member) -> Result<Heard, Ended> {
    Bare.block_on(member.hear(Bare))
}

fn line(from: &'static str, text: &str) -> Result<Heard, Ended> {
    let text = text.to_owned();
    Ok(Heard::Line(Arc::new(Line { from, text })))
}

#[test]
fn everybody_hears_everything_the_speaker_too() {
    let room = Room::new(4);
    let (mut ann, mut bob) = (room.enter("ann"), room.enter("bob"));
    say(&ann, "hello");
    say(&bob, "hi");
    for member in [&mut ann, &mut bob] {
        assert_eq!(hear(member), line("ann", "hello"));
        assert_eq!(hear(member), line("bob", "hi"));
    }
}

#[test]
fn who_comes_late_hears_what_comes_later() {
    let room = Room::new(4);
    let ann = room.enter("ann");
    say(&ann, "before");
    let mut late = room.enter("late");
    assert!(poll(pin!(late.hear(Bare))).is_pending());
    say(&ann, "after");
    assert_eq!(hear(&mut late), line("ann", "after"));
}

#[test]
fn who_is_slow_knows_how_much_was_missed() {
    let room = Room::new(2);
    let mut ann = room.enter("ann");
    for text in ["1", "2", "3", "4", "5"] {
        say(&ann, text);
    }
    assert_eq!(hear(&mut ann), Ok(Heard::Missed(3)));
    assert_eq!(hear(&mut ann), line("ann", "4"));
    assert_eq!(hear(&mut ann), line("ann", "5"));
}

#[test]
fn a_patient_room_waits_for_the_slowest() {
    let room = Room::patient(1);
    let speaker = room.microphone("speaker");
    let (mut quick, mut slow) = (room.enter("quick"), room.enter("slow"));
    Bare.block_on(speaker.say(Bare, "1")).unwrap();
    let mut second = pin!(speaker.say(Bare, "2"));
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(hear(&mut quick), line("speaker", "1"));
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(hear(&mut slow), line("speaker", "1"));
    assert_eq!(poll(second), Poll::Ready(Ok(())));
    assert_eq!(hear(&mut slow), line("speaker", "2"));
}

#[test]
fn nobody_waits_for_who_has_left() {
    let room = Room::patient(1);
    let speaker = room.microphone("speaker");
    let mut stays = room.enter("stays");
    let leaves = room.enter("leaves");
    Bare.block_on(speaker.say(Bare, "1")).unwrap();
    let mut second = pin!(speaker.say(Bare, "2"));
    assert_eq!(hear(&mut stays), line("speaker", "1"));
    assert!(poll(second.as_mut()).is_pending());
    drop(leaves);
    assert_eq!(poll(second), Poll::Ready(Ok(())));
    assert_eq!(room.members(), 1);
}

#[test]
fn to_an_empty_room_one_may_speak() {
    for room in [Room::new(1), Room::patient(1)] {
        let speaker = room.microphone("speaker");
        for _ in 0..3 {
            assert_eq!(Bare.block_on(speaker.say(Bare, "hello?")), Ok(()));
        }
        drop(room);
        assert_eq!(Bare.block_on(speaker.say(Bare, "hello?")), Err(Ended));
    }
}

#[test]
fn what_was_not_said_in_the_end_is_not_heard() {
    let room = Room::patient(1);
    let mut ann = room.enter("ann");
    say(&ann, "1");
    assert!(poll(pin!(ann.say(Bare, "never"))).is_pending());
    assert_eq!(hear(&mut ann), line("ann", "1"));
    say(&ann, "2");
    assert_eq!(hear(&mut ann), line("ann", "2"));
}

#[test]
fn the_end_comes_after_the_last_line_though_members_are_there() {
    let room = Room::new(4);
    let (ann, mut bob) = (room.enter("ann"), room.enter("bob"));
    say(&ann, "goodbye");
    drop(room);
    assert_eq!(hear(&mut bob), line("ann", "goodbye"));
    assert_eq!(hear(&mut bob), Err(Ended));
    assert_eq!(Bare.block_on(ann.say(Bare, "?")), Err(Ended));
}

#[test]
fn threads_hear_all_in_one_order() {
    const MEMBERS: usize = 3;
    const LINES: usize = 200;
    let room = Room::new(MEMBERS * LINES);
    let members: Vec<_> = (0..MEMBERS).map(|_| room.enter("somebody")).collect();
    let talk = |(id, mut member): (usize, Member)| {
        for number in 0..LINES {
            say(&member, &format!("{id} {number}"));
        }
        (0..MEMBERS * LINES)
            .map(|_| hear(&mut member).unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let heard: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = members
            .into_iter()
            .enumerate()
            .map(|member| scope.spawn(move || talk(member)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(heard[0], heard[1]);
    assert_eq!(heard[0], heard[2]);
}
