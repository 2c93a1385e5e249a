//! `boltseal webhook …`

mod configuration;
mod gap;
mod install;
mod installed;
mod off;
mod render;
mod setting;
mod status;

use clap::Subcommand;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the configurations that make an API server ask this server
    Render(render::Args),
    /// Make a cluster ask this server, and try it
    Install(install::Args),
    /// Make a cluster ask nobody: recorded, with a reason
    Off(off::Args),
    /// Show whether a cluster asks, and whom
    Status(status::Args),
    /// List what was admitted while nobody answered, and would be refused now
    Gap(gap::Args),
    /// Show how a server answers
    Show(setting::Show),
    /// Change how a server answers; what is not given stays as it is
    Set(setting::Set),
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Render(args) => render::run(args, console),
        Verb::Install(args) => install::run(args, global, console),
        Verb::Off(args) => off::run(args, global, console),
        Verb::Status(args) => status::run(args, console),
        Verb::Gap(args) => gap::run(args, global, console),
        Verb::Show(args) => setting::show(args, global, console),
        Verb::Set(args) => setting::set(args, global),
    }
}
