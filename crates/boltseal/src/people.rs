//! What users, service principals, groups and tokens have in common: the same resource of the API.

use boltseal_api::{
    access::{Assignment, Kind, Made, NewPrincipal, Principal, PrincipalChange},
    client::{self, Client},
};
use boltseal_model::Timestamp;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    output::{Written, access as output},
    reach::{path, query},
};

/// Lists those of one kind.
pub fn list(client: &Client, kind: Kind, written: Written, console: &Console) -> Result<Exit, Failure> {
    let all = all(client, kind)?;
    let now = Timestamp::now();
    written.show(&all, console, |all, paint| match kind {
        Kind::Group => output::groups(all, now, paint),
        _ => output::principals(all, now, paint),
    })?;
    Ok(Exit::Pass)
}

fn all(client: &Client, kind: Kind) -> Result<Vec<Principal>, Failure> {
    let mut all: Vec<Principal> = client.get(&query(&["principals"], &[("kind", Some(word(kind)))]))?;
    all.retain(|principal| principal.kind == kind);
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// The word for a kind in a query.
const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::ServicePrincipal => "service-principal",
        Kind::Group => "group",
        Kind::Workload => "workload",
        Kind::Token => "token",
    }
}

/// The one with this name, if it is of this kind: a group is not shown as a user.
pub fn named(client: &Client, kind: Kind, name: &str) -> Result<Principal, Failure> {
    let found: Principal = client.get(&path(&["principals", name]))?;
    if found.kind == kind {
        return Ok(found);
    }
    let (is, wanted) = (output::kind(found.kind), output::kind(kind));
    Err(Failure::usage(format_args!("{} is a {is}, not a {wanted}", found.name)))
}

/// Shows one, with its roles as far as they may be seen.
pub fn show(
    client: &Client,
    kind: Kind,
    name: &str,
    written: Written,
    console: &Console,
) -> Result<Exit, Failure> {
    let found = named(client, kind, name)?;
    let held: Result<Vec<Assignment>, client::Error> =
        client.get(&query(&["role-assignments"], &[("principal", Some(&found.name))]));
    let held = match held {
        Ok(held) => held,
        Err(wrong) if wrong.status() == Some(403) => {
            console.note("you may not see roles, so they are not shown");
            Vec::new()
        }
        Err(wrong) => return Err(wrong.into()),
    };
    let now = Timestamp::now();
    written.show(&found, console, |found, paint| output::principal(found, &held, now, paint))?;
    Ok(Exit::Pass)
}

/// Makes one, and shows what is shown only now.
pub fn create(
    client: &Client,
    new: &NewPrincipal,
    written: Written,
    console: &Console,
) -> Result<Exit, Failure> {
    let made: Made = client.post(&path(&["principals"]), new)?;
    if made.secret.is_some() {
        console.note("the secret is shown now and never again");
    }
    written.show(&made, console, |made, _| output::made(made, client.address()))?;
    Ok(Exit::Pass)
}

/// Changes the one with this name, if it is of this kind.
pub fn change(client: &Client, kind: Kind, name: &str, change: &PrincipalChange) -> Result<Exit, Failure> {
    let found = named(client, kind, name)?;
    client.change(&path(&["principals", &found.name]), change)?;
    Ok(Exit::Pass)
}

/// Deletes the one with this name, if it is of this kind.
pub fn delete(client: &Client, kind: Kind, name: &str) -> Result<Exit, Failure> {
    let found = named(client, kind, name)?;
    client.delete(&path(&["principals", &found.name]))?;
    Ok(Exit::Pass)
}
