//! `boltseal login [ADDRESS]`

use std::path::PathBuf;

use boltseal_api::{
    access::{FederatedLogin, Login, Session},
    client::{Client, Error, Server},
};
use boltseal_model::Timestamp;
use jiff::SignedDuration;
use zeroize::Zeroizing;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::access::moment,
    reach::{self, LOCAL},
    servers::{Known, Servers},
    terminal::{Lines, ask, ask_secret},
};

/// What the server says to somebody with a second factor.
const CODE_NEEDED: &str = "one-time password is needed";

/// Where to, and as whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The secret is asked for on the terminal. What is remembered is a token that ends by itself, in \
boltseal/servers.json below $XDG_CONFIG_HOME or ~/.config. The authority of a server on this machine is \
found in the data folder.

Examples:
  boltseal login
  boltseal login registry.example.com:8443 --name alice --ca ca.pem
  boltseal login --name ci --secret-stdin < secret.txt
  boltseal login registry.example.com --federated-token-file /var/run/secrets/tokens/boltseal

Exit codes: 0 logged in; 2 usage; 3 wrong secret, or the server cannot be reached; 4 internal fault")]
pub struct Args {
    /// Address of the server
    #[arg(value_name = "ADDRESS", default_value = LOCAL, env = "BOLTSEAL_SERVER", hide_env_values = true)]
    address: String,
    /// Name of a user or service principal; asked for if it is missing
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Read the password or secret from standard input, as its first line
    #[arg(long)]
    secret_stdin: bool,
    /// Read a one-time password or recovery code from standard input, after the secret if that is there too
    #[arg(long)]
    code_stdin: bool,
    /// Log in with a token of another issuer, in this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "secret_stdin", "code_stdin"])]
    federated_token_file: Option<PathBuf>,
    /// PEM file of the authority that vouches for the server
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Logs in, and remembers it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let address = reach::address(&args.address)?;
    let mut servers = Servers::read()?;
    let remembered = || servers.at(&address).and_then(|known| known.ca.clone());
    let ca = args.ca.clone().or_else(|| reach::local_authority(&address, global)).or_else(remembered);
    let ca = ca.map(|ca| ca.canonicalize().unwrap_or(ca));
    let client = Client::new(&Server { address: address.clone(), token: None, ca: ca.clone() })?;
    let session = match &args.federated_token_file {
        Some(file) => {
            let token = given::text(file)?.trim().to_owned();
            client.post("/api/v1/login/federated", &FederatedLogin { token })?
        }
        None => by_secret(args, &client)?,
    };
    remember(&mut servers, &client, session, ca, console)?;
    Ok(Exit::Pass)
}

/// Keeps a session for the commands to come.
pub fn remember(
    servers: &mut Servers,
    client: &Client,
    session: Session,
    ca: Option<PathBuf>,
    console: &Console,
) -> Result<(), Failure> {
    let life = SignedDuration::from_secs(i64::try_from(session.expires_in).unwrap_or(i64::MAX));
    let expires = Timestamp::now().checked_add(life).map_err(Failure::fault)?;
    let address = client.address().to_owned();
    console.note(format_args!("logged in to {address} as {} until {}", session.principal, moment(expires)));
    let registry = session.registry.as_deref().and_then(|name| reach::claimed(&address, name));
    let Session { principal, access_token: token, .. } = session;
    servers.add(Known { address, principal, token, expires, ca, registry })
}

fn by_secret(args: &Args, client: &Client) -> Result<Session, Failure> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => ask("name", "give it with --name NAME")?.to_string(),
    };
    let mut lines = (args.secret_stdin || args.code_stdin).then(Lines::new);
    let mut from = |wanted: bool, what: &str, flag: &str| match &mut lines {
        Some(lines) if wanted => lines.need(what),
        _ => ask_secret(what, &format!("give it on standard input with {flag}")),
    };
    let secret = from(args.secret_stdin, "secret", "--secret-stdin")?;
    let code = if args.code_stdin { Some(from(true, "one-time password", "--code-stdin")?) } else { None };
    let login = |code: Option<&Zeroizing<String>>| {
        let login =
            Login { name: name.clone(), secret: secret.to_string(), code: code.map(|code| code.to_string()) };
        client.post::<Session>("/api/v1/login", &login)
    };
    match login(code.as_ref()) {
        Err(Error::Refused(problem)) if code.is_none() && problem.title.contains(CODE_NEEDED) => {
            let code = from(false, "one-time password", "--code-stdin")?;
            login(Some(&code)).map_err(wrong)
        }
        other => other.map_err(wrong),
    }
}

/// To log in is what was just tried, so it is no advice.
fn wrong(error: Error) -> Failure {
    match error {
        Error::Refused(problem) if problem.status == 401 => {
            Failure::undecided(problem.title).next("try again with the right name, secret and code")
        }
        other => other.into(),
    }
}
