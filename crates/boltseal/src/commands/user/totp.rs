//! `boltseal user totp`

use std::io::{self, IsTerminal as _};

use boltseal_api::{
    access::{NewTotp, RecoveryCodes, TotpCode},
    client::Client,
};
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use serde_json::json;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    reach::path,
    terminal::{Lines, ask},
};

/// What to do with the second factor.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints the otpauth URI, on a terminal also as a QR code for an authenticator application, and asks for the \
code that it shows then. From there on a login needs a code. The recovery codes that are printed at the \
end each stand once for the application: keep them on paper.

Examples:
  boltseal user totp
  boltseal user totp --remove
  boltseal user totp --remove --of bob")]
pub struct Args {
    /// Read the code from standard input
    #[arg(long)]
    code_stdin: bool,
    /// Take the second factor away
    #[arg(long, conflicts_with = "code_stdin")]
    remove: bool,
    /// Of somebody else, who has lost it and the recovery codes; needs the right to change credentials
    #[arg(long, value_name = "NAME", requires = "remove")]
    of: Option<String>,
}

/// Sets it up, or takes it away.
pub fn run(args: &Args, client: &Client, console: &Console) -> Result<Exit, Failure> {
    if args.remove {
        match &args.of {
            Some(name) => client.delete(&path(&["principals", name, "totp"]))?,
            None => client.delete(&path(&["me", "totp"]))?,
        }
        console.note("the second factor was taken away");
        return Ok(Exit::Pass);
    }
    let new: NewTotp = client.post(&path(&["me", "totp"]), &json!({}))?;
    if io::stdout().is_terminal()
        && let Some(picture) = picture(&new.uri)
    {
        console.data(&picture)?;
    }
    console.data(&format!("uri: {}\n", new.uri))?;
    let code = if args.code_stdin {
        Lines::new().need("code")?
    } else {
        ask("code that the application shows", "give it on standard input with --code-stdin")?
    };
    let codes: RecoveryCodes =
        client.post(&path(&["me", "totp", "confirm"]), &TotpCode { code: code.to_string() })?;
    console.note("the second factor counts from now on; the recovery codes are shown now and never again");
    for code in &codes.codes {
        console.data(&format!("recovery: {code}\n"))?;
    }
    Ok(Exit::Pass)
}

/// The URI as a QR code in half blocks: dark on light whatever the terminal's own colours are.
fn picture(uri: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(uri, EcLevel::L).ok()?;
    let drawn = code.render::<Dense1x2>().quiet_zone(true).build();
    let lines: Vec<String> = drawn.lines().map(|line| format!("\u{1b}[30;47m{line}\u{1b}[0m\n")).collect();
    Some(lines.concat())
}
