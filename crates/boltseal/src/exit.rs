//! How a run ends: the exit codes of design section 5, and failures that carry one.
//!
//! A name in the arguments that nobody has, or that somebody has already, is usage (2): of a role, an upstream, a job. Only
//! an image that is not there is undecided (3), whatever is to be done with it, since nobody can say anything about it.

use std::{fmt, process::ExitCode};

use crate::output::paint::clean;

/// The five ways a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, and nothing speaks against the image.
    Pass = 0,
    /// A policy, or `--fail-on`, said no.
    Denied = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// It cannot be decided: incomplete, stale, unreachable, unreadable.
    Undecided = 3,
    /// Our own fault, or the machine's.
    Fault = 4,
}

impl Exit {
    /// What every command's help says about exit codes.
    pub const HELP: &str =
        "Exit codes: 0 pass, 1 policy said no, 2 usage, 3 could not decide, 4 internal fault";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Shows what clap has to say, on stdout when it was asked for, and gives the exit code for it.
pub fn of_arguments(wrong: &clap::Error) -> Exit {
    let printed = wrong.print().is_ok();
    match wrong.kind() {
        clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion if printed => Exit::Pass,
        _ => Exit::Usage,
    }
}

/// Why a command could not do its work: what, where, and the next step, and the exit code.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: String,
    next: Option<String>,
}

impl Failure {
    /// The user asked for something that cannot be.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, what: what.to_string(), next: None }
    }

    /// Somebody who may decide that said no.
    pub fn denied(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Denied, what: what.to_string(), next: None }
    }

    /// The outside world did not let us find out.
    pub fn undecided(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Undecided, what: what.to_string(), next: None }
    }

    /// What a server answered about an image that was named: one that is not there is undecided, as with any registry.
    pub fn about_image(error: boltseal_api::client::Error) -> Self {
        let missing =
            matches!(&error, boltseal_api::client::Error::Refused(problem) if problem.status == 404);
        let failure = Self::from(error);
        if missing { Self { exit: Exit::Undecided, ..failure } } else { failure }
    }

    /// We, or the machine, failed.
    pub fn fault(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Fault, what: what.to_string(), next: None }
    }

    /// Adds the next step.
    #[must_use]
    pub fn next(self, step: impl Into<String>) -> Self {
        Self { next: Some(step.into()), ..self }
    }

    /// The exit code.
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

/// A story that stopped: what the user gave us wrong is usage, what the world does not give us is undecided.
impl From<boltseal_flow::Error> for Failure {
    fn from(error: boltseal_flow::Error) -> Self {
        use boltseal_flow::Error;
        match error {
            Error::Image(boltseal_image::Error::Target { .. } | boltseal_image::Error::Reference { .. }) => {
                Self::usage(error)
            }
            Error::Vex(_) | Error::NoRegistry { .. } | Error::Notary(_) => Self::usage(error),
            Error::Registry(error) => error.into(),
            Error::Io { .. } => Self::fault(error),
            _ => Self::undecided(error),
        }
    }
}

/// What a registry answered, as with servers: a no is a no.
impl From<boltseal_image::remote::Error> for Failure {
    fn from(error: boltseal_image::remote::Error) -> Self {
        use boltseal_image::remote::Error;
        let what = clean(&error.to_string());
        match &error {
            Error::Name { .. } | Error::Reference(_) => Self::usage(what),
            Error::Io { .. } => Self::fault(what),
            _ if error.status() == Some(403) && !error.is_rate_limited() => Self::denied(what),
            _ if error.is_not_found() => {
                Self::undecided(what).next("check name and tag, and whether a login is needed")
            }
            _ => Self::undecided(what),
        }
    }
}

/// What a server answered: a no is a no, a request that makes no sense is usage, anything else is undecided.
impl From<boltseal_api::client::Error> for Failure {
    fn from(error: boltseal_api::client::Error) -> Self {
        use boltseal_api::client::Error;
        let Error::Refused(problem) = error else { return Self::undecided(error) };
        let missing = match (&problem.action, &problem.scope) {
            (Some(action), Some(scope)) => format!(" ({action} at {scope})"),
            _ => String::new(),
        };
        let what = clean(&format!("{}{missing}", problem.title));
        let failure = match problem.status {
            403 => Self::denied(what),
            401 | 429 | 500.. => Self::undecided(what),
            _ => Self::usage(what),
        };
        match problem.status {
            401 => failure.next("run `boltseal login`"),
            _ if problem.detail.is_empty() => failure,
            _ => failure.next(clean(&problem.detail)),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.next.as_ref().map_or(Ok(()), |next| write!(f, "\n  next: {next}"))
    }
}
