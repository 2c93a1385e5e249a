//! The commands: one file each, with its arguments and one `run`, and one line in [`Command`].

pub mod completion;
pub mod feeds;
pub mod gate;
pub mod man;
pub mod policy;
pub mod sbom;
pub mod scan;
pub mod up;
pub mod version;

use clap::Subcommand;

use crate::{
    cli::Cli,
    console::Console,
    exit::{Exit, Failure},
};

/// What `boltseal` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find what is known to be wrong with an image, and how to fix it
    Scan(scan::Args),
    /// List what is installed in an image
    Sbom(sbom::Args),
    /// Ask a policy whether an image may pass: exit code 0, 1 or 3
    Gate(gate::Args),
    /// Import, fetch and inspect vulnerability data
    Feeds(feeds::Args),
    /// Show and check policies
    Policy(policy::Args),
    /// Run the registry, the scanner and the dashboard on this machine
    Up(up::Args),
    /// Print a completion script for a shell
    Completion(completion::Args),
    /// Print the manual page, or write all of them into a folder
    Man(man::Args),
    /// Print the version
    Version(version::Args),
}

/// Does what the arguments say.
pub fn run(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Scan(args) => scan::run(&args, &global, console),
        Command::Sbom(args) => sbom::run(&args, &global, console),
        Command::Gate(args) => gate::run(&args, &global, console),
        Command::Feeds(args) => feeds::run(args, &global, console),
        Command::Policy(args) => policy::run(args, &global, console),
        Command::Up(args) => up::run(args, &global, console),
        Command::Completion(args) => completion::run(&args, console),
        Command::Man(args) => man::run(&args, console),
        Command::Version(args) => version::run(&args, console),
    }
}
