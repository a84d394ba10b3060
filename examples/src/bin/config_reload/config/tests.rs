use std::fs;
use std::path::Path;

use anysync::Block;
use anysync_smol::Smol;

use super::{Config, ConfigError, Reloader};

fn write(path: &Path, limit: u32) {
    fs::write(path, format!("greeting = hello\nlimit = {limit}\n")).unwrap();
}

#[test]
fn a_text_is_understood_or_the_error_tells_where() {
    let config: Config = "# how to greet\n\n greeting = good day \nlimit=7"
        .parse()
        .unwrap();
    assert_eq!(config.greeting, "good day");
    assert_eq!(config.limit, 7);
    for (text, error) in [
        ("greeting", ConfigError::Line(1, "greeting".into())),
        ("\nlimit = x", ConfigError::Line(2, "limit = x".into())),
        ("limit = -1", ConfigError::Line(1, "limit = -1".into())),
        ("color = red", ConfigError::Line(1, "color = red".into())),
        ("limit = 1", ConfigError::Missing("greeting")),
        ("greeting = a", ConfigError::Missing("limit")),
    ] {
        assert_eq!(text.parse::<Config>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_reload_tells_only_of_what_has_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    write(&path, 1);
    Smol.block_on(async {
        let reloader = Reloader::open(&Smol, path.clone()).await.unwrap();
        let receiver = reloader.subscribe();
        assert!(!reloader.reload(&Smol).await.unwrap());
        assert_eq!(receiver.has_changed(), Ok(false));
        write(&path, 2);
        assert!(reloader.reload(&Smol).await.unwrap());
        assert_eq!(receiver.has_changed(), Ok(true));
    });
}

#[test]
fn a_reload_without_receivers_is_kept_for_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    write(&path, 1);
    Smol.block_on(async {
        let reloader = Reloader::open(&Smol, path.clone()).await.unwrap();
        write(&path, 2);
        assert!(reloader.reload(&Smol).await.unwrap());
        assert_eq!(reloader.subscribe().borrow().limit, 2);
    });
}

#[test]
fn a_reload_that_fails_leaves_all_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    assert!(Smol.block_on(Reloader::open(&Smol, path.clone())).is_err());
    write(&path, 1);
    Smol.block_on(async {
        let reloader = Reloader::open(&Smol, path.clone()).await.unwrap();
        let receiver = reloader.subscribe();
        fs::write(&path, "limit = many").unwrap();
        assert!(reloader.reload(&Smol).await.is_err());
        fs::remove_file(&path).unwrap();
        assert!(reloader.reload(&Smol).await.is_err());
        assert_eq!(receiver.has_changed(), Ok(false));
        assert_eq!(receiver.borrow().limit, 1);
    });
}
