//! `boltseal wrapper`

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use boltseal_agent::wrapper::{Error, MAX_SETTINGS, Ready, Settings, Wrapper, complain, passes};

use crate::{
    exit::{Exit, Failure},
    given,
    output::paint::clean,
};

/// In front of which runtime.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Stands in front of an OCI runtime and is called with the arguments of `runc`. What makes a process (`create`, `run`, `exec`) is \
hardened first: capabilities that the settings do not open are dropped, no privileges are gained, our list of system calls \
holds, nothing is executed on what can be written to, Landlock holds from the first program on. Privileged containers, \
namespaces, folders and devices of the machine are refused, with the setting that would open them. Then this process becomes \
the runtime: the same exit codes, and nobody in between.

Engines are told by `boltseal engine install`. What cannot be read or is not known is refused.

Example:
  boltseal wrapper --runtime /usr/sbin/runc -- run --bundle /tmp/bundle test

Exit codes: the runtime's; 1 refused; 2 usage; 4 it cannot be told")]
pub struct Args {
    /// The runtime
    #[arg(long, value_name = "PROGRAM")]
    runtime: PathBuf,
    /// What this node opens to containers
    #[arg(long, value_name = "FILE", default_value = "/etc/boltseal/wrapper.yaml")]
    settings: PathBuf,
    /// Arguments of the runtime
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Becomes the runtime, or says why not.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let asked: Result<Vec<String>, _> = args.arguments.iter().cloned().map(OsString::into_string).collect();
    let asked = asked.map_err(|_| Failure::usage("an argument of the runtime is no text"))?;
    let failed = become_it(args, &asked);
    complain(&asked, &format!("boltseal: {failed}"));
    Err(failed)
}

/// Comes back only with the reason.
fn become_it(args: &Args, asked: &[String]) -> Failure {
    match ready(args, asked) {
        // What is held is open until this process is another program, which then has it.
        Ok(ready) => {
            let wrong = Command::new(&args.runtime).args(&ready.arguments).exec();
            drop(ready.held);
            Failure::fault(format_args!("{}: {wrong}", args.runtime.display()))
        }
        Err(failure) => failure,
    }
}

fn ready(args: &Args, asked: &[String]) -> Result<Ready, Failure> {
    if passes(asked).map_err(|wrong| refused(&wrong))? {
        return Ok(Ready { arguments: asked.to_vec(), held: None });
    }
    let settings = settings(&args.settings)?;
    let wrapper = Wrapper { runtime: args.runtime.clone(), settings, named: args.settings.clone() };
    wrapper.prepare(asked).map_err(|wrong| refused(&wrong))
}

fn refused(wrong: &Error) -> Failure {
    let what = clean(&wrong.to_string());
    if matches!(wrong, Error::Io { .. }) { Failure::fault(what) } else { Failure::denied(what) }
}

fn settings(path: &Path) -> Result<Settings, Failure> {
    Settings::read(&given::bounded(path, MAX_SETTINGS)?)
        .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", path.display())))
}
