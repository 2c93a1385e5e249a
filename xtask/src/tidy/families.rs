//! A family's `ALL` list equals its folder: no member forgotten, none left behind.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result};

/// Where a family lives, and the file whose list must name every member.
struct Family {
    folder: &'static str,
    list: &'static str,
    /// Text that starts the list.
    start: &'static str,
    /// Modules of the folder that are not members, each with its reason in the folder's front page.
    not_members: &'static [&'static str],
}

const FAMILIES: &[Family] = &[Family {
    folder: "xtask/src/tidy",
    list: "xtask/src/tidy/mod.rs",
    start: "const ALL: &[Rule]",
    not_members: &[],
}];

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for family in FAMILIES {
        let text = super::read(&root.join(family.list))?;
        let Some(list) =
            text.split_once(family.start).and_then(|(_, rest)| rest.split_once("];")).map(|(l, _)| l)
        else {
            found.push(format!("{}: no list that starts `{}`", family.list, family.start));
            continue;
        };
        for member in members(&root.join(family.folder))? {
            if !family.not_members.contains(&member.as_str()) && !names(list, &member) {
                found.push(format!("{}: `{member}` of {} is not in the list", family.list, family.folder));
            }
        }
    }
    Ok(found)
}

fn members(folder: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let member = if entry.file_type()?.is_dir() { Some(name.as_str()) } else { name.strip_suffix(".rs") };
        found.extend(member.filter(|m| !["mod", "lib", "main", "tests"].contains(m)).map(str::to_owned));
    }
    Ok(found)
}

/// Whether `list` names the module, as `module::` or as a type of that name in camel case.
fn names(list: &str, module: &str) -> bool {
    let camel: String = module
        .split('_')
        .filter_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect();
    list.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == module || word == camel)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_member_is_named_by_module_or_type() {
        assert!(names("[&debian::Debian, &pypi::PyPi]", "pypi"));
        assert!(names("[DebianTracker, Kev]", "debian_tracker"));
        assert!(!names("[&debian::Debian]", "alpine"));
    }
}
