//! `boltseal man [DIR]`

use std::{fs, io, path::PathBuf};

use clap::CommandFactory as _;

use crate::{
    cli::Cli,
    console::Console,
    exit::{Exit, Failure},
};

/// Where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: boltseal man | man -l -")]
pub struct Args {
    /// Folder to write one page for each command into, instead of printing the main page
    pub folder: Option<PathBuf>,
}

/// Prints the main page, or writes all pages.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.folder else {
        let page = page(command)
            .map_err(|wrong| Failure::fault(format_args!("cannot write the manual: {wrong}")))?;
        console.data(&String::from_utf8_lossy(&page))?;
        return Ok(Exit::Pass);
    };
    let unwritable = |wrong: io::Error| {
        Failure::fault(format_args!("cannot write manual pages into {}: {wrong}", folder.display()))
            .next("name a folder that you may write to")
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    for command in with_subcommands(command) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        fs::write(folder.join(format!("{name}.1")), page(command).map_err(unwritable)?)
            .map_err(unwritable)?;
    }
    Ok(Exit::Pass)
}

fn page(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}

fn with_subcommands(command: clap::Command) -> Vec<clap::Command> {
    let mut all = vec![command];
    let mut next = 0;
    while let Some(command) = all.get(next) {
        let below: Vec<clap::Command> = command.get_subcommands().cloned().collect();
        all.extend(below);
        next += 1;
    }
    all
}
