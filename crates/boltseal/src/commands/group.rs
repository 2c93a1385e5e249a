//! `boltseal group …`

use boltseal_api::access::{Kind, NewPrincipal, PrincipalChange};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    people,
    reach::Reach,
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
    /// List all groups
    List(Written),
    /// Show one group, with members and roles
    Show(Show),
    /// Make a group
    Create(Create),
    /// Put principals into a group; they have its roles at once
    Add(Members),
    /// Take principals out of a group
    Remove(Members),
    /// Delete a group; its members stay
    Delete(Name),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the group
    name: String,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Name of the group
    name: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal group create developers --member alice --member bob")]
struct Create {
    /// Its name: letters, digits and . _ @ -
    name: String,
    /// A name for people to read
    #[arg(long, value_name = "TEXT", default_value = "")]
    display: String,
    /// Name of a member, also of another group. May be given several times
    #[arg(long, value_name = "NAME")]
    member: Vec<String>,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct Members {
    /// Name of the group
    name: String,
    /// Names of principals
    #[arg(required = true, value_name = "MEMBER")]
    members: Vec<String>,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    match &args.verb {
        Verb::List(written) => people::list(&client, Kind::Group, *written, console),
        Verb::Show(Show { name, written }) => people::show(&client, Kind::Group, name, *written, console),
        Verb::Create(create) => {
            let new = NewPrincipal {
                kind: Kind::Group,
                name: create.name.clone(),
                display: create.display.clone(),
                password: None,
                members: create.member.clone(),
                scope_map: None,
                expires: None,
            };
            people::create(&client, &new, create.written, console)
        }
        Verb::Add(Members { name, members }) => {
            let change = PrincipalChange { add_members: members.clone(), ..PrincipalChange::default() };
            people::change(&client, Kind::Group, name, &change)
        }
        Verb::Remove(Members { name, members }) => {
            let change = PrincipalChange { remove_members: members.clone(), ..PrincipalChange::default() };
            people::change(&client, Kind::Group, name, &change)
        }
        Verb::Delete(name) => people::delete(&client, Kind::Group, &name.name),
    }
}
