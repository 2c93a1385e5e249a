//! Lists that stand in for the database in distroless images of Azure Linux, which have no rpm.
//!
//! `container-manifest-2` is the output of `rpm -qa` with ten columns: name, version-release, times of installation and
//! build, vendor, epoch, size, architecture, epoch as a number, source package. `container-manifest-1` has names only
//! (`bash-5.1.8-1.cm2.x86_64`); it is read where the other is missing.

use boltseal_model::{File, Tree};

use super::installed::{Installed, Listed};

const FOLDER: &str = "var/lib/rpmmanifest/";
const NAMES: [&str; 2] = ["container-manifest-2", "container-manifest-1"];

pub(super) fn is(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|name| NAMES.contains(&name))
}

/// The better of the two.
pub(super) fn find(tree: &Tree) -> Option<(&str, &File)> {
    let by_name = |name: &str| tree.files.get_key_value(format!("{FOLDER}{name}").as_str());
    NAMES.iter().find_map(|name| by_name(name)).map(|(path, file)| (&**path, file))
}

/// Every package of the manifest at `path`, and the first thing that is wrong with it.
pub(super) fn read(path: &str, content: &[u8]) -> Listed {
    let whole = path.ends_with('2');
    let (mut packages, mut problem) = (Vec::new(), None);
    for (index, line) in String::from_utf8_lossy(content).lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let read = if whole { columns(line) } else { name(line.trim()) };
        match read.ok_or("it does not name a package and its version").and_then(Installed::checked) {
            Ok(installed) if installed.is_key() => {}
            Ok(installed) => packages.push(installed),
            Err(why) => _ = problem.get_or_insert_with(|| format!("line {}: {why}", index + 1)),
        }
    }
    (packages, problem)
}

fn columns(line: &str) -> Option<Installed> {
    let columns: Vec<&str> = line.split('\t').collect();
    let column =
        |index: usize| columns.get(index).copied().filter(|text| *text != "(none)").unwrap_or_default();
    let (version, release) = column(1).rsplit_once('-')?;
    Some(Installed {
        name: column(0).to_owned(),
        epoch: column(5).parse().or_else(|_| column(8).parse()).unwrap_or_default(),
        version: version.to_owned(),
        release: release.to_owned(),
        architecture: column(7).to_owned(),
        source: column(9).to_owned(),
        vendor: column(4).to_owned(),
        ..Installed::default()
    })
}

fn name(line: &str) -> Option<Installed> {
    let (rest, architecture) = line.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(Installed {
        name: name.to_owned(),
        version: version.to_owned(),
        release: release.to_owned(),
        architecture: architecture.to_owned(),
        ..Installed::default()
    })
}
