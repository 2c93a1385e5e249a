//! What is run: of the image, and of what the group says instead.

use std::collections::BTreeMap;

use boltseal_orchestrator::{
    Leaf,
    document::Item,
    workload::{Container, EnvKind},
};

use super::{Image, Variables, make::Notes};

/// Where programs are looked for where neither image nor group says so.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The group's command replaces the image's entry point and what it is given, as in Azure Container Instances.
pub(super) fn command(one: &Container, seen: Option<&Image>, notes: &mut Notes) -> Vec<String> {
    if let Some(command) = texts(&one.command, notes).filter(|command| !command.is_empty()) {
        return command.into_iter().chain(texts(&one.args, notes).unwrap_or_default()).collect();
    }
    let Some(seen) = seen else { return Vec::new() };
    let command: Vec<String> = seen.config.entrypoint.iter().chain(&seen.config.command).cloned().collect();
    if command.is_empty() {
        notes.refuse(
            &one.place,
            format!("the image {} names no program, and the group no command", seen.name),
        );
    }
    command
}

fn texts(leaf: &Leaf<Vec<Item>>, notes: &mut Notes) -> Option<Vec<String>> {
    let items = notes.known(leaf)?;
    Some(items.iter().filter_map(|item| notes.known(&item.value).cloned()).collect())
}

/// The image's variables, and over them the group's; and the names of those whose values are secret.
pub(super) fn env(one: &Container, seen: Option<&Image>, notes: &mut Notes) -> (Variables, Vec<String>) {
    let mut env = BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]);
    let said = seen.map_or(&[][..], |seen| &seen.config.env);
    env.extend(
        said.iter()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let mut secrets = Vec::new();
    for variable in &one.env {
        let name = &variable.name;
        if name.is_empty() || name.contains(['=', '\0']) {
            notes.refuse(&variable.place, format!("`{name}` is no name of a variable"));
            continue;
        }
        match &variable.kind {
            EnvKind::Plain(value) => {
                if let Some(value) = notes.known(value) {
                    env.insert(name.clone(), value.clone());
                }
            }
            EnvKind::Secret | EnvKind::SecretReference(_) | EnvKind::Other => secrets.push(name.clone()),
        }
    }
    (Variables(env), secrets)
}

/// Where it starts.
pub(super) fn working_dir(seen: Option<&Image>) -> String {
    let said = seen.map(|seen| seen.config.working_dir.as_str()).filter(|folder| folder.starts_with('/'));
    said.unwrap_or("/").to_owned()
}
