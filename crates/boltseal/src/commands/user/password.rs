//! `boltseal user password [NAME]`

use boltseal_api::{
    access::{Kind, NewPassword, PrincipalChange},
    client::Client,
};
use zeroize::Zeroizing;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    people,
    reach::path,
    terminal::{Lines, ask_secret},
};

/// Whose, and from where.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Your own password needs the one until now. All other tokens and sessions of the user end.

Examples:
  boltseal user password
  boltseal user password bob --password-stdin < password.txt")]
pub struct Args {
    /// Somebody else's, which needs the right to change principals [default: your own]
    name: Option<String>,
    /// Read from standard input: for your own the password until now and the new one, a line each; else the new one
    #[arg(long)]
    password_stdin: bool,
}

/// Changes it.
pub fn run(args: &Args, client: &Client, console: &Console) -> Result<Exit, Failure> {
    let mut lines = args.password_stdin.then(Lines::new);
    let mut from = |what: &str| match &mut lines {
        Some(lines) => lines.need(what),
        None => ask_secret(what, "give it on standard input with --password-stdin"),
    };
    let old = if args.name.is_none() { Some(from("password until now")?) } else { None };
    let new = from("new password")?;
    if !args.password_stdin && *from("new password again")? != *new {
        return Err(Failure::usage("the two new passwords differ: nothing was changed"));
    }
    let plain = |secret: &Zeroizing<String>| secret.to_string();
    match (&args.name, old) {
        (Some(name), _) => {
            let change = PrincipalChange { password: Some(plain(&new)), ..PrincipalChange::default() };
            people::change(client, Kind::User, name, &change)?;
        }
        (None, Some(old)) => {
            let body = NewPassword { old: plain(&old), new: plain(&new) };
            client.tell(&path(&["me", "password"]), &body)?;
        }
        (None, None) => return Err(Failure::fault("no password to change")),
    }
    console.note("the password was changed");
    Ok(Exit::Pass)
}
