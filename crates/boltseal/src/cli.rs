//! The arguments that all commands share.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};

use crate::{commands::Command, exit::Exit};

/// Stores, scans and judges software containers.
#[derive(Debug, Parser)]
#[command(name = "boltseal", version, propagate_version = true, max_term_width = 100, after_help = Exit::HELP)]
pub struct Cli {
    /// For every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// For every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Folder of feeds, images and keys [default: `$XDG_DATA_HOME/boltseal` or `~/.local/share/boltseal`]
    #[arg(long, global = true, value_name = "DIR", env = "BOLTSEAL_DATA", hide_env_values = true)]
    pub data: Option<PathBuf>,
    /// When to use colour; `auto` means on a terminal, and never where `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// No progress and no notes on stderr; errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}
