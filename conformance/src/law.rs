//! [`Law`]: one property, as data.

use std::fmt;
use std::sync::Arc;

use crate::backend::Capability;
use crate::cx::Cx;
use crate::erased::BoxFuture;
use crate::subject::{Kind, Promise, Subject};

/// How bad it is to break a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Quality: reported.
    Should,
    /// A subject that fails it is broken.
    Must,
}

impl Level {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Should => "should",
            Self::Must => "must",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whom a law is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum About {
    /// The backend's own adapter; no primitive takes part.
    Backend,
    /// Each primitive of the subject that waits.
    EveryWait,
    /// These primitives of the subject.
    Kinds(&'static [Kind]),
}

/// The check itself.
pub type Run = fn(Cx, Arc<dyn Subject>) -> BoxFuture<'static, ()>;

/// One property of primitives or backends.
#[derive(Clone, Debug)]
pub struct Law {
    /// `group::property`; never changes.
    pub id: &'static str,
    /// How bad it is to break it.
    pub level: Level,
    /// Whom it is about.
    pub about: About,
    /// What the backend must have for it to be run.
    pub needs: &'static [Capability],
    /// What the subject must promise for it to be run.
    pub promise: Option<Promise>,
    /// Whether it runs once where others run in several
    /// [rounds](crate::Suite::rounds).
    pub once: bool,
    /// Whether it compares times, or the shares of threads, and so runs while no other
    /// check of this process does.
    pub timed: bool,
    /// What holds, in a sentence.
    pub sentence: &'static str,
    /// How to mend what breaks it.
    pub hint: &'static str,
    /// Why it matters, in a sentence or two; empty if nobody has said.
    pub why: &'static str,
    /// Public issues and pull requests about software that broke it, or about what it
    /// forbids, as `owner/repository#number`.
    pub seen_in: &'static [&'static str],
    /// The check: it panics when the law is broken.
    pub run: Run,
}

impl Law {
    /// A law whose breach is a bug.
    pub const fn must(
        id: &'static str,
        about: About,
        sentence: &'static str,
        hint: &'static str,
        run: Run,
    ) -> Self {
        Self {
            id,
            level: Level::Must,
            about,
            needs: &[],
            promise: None,
            once: false,
            timed: false,
            sentence,
            hint,
            why: "",
            seen_in: &[],
            run,
        }
    }

    /// A law about quality.
    pub const fn should(
        id: &'static str,
        about: About,
        sentence: &'static str,
        hint: &'static str,
        run: Run,
    ) -> Self {
        let mut law = Self::must(id, about, sentence, hint, run);
        law.level = Level::Should;
        law
    }

    /// The same law, which needs these capabilities of the backend.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Capability]) -> Self {
        self.needs = needs;
        self
    }

    /// The same law, for subjects that promise it.
    #[must_use]
    pub const fn promised(mut self, promise: Promise) -> Self {
        self.promise = Some(promise);
        self
    }

    /// The same law, with the reason why it matters.
    #[must_use]
    pub const fn because(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }

    /// The same law, with the public issues, as `owner/repository#number`, in which
    /// it was seen broken.
    #[must_use]
    pub const fn seen_in(mut self, issues: &'static [&'static str]) -> Self {
        self.seen_in = issues;
        self
    }

    /// The same law, run once: it has a single task, for which every schedule is the
    /// same, and takes long.
    #[must_use]
    pub const fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// The same law, which compares times, or the shares of threads: it runs while no other
    /// check of this process does.
    #[must_use]
    pub const fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// Its level for a subject: one that is strict with itself makes every law
    /// a MUST, and what one does not promise is a SHOULD.
    pub fn level_for(&self, subject: &dyn Subject) -> Level {
        if subject.is_strict() {
            Level::Must
        } else if self.excuse_for(subject).is_some() {
            Level::Should
        } else {
            self.level
        }
    }

    /// Why it asks for [more than the subject promises](Subject::not_promised), if
    /// it does.
    pub fn excuse_for<'s>(&self, subject: &'s dyn Subject) -> Option<&'s str> {
        let all = subject.not_promised().iter();
        let mut of_this = all.filter(|(id, _)| *id == self.id);
        of_this.next().map(|(_, reason)| *reason)
    }

    /// Why it says nothing about this subject, if it does not.
    pub(crate) fn reason_against(&self, subject: &dyn Subject) -> Option<String> {
        let name = subject.name();
        match self.about {
            About::Backend => {}
            About::EveryWait => {
                if !Kind::ALL.iter().any(|kind| subject.has(*kind)) {
                    return Some(format!("{name} has no primitive that waits"));
                }
            }
            About::Kinds(kinds) => {
                if let Some(kind) = kinds.iter().find(|kind| !subject.has(**kind)) {
                    return Some(format!("{name} has no {kind}"));
                }
            }
        }
        let promise = self.promise?;
        let kept = subject.promises().contains(&promise);
        (!kept).then(|| format!("{name} does not promise {promise}"))
    }
}

/// Makes a law's `run` out of an `async fn(Cx, Arc<dyn Subject>)`.
#[macro_export]
macro_rules! run {
    ($function:path) => {
        |cx, subject| ::std::boxed::Box::pin($function(cx, subject))
    };
}
