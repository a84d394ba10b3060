//! [`Output`]: where a command's text goes, tried before the work begins.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Usage;

/// Where the text goes.
pub(crate) enum Output {
    Terminal,
    /// A file aside, which takes the place of the named one when it is complete: an
    /// interrupted run leaves the old report as it was.
    Aside(NamedTempFile, PathBuf),
    /// What is no plain file, such as a pipe.
    Direct(PathBuf),
}

impl Output {
    /// The file, or standard output where there is none or it is `-`.
    pub(crate) fn new(path: Option<&PathBuf>) -> Result<Self, Usage> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(Self::Terminal);
        };
        // Where a link leads, so that it stays one.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        match fs::metadata(&place) {
            Ok(known) if known.is_file() => {
                let writable = OpenOptions::new().append(true).open(&place);
                writable.map_err(|error| cannot(path, &error))?;
            }
            Ok(known) if known.is_dir() => {
                return Err(Usage(format!(
                    "cannot write to {}: it is a directory",
                    path.display()
                )));
            }
            Ok(_) => return Ok(Self::Direct(place)),
            Err(_) => {}
        }
        let directory = place
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let file =
            created(directory.unwrap_or(Path::new("."))).map_err(|error| cannot(path, &error))?;
        Ok(Self::Aside(file, place))
    }

    pub(crate) fn write(self, text: &str) -> Result<(), Usage> {
        match self {
            Self::Terminal => match io::stdout().write_all(text.as_bytes()) {
                // The reader has enough: `| head` is no error.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                other => other.map_err(|error| Usage(format!("cannot write: {error}"))),
            },
            Self::Direct(path) => fs::write(&path, text).map_err(|error| cannot(&path, &error)),
            Self::Aside(mut file, path) => {
                let written = file.write_all(text.as_bytes());
                written.map_err(|error| cannot(&path, &error))?;
                let renamed = file.persist(&path).map(drop);
                renamed.map_err(|failed| cannot(&path, &failed.error))
            }
        }
    }
}

/// A file with the rights that a file usually has.
fn created(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".anysync-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Less what the process's mask takes away.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}

fn cannot(path: &Path, error: &io::Error) -> Usage {
    Usage(format!("cannot write to {}: {error}", path.display()))
}
