//! [`Config`], and the [`Reloader`] that reads it from a file again and again.

use std::error::Error;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anysync::{Mutex, SpawnBlocking, watch};
use anysync_examples::Failure;

#[cfg(test)]
mod tests;

/// How a worker is to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) greeting: String,
    pub(crate) limit: u32,
}

/// Why a text is no configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConfigError {
    /// This line, counted from 1, is not understood.
    Line(usize, String),
    /// This is missing.
    Missing(&'static str),
}

/// Reads the file when it is told to, and tells all who watch if something has
/// changed. They hear no more when it is dropped.
pub(crate) struct Reloader {
    path: Arc<PathBuf>,
    sender: watch::Sender<Config>,
    /// One reload at a time, so that an old text never replaces a newer one.
    turn: Mutex<()>,
}

impl Reloader {
    /// Reads the file at `path` for the first time.
    pub(crate) async fn open<R: SpawnBlocking>(rt: &R, path: PathBuf) -> Result<Self, Failure> {
        let path = Arc::new(path);
        let config = read(rt, Arc::clone(&path)).await?;
        Ok(Self {
            path,
            sender: watch::Sender::new(config),
            turn: Mutex::new(()),
        })
    }

    /// Reads the file again. `true` if the configuration is another one than
    /// before; otherwise nobody is told.
    ///
    /// An error leaves the configuration as it was.
    pub(crate) async fn reload<R: SpawnBlocking>(&self, rt: &R) -> Result<bool, Failure> {
        let _turn = self.turn.lock(rt).await;
        let new = read(rt, Arc::clone(&self.path)).await?;
        // Not `send`, which fails if nobody watches: who subscribes later wants
        // the latest too.
        Ok(self.sender.send_if_modified(|config| {
            let changed = *config != new;
            *config = new;
            changed
        }))
    }

    /// A receiver that has seen what is there now.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Config> {
        self.sender.subscribe()
    }
}

/// Reading a file blocks, so it is done where that is allowed.
async fn read<R: SpawnBlocking>(rt: &R, path: Arc<PathBuf>) -> Result<Config, Failure> {
    let text = rt
        .spawn_blocking(move || fs::read_to_string(&*path))
        .await??;
    Ok(text.parse()?)
}

impl FromStr for Config {
    type Err = ConfigError;

    /// A line is `key = value`, a comment after `#`, or empty. What comes later
    /// wins.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let (mut greeting, mut limit) = (None, None);
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = || ConfigError::Line(number, line.to_owned());
            let (key, value) = line.split_once('=').ok_or_else(error)?;
            match key.trim() {
                "greeting" => greeting = Some(value.trim().to_owned()),
                "limit" => limit = Some(value.trim().parse().map_err(|_| error())?),
                _ => return Err(error()),
            }
        }
        Ok(Self {
            greeting: greeting.ok_or(ConfigError::Missing("greeting"))?,
            limit: limit.ok_or(ConfigError::Missing("limit"))?,
        })
    }
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, limit {}", self.greeting, self.limit)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number, line) => write!(f, "line {number} is not understood: {line:?}"),
            Self::Missing(key) => write!(f, "there is no {key}"),
        }
    }
}

impl Error for ConfigError {}
