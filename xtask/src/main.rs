//! Chores of the workspace, run as `cargo xtask <chore>`.
//!
//! One chore so far: `tidy`, which holds the tree to the rules that no compiler checks. It prints every breach as
//! `path: what is wrong, what to do` and exits 1 if there is any; rules live in one file each, in [`tidy`].

mod tidy;

use std::{path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    let chore = std::env::args().nth(1).unwrap_or_default();
    if chore != "tidy" {
        complain("usage: cargo xtask tidy");
        return ExitCode::from(2);
    }
    match tidy::run(&workspace_root()) {
        Ok(breaches) if breaches.is_empty() => {
            complain("tidy: nothing to mend");
            ExitCode::SUCCESS
        }
        Ok(breaches) => {
            for breach in &breaches {
                complain(breach);
            }
            complain(&format!("tidy: {} to mend", breaches.len()));
            ExitCode::from(1)
        }
        Err(fault) => {
            complain(&format!("tidy: {fault:#}"));
            ExitCode::from(4)
        }
    }
}

/// The folder above this package.
fn workspace_root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

#[expect(clippy::print_stderr, reason = "a chore talks to the person who runs it")]
fn complain(line: &str) {
    eprintln!("{line}");
}
