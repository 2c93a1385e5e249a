//! `boltseal user …`

mod password;
mod totp;

use boltseal_api::access::{Kind, NewPrincipal, PrincipalChange};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    people,
    reach::Reach,
    terminal::Lines,
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List all users
    List(Written),
    /// Show one user, with credentials (never the secrets themselves) and roles
    Show(Show),
    /// Make a user; prints a link where they choose a password, once
    Create(Create),
    /// Grant nothing to a user until they are enabled again
    Disable(Name),
    /// Take back `disable`
    Enable(Name),
    /// Delete a user, with roles and memberships
    Delete(Name),
    /// Change your own password, or somebody else's
    Password(password::Args),
    /// End all tokens and sessions of a user
    SignOut(Name),
    /// Set up a second factor for yourself, or take it away
    Totp(totp::Args),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the user
    name: String,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Name of the user
    name: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal user create alice --display 'Alice Adams'
  boltseal user create bob --password-stdin < password.txt")]
struct Create {
    /// Name of the user: letters, digits and . _ @ -
    name: String,
    /// Their name for people to read
    #[arg(long, value_name = "TEXT", default_value = "")]
    display: String,
    /// Read a first password from standard input, instead of making a link
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    let change =
        |name: &Name, change: &PrincipalChange| people::change(&client, Kind::User, &name.name, change);
    let disabled = |disabled| PrincipalChange { disabled: Some(disabled), ..PrincipalChange::default() };
    match &args.verb {
        Verb::List(written) => people::list(&client, Kind::User, *written, console),
        Verb::Show(Show { name, written }) => people::show(&client, Kind::User, name, *written, console),
        Verb::Create(create) => {
            let password =
                if create.password_stdin { Some(Lines::new().need("password")?.to_string()) } else { None };
            let new = NewPrincipal {
                kind: Kind::User,
                name: create.name.clone(),
                display: create.display.clone(),
                password,
                members: Vec::new(),
                scope_map: None,
                expires: None,
            };
            people::create(&client, &new, create.written, console)
        }
        Verb::Disable(name) => change(name, &disabled(true)),
        Verb::Enable(name) => change(name, &disabled(false)),
        Verb::Delete(name) => people::delete(&client, Kind::User, &name.name),
        Verb::Password(args) => password::run(args, &client, console),
        Verb::SignOut(name) => {
            change(name, &PrincipalChange { sign_out_everywhere: true, ..PrincipalChange::default() })
        }
        Verb::Totp(args) => totp::run(args, &client, console),
    }
}
