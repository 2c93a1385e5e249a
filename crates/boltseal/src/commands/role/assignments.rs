//! `boltseal role assign|unassign|assignments`

use boltseal_api::{
    access::{Assignment, NewAssignment},
    client::Client,
};
use boltseal_model::Timestamp;

use crate::{
    console::Console,
    exit::Failure,
    moment,
    output::{Written, access as output},
    reach::{path, query},
};

/// Which role to whom.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A scope covers itself and everything below it; * stands for one part. A condition is in Azure's language, or \
short: repository like \"team/*\".

Examples:
  boltseal role assign AcrPull --to ci --scope '/registries/main/repositories/team/*'
  boltseal role assign AcrPush --to ci --scope /registries/main --condition 'repository like \"team/*\"'
  boltseal role assign Owner --to alice --scope / --expires 8h")]
pub struct Assign {
    /// Name or id of the role
    role: String,
    /// Name of the principal or group
    #[arg(long, value_name = "NAME")]
    to: String,
    /// Where: `/`, `/registries/main`, `/registries/main/repositories/team/*`, …
    #[arg(long, value_name = "SCOPE")]
    scope: String,
    /// On which repositories only
    #[arg(long, value_name = "CONDITION")]
    condition: Option<String>,
    /// When it ends: a moment, a date, or a span such as 8h or 30d [default: never]
    #[arg(long, value_name = "WHEN", value_parser = moment::future)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    written: Written,
}

/// Which assignment.
#[derive(Debug, clap::Args)]
pub struct Unassign {
    /// Id of the assignment, as `boltseal role assignments` prints it
    id: String,
}

/// Which assignments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal role assignments --of ci
  boltseal role assignments --scope /registries/main")]
pub struct List {
    /// Only those of this principal or group
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// Only those that hold at this scope
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    #[command(flatten)]
    written: Written,
}

/// Gives a role.
pub fn assign(assign: &Assign, client: &Client, console: &Console) -> Result<(), Failure> {
    let new = NewAssignment {
        principal: assign.to.clone(),
        role: assign.role.clone(),
        scope: assign.scope.clone(),
        condition: assign.condition.clone(),
        expires: assign.expires,
    };
    let made: Assignment = client.post(&path(&["role-assignments"]), &new)?;
    assign.written.show(&made, console, |made, paint| output::assignments(std::slice::from_ref(made), paint))
}

/// Takes a role away.
pub fn unassign(unassign: &Unassign, client: &Client) -> Result<(), Failure> {
    Ok(client.delete(&path(&["role-assignments", &unassign.id]))?)
}

/// Lists who has which role where.
pub fn list(list: &List, client: &Client, console: &Console) -> Result<(), Failure> {
    let pairs = [("principal", list.of.as_deref()), ("scope", list.scope.as_deref())];
    let mut all: Vec<Assignment> = client.get(&query(&["role-assignments"], &pairs))?;
    all.sort_by(|a, b| (&a.principal, &a.role, &a.scope).cmp(&(&b.principal, &b.role, &b.scope)));
    list.written.show(&all, console, |all, paint| output::assignments(all, paint))
}
