//! What a Dockerfile says: instructions with their lines, stages, and the commands of `RUN`.
//!
//! ```
//! use boltseal_orchestrator::dockerfile::Dockerfile;
//!
//! let file = Dockerfile::read("Dockerfile", b"ARG V=12\nFROM debian:${V} AS base\nRUN apt-get update \\\n  && apt-get install -y curl\n")?;
//! assert_eq!(file.stages[0].image.known().unwrap(), "debian:12");
//! let commands = file.instructions[2].commands();
//! assert_eq!(commands[1].words, ["apt-get", "install", "-y", "curl"]);
//! # Ok::<(), boltseal_orchestrator::dockerfile::DockerfileError>(())
//! ```
//!
//! The format is that of Docker's frontend 1.x (Docker documentation, "Dockerfile reference"): parser directives, line
//! continuations, comments between them, here-documents, exec and shell form. Variables are put in where a stage names its
//! image, from the defaults of `ARG` before it; whoever builds may give others.
//!
//! Limits: bytes, instructions, words of a command. Shells are not understood, only cut into words: what is behind a variable
//! or an `eval` is not seen.

mod parse;
mod shell;

use std::sync::Arc;

use thiserror::Error;

use crate::leaf::Leaf;

pub use shell::Command;

/// The longest Dockerfile: real ones have some kilobytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Instructions of a Dockerfile: an image has 127 layers at most, and no build has a dozen images.
pub const MAX_INSTRUCTIONS: usize = 2_000;

/// A Dockerfile.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// The file as it was named.
    pub file: Arc<str>,
    /// In their order.
    pub instructions: Vec<Instruction>,
    /// In their order; the last one is what is built unless somebody says otherwise.
    pub stages: Vec<Stage>,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// On which it begins, counted from one.
    pub line: u32,
    /// In upper case: `RUN`.
    pub word: String,
    /// `--from=base`, in their order.
    pub flags: Vec<String>,
    /// What comes after them, continued lines joined.
    pub text: String,
    /// Contents of here-documents.
    pub documents: Vec<String>,
    /// The stage it belongs to, counted from zero; none before the first.
    pub stage: Option<usize>,
}

/// What is built on one image.
#[derive(Clone, Debug)]
pub struct Stage {
    /// On which it begins, counted from one.
    pub line: u32,
    /// `base` of `FROM debian AS base`, in lower case.
    pub name: Option<String>,
    /// What it is built on; unknown where it depends on whoever builds.
    pub image: Leaf<String>,
    /// The earlier stage that it is built on, counted from zero.
    pub on: Option<usize>,
}

/// Why a text is no Dockerfile.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DockerfileError {
    /// It is not UTF-8.
    #[error("line {line}: not UTF-8")]
    Text {
        /// Counted from one.
        line: u32,
    },
    /// It is too much.
    #[error("more than {what}")]
    Limit {
        /// What there is a limit of.
        what: &'static str,
    },
    /// A line is none of a Dockerfile.
    #[error("line {line}: {why}")]
    Syntax {
        /// Counted from one.
        line: u32,
        /// What is wrong.
        why: String,
    },
}

/// Whether a file of this name is one: `Dockerfile`, `Dockerfile.dev`, `web.Dockerfile`, `Containerfile`.
pub fn is_name(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    let ignored = name.ends_with("ignore");
    ["dockerfile", "containerfile"].iter().any(|word| {
        let rest = name.strip_prefix(word);
        !ignored
            && (rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
                || name.strip_suffix(word).is_some_and(|rest| rest.ends_with('.')))
    })
}

impl Dockerfile {
    /// Reads one.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, DockerfileError> {
        if bytes.len() > MAX_BYTES {
            return Err(DockerfileError::Limit { what: "a megabyte" });
        }
        let text = std::str::from_utf8(bytes).map_err(|wrong| {
            let before = bytes.get(..wrong.valid_up_to()).unwrap_or_default();
            let lines = before.split(|byte| *byte == b'\n').count();
            DockerfileError::Text { line: u32::try_from(lines).unwrap_or(u32::MAX) }
        })?;
        let (instructions, stages) = parse::parse(text.trim_start_matches('\u{feff}'))?;
        Ok(Self { file: Arc::from(file), instructions, stages })
    }

    /// Instructions with this word.
    pub fn all<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a Instruction> {
        self.instructions.iter().filter(move |one| one.word == word)
    }

    /// Instructions of a stage with this word.
    pub fn of<'a>(&'a self, stage: usize, word: &'a str) -> impl Iterator<Item = &'a Instruction> {
        self.all(word).filter(move |one| one.stage == Some(stage))
    }

    /// The last stage and those that it is built on, the last first.
    pub fn built(&self) -> Vec<usize> {
        let mut all = Vec::new();
        let mut next = self.stages.len().checked_sub(1);
        while let Some(stage) = next {
            all.push(stage);
            // An earlier stage always: there is no circle.
            next = self.stages.get(stage).and_then(|one| one.on);
        }
        all
    }
}

impl Instruction {
    /// What a `RUN` runs, and the instructions whose command is one.
    pub fn commands(&self) -> Vec<Command> {
        let text = self.text.trim();
        if let Some(words) = self.exec() {
            return shell::of_exec(words);
        }
        let mut all = shell::commands(text);
        if self.word == "RUN" {
            // Of `RUN <<EOF` the document is the program; of `RUN python <<EOF` its input.
            let is_program = text.starts_with("<<");
            all.extend(self.documents.iter().filter(|_| is_program).flat_map(|text| shell::commands(text)));
        }
        all
    }

    /// Words of the exec form: `["a", "b"]`.
    pub fn exec(&self) -> Option<Vec<String>> {
        let text = self.text.trim();
        text.starts_with('[').then(|| serde_json::from_str::<Vec<String>>(text).ok()).flatten()
    }

    /// Names and values of `ENV`, `ARG` and `LABEL`, in both of their forms. `ARG X` has no value.
    pub fn pairs(&self) -> Vec<(String, Option<String>)> {
        let words = shell::words(&self.text);
        let has_sign = |word: &String| word.contains('=');
        match words.split_first() {
            // `ENV NAME the rest of the line`
            Some((name, rest)) if !has_sign(name) && !rest.is_empty() => {
                vec![(name.clone(), Some(rest.join(" ")))]
            }
            _ => words
                .iter()
                .map(|word| match word.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (word.clone(), None),
                })
                .collect(),
        }
    }

    /// Words of the text, in either form.
    pub fn words(&self) -> Vec<String> {
        self.exec().unwrap_or_else(|| shell::words(&self.text))
    }
}
