//! A chat: what one says, all hear, in the same order; whoever is slow misses
//! some and knows how many, or all wait for him.

#![forbid(unsafe_code)]

mod room;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anysync::{Barrier, Runtime};
use anysync_examples::{Failure, PATIENCE, Program};

use room::{Member, Room};

/// After which a speaker who should wait is taken to do so.
const LONG_ENOUGH: Duration = Duration::from_millis(50);

struct Demo;

impl Program for Demo {
    const ABOUT: &'static str = "A chat room: what one says, all hear, in the same order";

    async fn run<R: Runtime>(rt: R) -> Result<(), Failure> {
        everybody_hears_all(&rt).await?;
        who_comes_late(&rt).await?;
        who_is_slow(&rt).await?;
        a_patient_room(&rt).await
    }
}

fn main() -> ExitCode {
    anysync_examples::main::<Demo>()
}

/// All talk at the same time. In which order differs from run to run, but it is
/// the same for all of them.
async fn everybody_hears_all<R: Runtime>(rt: &R) -> Result<(), Failure> {
    const NAMES: [&str; 3] = ["ann", "bob", "cleo"];
    const LINES: usize = 20;

    let all = NAMES.len() * LINES;
    let room = Room::new(all);
    // Nobody speaks before all are there, and nobody leaves before they have been
    // counted.
    let start = Arc::new(Barrier::new(NAMES.len() + 1));
    let members = NAMES.map(|name| {
        let member = room.enter(name);
        rt.spawn(talk(rt.clone(), member, Arc::clone(&start), LINES, all))
    });
    println!("{} members, {LINES} lines each", room.members());
    start.wait(rt).await;

    let mut heard = Vec::new();
    for member in members {
        heard.push(rt.timeout(PATIENCE, member).await???);
    }
    println!(
        "each hears {all} lines: {}",
        heard.iter().all(|lines| lines.len() == all)
    );
    println!(
        "all hear them in the same order: {}",
        heard.iter().all(|lines| *lines == heard[0])
    );
    for name in NAMES {
        let own = heard[0].iter().filter(|line| line.starts_with(name));
        let expected = (1..=LINES).map(|number| format!("{name}: {number}"));
        println!(
            "{name}'s are in the order of saying: {}",
            own.eq(expected.collect::<Vec<_>>().iter())
        );
    }
    println!("{} members are left", room.members());
    Ok(())
}

/// Says his lines, and then hears all.
async fn talk<R: Runtime>(
    rt: R,
    mut member: Member,
    start: Arc<Barrier>,
    lines: usize,
    all: usize,
) -> Result<Vec<String>, Failure> {
    start.wait(&rt).await;
    for number in 1..=lines {
        member.say(&rt, number.to_string()).await?;
    }
    let mut heard = Vec::new();
    while heard.len() < all {
        heard.push(member.hear(&rt).await?.to_string());
    }
    Ok(heard)
}

/// A member hears what is said from his coming on, and after the last line the
/// end.
async fn who_comes_late<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let room = Room::new(8);
    let early = room.enter("early");
    early.say(rt, "is somebody there?").await?;
    let mut late = room.enter("late");
    early.say(rt, "at last").await?;
    drop(room);
    println!("who comes late hears:");
    hear_to_the_end(rt, &mut late).await?;
    match early.say(rt, "still there?").await {
        Ok(()) => println!("  said"),
        Err(error) => println!("  who speaks now is told: {error}"),
    }
    Ok(())
}

/// Nobody waits for a member who does not listen.
async fn who_is_slow<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let room = Room::new(4);
    let speaker = room.enter("speaker");
    let mut slow = room.enter("slow");
    for number in 1..=10 {
        speaker.say(rt, number.to_string()).await?;
    }
    drop(room);
    println!("who is slow, in a room that remembers 4 lines, hears:");
    hear_to_the_end(rt, &mut slow).await
}

/// All wait for a member who does not listen.
async fn a_patient_room<R: Runtime>(rt: &R) -> Result<(), Failure> {
    let room = Room::patient(2);
    let mut minutes = room.enter("minutes");
    let speaker = room.microphone("speaker");
    speaker.say(rt, "1").await?;
    speaker.say(rt, "2").await?;
    let third = rt.timeout(LONG_ENOUGH, speaker.say(rt, "3")).await;
    println!("a patient room, two lines ahead: waits {}", third.is_err());
    println!("  {}", minutes.hear(rt).await?);
    rt.timeout(PATIENCE, speaker.say(rt, "3, once more"))
        .await??;
    drop((room, speaker));
    hear_to_the_end(rt, &mut minutes).await
}

async fn hear_to_the_end<R: Runtime>(rt: &R, member: &mut Member) -> Result<(), Failure> {
    while let Ok(heard) = rt.timeout(PATIENCE, member.hear(rt)).await? {
        println!("  {heard}");
    }
    println!("  the end");
    Ok(())
}
