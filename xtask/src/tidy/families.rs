//! A family's `ALL` list equals its folder: no member forgotten, none left behind.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result};

/// Where a family lives, and the file whose list must name every member.
struct Family {
    folder: &'static str,
    list: &'static str,
    /// Text that starts the list, and text that ends it.
    within: (&'static str, &'static str),
    /// Modules of the folder that are not members; its front page says what they are.
    not_members: &'static [&'static str],
}

const FAMILIES: &[Family] = &[
    Family {
        folder: "crates/ecosystem/src",
        list: "crates/ecosystem/src/lib.rs",
        within: ("pub const ALL: &[&dyn Ecosystem]", "];"),
        not_members: &[
            "catalog",
            "accounted",
            "distro",
            "dotted",
            "executable",
            "files",
            "lock",
            "origin",
            "outline",
            "owner",
            "purl",
            "selector",
            "semver",
            "shell",
            "unzip",
            "word",
        ],
    },
    Family {
        folder: "crates/feed/src/format",
        list: "crates/feed/src/format.rs",
        within: ("pub const ALL: &[&dyn Format]", "];"),
        not_members: &["csv"],
    },
    Family {
        folder: "crates/scan/src/format",
        list: "crates/scan/src/format/mod.rs",
        within: ("pub const ALL: &[Format]", "];"),
        not_members: &["identity", "license", "notice"],
    },
    Family {
        folder: "crates/boltseal/src/commands",
        list: "crates/boltseal/src/commands/mod.rs",
        within: ("pub enum Command {", "\n}"),
        not_members: &[],
    },
    Family {
        folder: "xtask/src/tidy",
        list: "xtask/src/tidy/mod.rs",
        within: ("const ALL: &[Rule]", "];"),
        not_members: &[],
    },
];

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for family in FAMILIES {
        let text = super::read(&root.join(family.list))?;
        let (start, end) = family.within;
        let list = text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(list, _)| list);
        let Some(list) = list else {
            found.push(format!("{}: no list that starts `{start}`", family.list));
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
