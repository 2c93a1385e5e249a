//! `boltseal completion SHELL`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    cli::Cli,
    console::Console,
    exit::{Exit, Failure},
};

/// Which shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: boltseal completion bash > /etc/bash_completion.d/boltseal")]
pub struct Args {
    /// The shell the script is for
    pub shell: Shell,
}

/// Prints the completion script.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "boltseal", &mut script);
    console.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Pass)
}
