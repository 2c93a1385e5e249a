//! Outside programs, and what happens where one is missing.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Set to `required`, nothing may skip.
const PEERS: &str = "BOLTSEAL_TEST_PEERS";

/// Where the outside program `name` is, or `None` after saying that it is missing.
///
/// # Panics
/// Where it is missing and `BOLTSEAL_TEST_PEERS=required`.
pub fn peer(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file));
    if found.is_none() {
        skip(&format!("no {name}"));
    }
    found
}

/// Says why a test does not run.
///
/// # Panics
/// Where `BOLTSEAL_TEST_PEERS=required`.
#[expect(clippy::print_stderr, reason = "the reason must reach whoever runs the tests")]
pub fn skip(reason: &str) {
    assert!(
        env::var_os(PEERS).is_none_or(|value| value != "required"),
        "{reason}, and {PEERS}=required: install it, or unset the variable to skip"
    );
    eprintln!("skipped: {reason}");
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_what_every_system_has() {
        assert!(super::peer("sh").is_some_and(|path| path.ends_with("sh")));
    }
}
