//! What Boltseal costs: `cargo run --release --manifest-path bench/Cargo.toml -- BENCH [ARGUMENT…]`.
//!
//! Every bench prints the machine first, then one line a figure: minimum, median and maximum of several runs, CPU time
//! before wall time, because CPU time says more on a busy machine. Where a peer program is on PATH it runs in the same
//! session, and the ratio stands beside. Benches never fail on a slow machine: they report, people judge.
//!
//! The bars they are held against are those of the design: a cold scan of a 415 MB Debian image within 1.3 s of CPU and
//! 64 MB, a snapshot open in 2 ms, 10,000 catalogs matched anew within a second, 15,000 manifests a second.

mod access;
mod audit;
mod corpus;
mod figures;
mod inventory;
mod log;
mod machine;
mod matching;
mod network;
mod policy;
mod process;
mod registry;
mod rejudging;
mod running;
mod scan;
mod trust;
mod unpack;

use anyhow::{Result, bail};

/// A bench: its name, what it measures, and the function that runs it with the rest of the arguments.
type Bench = (&'static str, &'static str, fn(&[String]) -> Result<()>);

const ALL: &[Bench] = &[
    ("match", "feed build, snapshot open, 1,000 packages, 10,000 catalogs: match [TIMES]", matching::run),
    ("rejudge", "10,000 stored images judged again after new feeds", rejudging::run),
    (
        "scan",
        "scan of an image: cold, cached, on a known base, lazy; beside the physical limit and syft: scan [--binary FILE] [oci:DIR]",
        scan::run,
    ),
    (
        "corpus",
        "images of many kinds, beside syft, trivy and grype: corpus [FOLDER] [--only NAME] [--binary FILE]",
        corpus::run,
    ),
    ("log", "audit log: durable appends, proofs and verification at 10 M entries: log [ENTRIES]", log::run),
    ("audit", "the log in a server: 64 clients, durable records, and how soon they are sealed", audit::run),
    ("policy", "decisions: typed rules, a rule in CEL, an admission policy; counted CPU", policy::run),
    ("trust", "signatures: a bundle, keyless, Notary Project, beside the bare check", trust::run),
    (
        "running",
        "containers from start to end, beside runc and podman; what one costs that rests: running [--groups N] [IMAGE]",
        running::run,
    ),
    ("unpack", "layers into folders, beside tar; roots mounted of them: unpack [oci:DIR]", unpack::run),
    ("inventory", "who has a vulnerability, of 10,000 images and 1,000 containers", inventory::run),
    ("admission", "reviews of pods at 500 a second: admission [--binary FILE]", registry::admission::run),
    (
        "freshness",
        "how soon a verdict turns after a policy, feeds or a signature changed: freshness [--binary FILE]",
        registry::freshness::run,
    ),
    ("network", "groups: rules and what they cost, as root in namespaces of its own", network::run),
    ("access", "decisions at 10,000 assignments, however they lie", access::run),
    ("registry", "the registry beside docker-registry: registry [--quick] [--only NAME]", registry::run),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((name, rest)) if name == process::SUPERVISE => process::supervise(rest),
        Some((name, rest)) if name == unpack::ONCE => unpack::once(rest),
        Some((name, rest)) if name == scan::limit::LIMIT => scan::limit::work(rest),
        Some((name, rest)) => match ALL.iter().find(|(known, ..)| known == name) {
            Some((_, _, bench)) => {
                machine::print();
                bench(rest)
            }
            None => bail!("no bench `{name}`: {}", names()),
        },
        None => {
            for (name, about, _) in ALL {
                println!("{name:8} {about}");
            }
            Ok(())
        }
    }
}

fn names() -> String {
    ALL.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ")
}
