//! Failures that are known and allowed, for a reason and up to a day.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::report::{CheckResult, Outcome};

/// A day of the calendar, in UTC.
///
/// # Examples
///
/// ```
/// use anysync_conformance::Day;
///
/// let day: Day = "2026-12-31".parse()?;
/// assert!(day < "2027-01-01".parse()?);
/// assert_eq!("31.12.2026".parse::<Day>().unwrap_err().to_string(),
///     "`31.12.2026` is no day: one is written as 2026-12-31");
/// # Ok::<(), anysync_conformance::BadDay>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The day that it is, by the system's clock.
    pub fn today() -> Self {
        Self(Offset::UTC.to_datetime(Timestamp::now()).date())
    }
}

impl FromStr for Day {
    type Err = BadDay;

    fn from_str(text: &str) -> Result<Self, BadDay> {
        // In one form only: a parser of dates takes times and zones as well.
        match text.parse::<Date>() {
            Ok(date) if date.to_string() == text => Ok(Self(date)),
            _ => Err(BadDay(text.to_owned())),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a text is that is no [`Day`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDay(String);

impl fmt::Display for BadDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no day: one is written as 2026-12-31", self.0)
    }
}

impl Error for BadDay {}

/// A law that may fail.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) law: String,
    pub(crate) reason: String,
    /// The last day on which it may.
    pub(crate) until: Option<Day>,
}

impl Known {
    /// What becomes of a check of the law.
    pub(crate) fn judge(&self, outcome: Outcome, today: Day) -> Outcome {
        let Outcome::Failed(mut failure) = outcome else {
            return outcome;
        };
        match self.until {
            Some(until) if until < today => {
                failure.message = format!(
                    "{} was allowed to fail until {until}, which is over ({}): mend it, or give it \
                     another day. {}",
                    self.law, self.reason, failure.message
                );
                Outcome::Failed(failure)
            }
            Some(until) => Outcome::Skipped(format!("{KNOWN}{} (until {until})", self.reason)),
            None => Outcome::Skipped(format!("{KNOWN}{}", self.reason)),
        }
    }

    /// Whether it holds wherever it was run.
    pub(crate) fn is_outdated(&self, results: &[CheckResult]) -> bool {
        let of_law = || results.iter().filter(|result| result.law == self.law);
        let fails = |result: &CheckResult| match &result.outcome {
            Outcome::Failed(_) => true,
            Outcome::Skipped(reason) => reason.starts_with(KNOWN),
            Outcome::Passed => false,
        };
        let passes = |result: &CheckResult| matches!(result.outcome, Outcome::Passed);
        of_law().any(passes) && !of_law().any(fails)
    }
}

const KNOWN: &str = "known failure: ";
