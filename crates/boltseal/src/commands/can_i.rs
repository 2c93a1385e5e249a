//! `boltseal can-i ACTION SCOPE`

use boltseal_api::access::CanI;
use boltseal_identity::{Action, Scope};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, access as output},
    reach::{Reach, query},
};

/// Short words for what is asked most.
const SHORT: [(&str, Action); 4] = [
    ("pull", Action::ContentRead),
    ("push", Action::ContentWrite),
    ("delete", Action::ContentDelete),
    ("read-log", Action::AuditRead),
];

/// What, where, and who.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
ACTION is a name from --list, its end if that is clear (secrets/getSecret/action), or pull, push, delete, \
read-log. The answer names the assignment that grants it, or what is missing and which roles would help.

Examples:
  boltseal can-i pull /registries/main/repositories/team/a
  boltseal can-i roleAssignments/write /vaults/prod --principal alice
  boltseal can-i --list

Exit codes: 0 yes; 1 no; 2 usage; 3 could not ask")]
pub struct Args {
    /// What is to be done
    #[arg(value_name = "ACTION", required_unless_present = "list", value_parser = action)]
    action: Option<Action>,
    /// Where: `/`, `/registries/main/repositories/team/a`, `/vaults/prod/secrets/db`, …
    #[arg(value_name = "SCOPE", required_unless_present = "list")]
    scope: Option<Scope>,
    /// About somebody else
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// List all actions, without asking a server
    #[arg(long, conflicts_with_all = ["action", "scope", "principal"])]
    list: bool,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// Asks, and answers.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let (Some(action), Some(scope)) = (args.action, &args.scope) else {
        args.written.show(&Action::ALL, console, |_, paint| output::actions(paint))?;
        return Ok(Exit::Pass);
    };
    let pairs = [
        ("action", Some(action.name())),
        ("scope", Some(scope.as_str())),
        ("principal", args.principal.as_deref()),
    ];
    let answer: CanI = args.reach.client(global)?.get(&query(&["can-i"], &pairs))?;
    args.written.show(&answer, console, output::can_i)?;
    Ok(if answer.allowed { Exit::Pass } else { Exit::Denied })
}

/// An action by its name, its end, or a short word.
fn action(text: &str) -> Result<Action, String> {
    if let Some((_, action)) = SHORT.into_iter().find(|(word, _)| *word == text) {
        return Ok(action);
    }
    let end = format!("/{}", text.trim_start_matches('/').to_ascii_lowercase());
    let ending = || Action::ALL.iter().filter(|action| action.name().to_ascii_lowercase().ends_with(&end));
    match (text.parse::<Action>(), ending().count()) {
        (Ok(action), _) => Ok(action),
        (Err(_), 1) => ending().next().copied().ok_or_else(String::new),
        (Err(unknown), 0) => Err(unknown.to_string()),
        (Err(_), _) => {
            let names: Vec<&str> = ending().map(|action| action.name()).collect();
            Err(format!("which of these? {}", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_by_any_clear_name() {
        for (text, expected) in [
            ("pull", Some(Action::ContentRead)),
            ("Boltseal/audit/records/READ", Some(Action::AuditRead)),
            ("content/write", Some(Action::ContentWrite)),
            ("getSecret/action", Some(Action::SecretGet)),
            ("read", None),
            ("", None),
            ("fly", None),
        ] {
            assert_eq!(action(text).ok(), expected, "{text}");
        }
    }
}
