//! Decisions: who may do what, at 10,000 assignments, however they lie.
//!
//! Every figure is the mean of many decisions about many places, in nanoseconds: half of them are granted. The worst
//! lie of the land for an index by principal is one principal with everything; for one by scope, one scope with
//! everybody; for one by text, stars in the middle.

use std::{hint::black_box, time::Instant};

use anyhow::{Context as _, Result};
use boltseal_identity::{
    Action, Directory, Document, Principal, PrincipalId, PrincipalKind, Role, Scope, kind,
};
use boltseal_model::Timestamp;
use serde_json::json;

use crate::figures::Figures;

const ASSIGNMENTS: u32 = 10_000;
const DECISIONS: u32 = 200_000;
const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// The number of the last principal, who is in many groups.
const JOINER: u32 = 20_000;

pub fn run(_: &[String]) -> Result<()> {
    let spread = |n: u32| (n, format!("/registries/main/repositories/team{}/app{n}", n % 100));
    let one = |n: u32| (0, spread(n).1);
    let crowd = |n: u32| (n, "/registries/main".to_owned());
    let starred = |n: u32| (0, format!("/registries/*/repositories/team{}/app{n}", n % 100));
    let bench = |name: &str, lie: &dyn Fn(u32) -> (u32, String), groups: u32| -> Result<()> {
        let began = Instant::now();
        let directory = directory(lie, groups)?;
        let built = began.elapsed().as_secs_f64() * 1e3;
        decide(&format!("{name} (bar 1000)"), &directory, lie, groups)?;
        println!("{:44} {built:>10.2} ms", "… read and compiled in");
        Ok(())
    };
    bench("10,000 over 10,000 principals", &spread, 0)?;
    bench("10,000 of one principal", &one, 0)?;
    bench("10,000 at one scope", &crowd, 0)?;
    bench("10,000 of one principal, with a star", &starred, 0)?;
    bench("10,000 over 100 groups of one principal", &|n| (JOINER + 1 + n % 100, spread(n).1), 100)?;
    Ok(())
}

fn who(number: u32) -> PrincipalId {
    PrincipalId(format!("00000000-0000-4000-8000-{number:012x}").parse().unwrap_or_default())
}

fn directory(lie: &dyn Fn(u32) -> (u32, String), groups: u32) -> Result<Directory> {
    let pull = Role::built_in().iter().find(|role| role.name == "AcrPull").context("AcrPull")?.id;
    let mut documents = Vec::new();
    let mut principal = |number: u32, kind: PrincipalKind, members: Vec<PrincipalId>| -> Result<()> {
        let mut principal = Principal::new(who(number), kind, format!("p{number}").parse()?);
        principal.members = members.into_iter().collect();
        documents.push(document(kind::PRINCIPAL, principal.id, serde_json::to_value(&principal)?));
        Ok(())
    };
    (0..ASSIGNMENTS).chain([JOINER]).try_for_each(|n| principal(n, PrincipalKind::User, Vec::new()))?;
    (0..groups).try_for_each(|n| principal(JOINER + 1 + n, PrincipalKind::Group, vec![who(JOINER)]))?;
    for number in 0..ASSIGNMENTS {
        let (to, scope) = lie(number);
        let id = who(1_000_000 + number);
        let body = json!({
            "id": id, "principal": who(to), "role": pull, "scope": scope, "created": NOW, "by": PrincipalId::SYSTEM,
        });
        documents.push(document(kind::ASSIGNMENT, id, body));
    }
    Ok(Directory::from_documents(documents)?)
}

fn document(kind: &str, id: PrincipalId, body: serde_json::Value) -> Document {
    Document { kind: kind.to_owned(), id: id.to_string(), body: body.to_string() }
}

/// Asks about every assignment in turn, and each time about its neighbour too, which is not granted unless all are.
fn decide(name: &str, directory: &Directory, lie: &dyn Fn(u32) -> (u32, String), groups: u32) -> Result<()> {
    let questions: Vec<(PrincipalId, Scope)> = (0..ASSIGNMENTS)
        .map(|number| {
            let (to, scope) = lie(number);
            let scope = scope.replace('*', "main");
            let scope = if number % 2 == 0 { format!("{scope}/x") } else { format!("{scope}y/x") };
            let asker = if groups > 0 { JOINER } else { to };
            Ok((who(asker), scope.parse()?))
        })
        .collect::<Result<_>>()?;
    let mut figures = Figures::default();
    let mut granted = 0_u32;
    for _ in 0..15 {
        granted = 0;
        let began = Instant::now();
        for (asker, scope) in questions.iter().cycle().take(DECISIONS as usize) {
            let decision = directory.decide(*asker, Action::ContentRead, black_box(scope), NOW);
            granted += u32::from(black_box(decision).is_granted());
        }
        figures.push(began.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS));
    }
    figures.print(name, "ns");
    anyhow::ensure!(granted > 0, "nothing was granted");
    Ok(())
}
