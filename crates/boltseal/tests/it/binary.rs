//! Runs the binary with a data folder of its own, and nothing of the environment of whoever runs the tests.

use std::{
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A user with an empty home.
pub struct User {
    home: TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl User {
    pub fn new() -> Self {
        Self { home: TempDir::new().unwrap() }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join(".local/share/boltseal")
    }

    /// Writes a file below the home folder.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_boltseal"));
        command.args(args).env_clear().env("HOME", self.home()).current_dir(self.home());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null());
        command
    }

    pub fn run<A: AsRef<OsStr>>(&self, args: &[A]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// Runs it with `input` on standard input.
    pub fn feed<A: AsRef<OsStr>>(&self, args: &[A], input: &str) -> Ran {
        let mut command = self.command(args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code, not a signal"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What stands after `key:` on stdout.
    #[track_caller]
    pub fn value(&self, key: &str) -> String {
        let line = self.out.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no `{key}:` in:\n{}", self.out)).trim().to_owned()
    }

    /// Stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|wrong| panic!("{wrong} in:\n{}", self.out))
    }

    /// Stdout as JSON, a document a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The same, having ended with `code`.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// The same, with each of `parts` on stdout.
    #[track_caller]
    pub fn said(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.out.contains(part), "no `{part}` on stdout:\n{}\nstderr:\n{}", self.out, self.err);
        }
        self
    }

    /// The same, with each of `parts` on stderr.
    #[track_caller]
    pub fn complained(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "no `{part}` on stderr:\n{}", self.err);
        }
        self
    }
}
