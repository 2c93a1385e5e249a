//! `boltseal serve`

use std::path::PathBuf;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    service::Storage,
};

use super::up;

/// The same as `up`, as one of several servers.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(after_help = "\
Servers with the same database, blobs and keys are one registry: any of them takes any request, and when \
one ends, nothing that it acknowledged is lost. The data folder holds what each has for itself: feeds and \
the policy, which should be the same everywhere, and caches.

Example:
  export BOLTSEAL_DATABASE=postgres://boltseal:SECRET@db.example.com/boltseal
  boltseal serve --blobs 's3://images?region=eu-central-1' --keys /etc/boltseal/keys \\
    --listen 0.0.0.0:8443 --name registry.example.com

Credentials of the object store come from the environment, as its own tools read them (AWS_ACCESS_KEY_ID, \
AZURE_STORAGE_ACCOUNT_KEY, GOOGLE_SERVICE_ACCOUNT …).

Exit codes: 0 stopped as asked; 2 usage; 4 could not start")]
pub struct Args {
    /// The PostgreSQL database that all servers share. Prefer the variable: arguments can be seen by others
    #[arg(long, value_name = "URL", env = "BOLTSEAL_DATABASE", hide_env_values = true)]
    database: String,
    /// The object store that all servers share: `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` or `gs://BUCKET/PREFIX`
    #[arg(long, value_name = "URL", env = "BOLTSEAL_BLOBS")]
    blobs: String,
    /// Folder of keys, with the same files on every server. The first server makes what is missing
    #[arg(long, value_name = "DIR", env = "BOLTSEAL_KEYS")]
    keys: PathBuf,
    #[command(flatten)]
    running: up::Args,
}

/// Runs until it is told to stop.
pub fn run(args: Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let Args { database, blobs, keys, running } = args;
    up::run_on(Storage::Shared { database: database.into(), blobs, keys }, running, global, console)
}
