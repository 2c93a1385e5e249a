//! The scanners, and how many packages and findings their output has.

use std::{collections::HashSet, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::process::{boltseal, on_path};

/// A program that lists what an image holds.
pub struct Scanner {
    pub name: &'static str,
    program: String,
    /// With `{}` where the folder of the image's layout goes.
    arguments: Vec<String>,
    count: fn(&Value) -> Option<(usize, Option<usize>)>,
}

/// Ours (`binary`, or the release build), with the feeds that there are, and those on PATH.
pub fn scanners(folder: &Path, binary: Option<String>) -> Result<Vec<Scanner>> {
    let ours = binary.map_or_else(boltseal, Ok)?;
    let data = folder.join("data").display().to_string();
    import(&ours, &data)?;
    let packages = ["sbom", "oci:{}", "--no-cache", "--format", "json", "--data", &data];
    let everything = ["scan", "oci:{}", "--no-cache", "--format", "json", "--data", &data];
    let mut all = vec![
        scanner("sbom", &ours, &packages, |report| Some((report["packages"].as_array()?.len(), None))),
        scanner("scan", &ours, &everything, |report| {
            Some((report["packages"].as_array()?.len(), Some(report["findings"].as_array()?.len())))
        }),
    ];
    let others: [(&'static str, &[&str], fn(&Value) -> Option<(usize, Option<usize>)>); 3] = [
        ("syft", &["scan", "oci-dir:{}", "-q", "-o", "json"], |report| {
            Some((report["artifacts"].as_array()?.len(), None))
        }),
        ("trivy", &["image", "-q", "--input", "{}", "--format", "cyclonedx", "--offline-scan"], |report| {
            // Operating system and files are components too.
            let components = report["components"].as_array()?;
            Some((components.iter().filter(|one| one["type"] == "library").count(), None))
        }),
        ("grype", &["oci-dir:{}", "-q", "-o", "json"], |report| {
            let matches = report["matches"].as_array()?;
            let packages: HashSet<&str> =
                matches.iter().filter_map(|one| one["artifact"]["id"].as_str()).collect();
            Some((packages.len(), Some(matches.len())))
        }),
    ];
    for (name, arguments, count) in others {
        match on_path(name) {
            Some(program) => all.push(scanner(name, &program, arguments, count)),
            None => println!("skipped: no {name} on PATH to compare with"),
        }
    }
    Ok(all)
}

fn scanner(
    name: &'static str,
    program: &str,
    arguments: &[&str],
    count: fn(&Value) -> Option<(usize, Option<usize>)>,
) -> Scanner {
    let arguments = arguments.iter().map(|&word| word.to_owned()).collect();
    Scanner { name, program: program.to_owned(), arguments, count }
}

impl Scanner {
    /// The command line that reads the image in `layout`.
    pub fn command(&self, layout: &Path) -> Vec<String> {
        let layout = layout.display().to_string();
        let arguments = self.arguments.iter().map(|word| word.replace("{}", &layout));
        std::iter::once(self.program.clone()).chain(arguments).collect()
    }

    /// Packages and findings in what `command` prints.
    pub fn count(&self, command: &[&str]) -> Result<(usize, Option<usize>)> {
        let (program, arguments) = command.split_first().context("no command")?;
        let output = Command::new(program).args(arguments).output()?;
        let report: Value = match serde_json::from_slice(&output.stdout) {
            Ok(report) => report,
            Err(_) => {
                let said = String::from_utf8_lossy(&output.stderr);
                bail!("failed: {}", said.lines().last().unwrap_or_default())
            }
        };
        (self.count)(&report).context("its output has another form than this bench knows")
    }
}

fn import(program: &str, data: &str) -> Result<()> {
    let Some(native) = boltseal_testkit::shared("data/vulns/native") else {
        println!("skipped: no ../shared, so there are no feeds and no findings");
        return Ok(());
    };
    let tracker = native.join("debian/tracker-bookworm-from-changelogs.json.zst");
    let status = Command::new(program).args(["feeds", "import", "--data", data]).arg(tracker).status()?;
    ensure!(status.success(), "feeds import failed");
    Ok(())
}
