//! [`Room`]: what one member says, all hear.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use anysync::Io;
use anysync::broadcast::{self, Overflow, Receiver, RecvError, Sender, WeakSender};

#[cfg(test)]
mod tests;

/// What somebody said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) from: &'static str,
    pub(crate) text: String,
}

/// A chat room. It ends when this is dropped.
pub(crate) struct Room {
    /// The only sender that keeps the room open. If each member had one, those
    /// who listen would keep it open for each other, and nobody would hear the
    /// end.
    lines: Sender<Arc<Line>>,
}

/// Somebody who speaks, and does not listen.
pub(crate) struct Speaker {
    name: &'static str,
    lines: WeakSender<Arc<Line>>,
}

/// Somebody in the room, who speaks and listens. He leaves it when this is
/// dropped.
pub(crate) struct Member {
    speaker: Speaker,
    /// Every receiver gets its own copy of a message, which here is a pointer.
    inbox: Receiver<Arc<Line>>,
}

/// What a member hears.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Line(Arc<Line>),
    /// So many lines, for which he was too slow.
    Missed(u64),
}

/// The room is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended;

impl Room {
    /// A room that remembers the last `lines` lines for those who are slow.
    /// Whoever is slower misses some; nobody waits for him.
    pub(crate) fn new(lines: usize) -> Self {
        Self {
            lines: broadcast::channel(lines).0,
        }
    }

    /// A room in which nobody misses anything: whoever has said `lines` lines
    /// more than the slowest has heard waits for him.
    pub(crate) fn patient(lines: usize) -> Self {
        Self {
            lines: broadcast::channel_with(lines, Overflow::Wait).0,
        }
    }

    /// A new member, who hears what is said from now on.
    pub(crate) fn enter(&self, name: &'static str) -> Member {
        Member {
            speaker: self.microphone(name),
            inbox: self.lines.subscribe(),
        }
    }

    /// For somebody who only speaks: nobody has to wait for him to listen.
    pub(crate) fn microphone(&self, name: &'static str) -> Speaker {
        Speaker {
            name,
            lines: self.lines.downgrade(),
        }
    }

    /// How many listen, at this moment.
    pub(crate) fn members(&self) -> usize {
        self.lines.receiver_count()
    }
}

impl Speaker {
    /// Says something to everybody who listens. Only in a patient room it may
    /// have to wait.
    ///
    /// Dropped before it is done, it has said nothing.
    pub(crate) async fn say(&self, io: impl Io, text: impl Into<String>) -> Result<(), Ended> {
        let lines = self.lines.upgrade().ok_or(Ended)?;
        let line = Line {
            from: self.name,
            text: text.into(),
        };
        // An error says that nobody listens, which is none here.
        let _ = lines.send_wait(io, Arc::new(line)).await;
        Ok(())
    }
}

impl Member {
    /// Says something to everybody, himself too; see [`Speaker::say`].
    pub(crate) async fn say(&self, io: impl Io, text: impl Into<String>) -> Result<(), Ended> {
        self.speaker.say(io, text).await
    }

    /// Waits for what is said next.
    ///
    /// Dropped before it is done, it has missed nothing.
    pub(crate) async fn hear(&mut self, io: impl Io) -> Result<Heard, Ended> {
        match self.inbox.recv(io).await {
            Ok(line) => Ok(Heard::Line(line)),
            Err(RecvError::Lagged(lines)) => Ok(Heard::Missed(lines)),
            Err(RecvError::Closed) => Err(Ended),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.from, self.text)
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => line.fmt(f),
            Self::Missed(lines) => write!(f, "[{lines} missed]"),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the room is closed")
    }
}

impl Error for Ended {}
