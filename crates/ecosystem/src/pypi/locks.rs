//! What Python projects pin: `requirements.txt`, `Pipfile.lock`, `poetry.lock`, `pdm.lock`, `uv.lock`, `pylock.toml`.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::requirements;
use crate::lock::{Lock, Pin, Reader, file_end, file_name, list, members, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    let name = file_name(path);
    match name {
        "Pipfile.lock" => Some(pipfile),
        "poetry.lock" => Some(poetry),
        "pdm.lock" => Some(pdm),
        "uv.lock" => Some(uv),
        _ if name.starts_with("pylock.") && file_end(name) == Some("toml") => Some(pylock),
        _ => requirements::is_one(path).then_some(requirements::read),
    }
}

/// Pipenv: groups `default` and `develop`, versions written `==1.0`; a commit of a repository has none.
fn pipfile(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    for (group, development) in [("default", false), ("develop", true)] {
        out.extend(members(&file, group).map(|(name, package)| {
            Pin::new(name, text(package, "version").trim_start_matches('=')).only_for(development)
        }));
    }
    Ok(())
}

fn pin(package: &Value) -> Pin {
    Pin::new(text(package, "name"), text(package, "version"))
}

/// Poetry: `category` in lock files up to 1.1, `groups` since 2.0.
fn poetry(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    out.extend(list(&lock.toml()?, "package").map(|package| {
        let development = text(package, "category") == "dev" || only_in_other_groups(package, "main");
        pin(package).only_for(development)
    }));
    Ok(())
}

fn pdm(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    out.extend(list(&lock.toml()?, "package").map(|package| {
        let development = only_in_other_groups(package, "default");
        pin(package).only_for(development)
    }));
    Ok(())
}

fn only_in_other_groups(package: &Value, main: &str) -> bool {
    let mut groups = list(package, "groups").filter_map(Value::as_str).peekable();
    groups.peek().is_some() && groups.all(|group| group != main)
}

/// PEP 751. The project itself is listed as a folder, without a version.
fn pylock(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.toml()?;
    out.extend(list(&file, "packages").filter(|package| package.get("directory").is_none()).map(pin));
    Ok(())
}

/// uv: the project itself is a package whose source is a folder; what it does not need to run is for development.
fn uv(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.toml()?;
    let is_project = |package: &&Value| {
        let source = package.get("source");
        source.is_some_and(|source| source.get("virtual").is_some() || source.get("editable").is_some())
    };
    let mut needs: HashMap<&str, Vec<&str>> = HashMap::new();
    for package in list(&file, "package") {
        let direct = list(package, "dependencies");
        let extra =
            members(package, "optional-dependencies").filter_map(|(_, group)| group.as_array()).flatten();
        needs
            .entry(text(package, "name"))
            .or_default()
            .extend(direct.chain(extra).map(|need| text(need, "name")));
    }
    let mut todo: Vec<&str> = list(&file, "package").filter(is_project).map(|p| text(p, "name")).collect();
    let has_project = !todo.is_empty();
    let mut needed: HashSet<&str> = todo.iter().copied().collect();
    while let Some(name) = todo.pop() {
        let new = needs.get(name).into_iter().flatten().filter(|need| needed.insert(need));
        todo.extend(new);
    }
    let packages = list(&file, "package").filter(|package| !is_project(package));
    out.extend(packages.map(|package| {
        let development = has_project && !needed.contains(text(package, "name"));
        pin(package).only_for(development)
    }));
    Ok(())
}
