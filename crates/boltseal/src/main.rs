//! `boltseal`: stores, scans and judges software containers, in one binary.
//!
//! This crate turns arguments into calls of `flow` and of the roles, and answers into text and exit codes. It decides
//! nothing itself. Read [`commands`] for the list of commands; each is one file that holds its arguments and one `run`.
//!
//! ```text
//! boltseal feeds import all.zip                     what is known to be wrong
//! boltseal scan docker-archive:app.tar              what is wrong with this image
//! boltseal gate docker-archive:app.tar --policy p   may it run: exit code 0, 1 or 3
//! boltseal up                                       all of it as a service
//! ```
//!
//! Data goes to stdout, everything else to stderr. It must not know what it could ask a hop.

mod baseline;
mod cli;
mod cluster;
mod commands;
mod confined;
mod console;
mod endorsers;
mod exit;
mod given;
mod ignoring;
mod lent;
mod moment;
mod node;
mod output;
mod people;
mod progress;
mod reach;
mod servers;
mod service;
mod signing;
mod target;
mod terminal;
mod vouching;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    if let Some(exit) = confined::play() {
        return exit;
    }
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) => return exit::of_arguments(&wrong).into(),
    };
    let console = console::Console::new(cli.global.color, cli.global.quiet);
    match commands::run(cli, &console) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            console.error(&failure);
            failure.exit().into()
        }
    }
}
