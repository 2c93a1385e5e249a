//! `boltseal role …`: roles, and who has them where.

mod assignments;

use std::path::PathBuf;

use boltseal_api::{
    access::{ImportedRoles, Role},
    client::Client,
};
use serde_json::Value;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{Written, access as output, paint::clean},
    reach::{Reach, path},
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
    /// List all roles
    List(Written),
    /// Show one role with everything it allows
    Show(Show),
    /// Make a role out of a definition as Azure exports it
    Create(Create),
    /// Delete a role of your own that nobody has
    Delete(Name),
    /// Give a role to somebody
    Assign(assignments::Assign),
    /// Take a role from somebody
    Unassign(assignments::Unassign),
    /// List who has which role where
    Assignments(assignments::List),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name or id of the role
    role: String,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Name or id of the role
    role: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file is what `az role definition list --custom-role-only` prints, or what `az role definition create` \
takes; a role whose id is known is changed. `boltseal can-i --list` names all actions; * stands for a part.

Example:
  boltseal role create team-reader.json

with {\"Name\": \"Team reader\", \"Description\": \"Pulls and lists\", \"Actions\": [],
  \"DataActions\": [\"Microsoft.ContainerRegistry/registries/repositories/*/read\"]}")]
struct Create {
    /// JSON file with the definition
    file: PathBuf,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    match &args.verb {
        Verb::List(written) => {
            written.show(&all(&client)?, console, |all, paint| output::roles(all, paint))?;
        }
        Verb::Show(Show { role, written }) => written.show(&named(&client, role)?, console, output::role)?,
        Verb::Create(Create { file, written }) => {
            let definition: Value = serde_json::from_str(&given::text(file)?)
                .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", file.display())))?;
            let imported: ImportedRoles = client.post(&path(&["roles"]), &definition)?;
            for note in &imported.notes {
                console.note(clean(note));
            }
            written.show(&imported.roles, console, |roles, paint| {
                roles.iter().map(|role| output::role(role, paint)).collect::<Vec<_>>().join("\n")
            })?;
        }
        Verb::Delete(name) => {
            let role = named(&client, &name.role)?;
            client.delete(&path(&["roles", &role.id.to_string()]))?;
        }
        Verb::Assign(assign) => assignments::assign(assign, &client, console)?,
        Verb::Unassign(unassign) => assignments::unassign(unassign, &client)?,
        Verb::Assignments(list) => assignments::list(list, &client, console)?,
    }
    Ok(Exit::Pass)
}

fn all(client: &Client) -> Result<Vec<Role>, Failure> {
    let mut all: Vec<Role> = client.get(&path(&["roles"]))?;
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// By name, whatever the case, or by id.
fn named(client: &Client, wanted: &str) -> Result<Role, Failure> {
    let is = |role: &Role| role.name.eq_ignore_ascii_case(wanted) || role.id.to_string() == wanted;
    all(client)?.into_iter().find(is).ok_or_else(|| {
        Failure::usage(format_args!("no role is called `{wanted}`"))
            .next("`boltseal role list` names all of them")
    })
}
