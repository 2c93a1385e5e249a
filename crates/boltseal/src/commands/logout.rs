//! `boltseal logout [ADDRESS]`

use boltseal_api::client::{Client, Server};
use boltseal_model::Timestamp;
use serde_json::json;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    reach,
    servers::Servers,
};

/// From where.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal logout

Exit codes: 0 logged out, or nobody was logged in; 3 it is forgotten here, but the server could not be told")]
pub struct Args {
    /// Address of the server [default: the last login]
    #[arg(value_name = "ADDRESS", env = "BOLTSEAL_SERVER", hide_env_values = true)]
    address: Option<String>,
}

/// Ends the login at the server, and forgets it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let mut servers = Servers::read()?;
    let known = match &args.address {
        Some(named) => servers.at(&reach::address(named)?),
        None => servers.last(),
    };
    let Some(known) = known.cloned() else {
        console.note("nobody was logged in");
        return Ok(Exit::Pass);
    };
    servers.remove(&known.address)?;
    if known.expires > Timestamp::now() {
        let (address, token) = (known.address.clone(), Some(known.token));
        let client = Client::new(&Server { address, token, ca: known.ca })?;
        match client.tell("/api/v1/logout", &json!({})) {
            // It ended already, which is what was wanted.
            Err(wrong) if wrong.status() == Some(401) => {}
            other => other?,
        }
    }
    console.note(format_args!("logged out of {}", known.address));
    Ok(Exit::Pass)
}
