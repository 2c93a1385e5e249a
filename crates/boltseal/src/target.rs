//! The image a command is about, and the time it is judged at.

use std::{io::Read as _, path::PathBuf};

use boltseal_flow::{Cache, Error, Looking, Wanted, base::built_on, rules::Rules, vex::Beliefs};
use boltseal_model::{Base, Platform, Report, Timestamp};

use boltseal_scan::vex::Applied;

use crate::{
    cli::Global,
    commands::image::place::Connection,
    console::Console,
    exit::Failure,
    given,
    output::paint::{clean, count},
    progress::LayerBar,
};

/// Bytes of a password on standard input; longer ones are a mistake.
const MAX_PASSWORD: u64 = 64 << 10;
/// Statements that count for nothing, told one by one.
const MAX_TOLD: usize = 20;

/// Which image, and how to reach it.
#[derive(Debug, clap::Args)]
pub struct Target {
    /// The image: `docker://HOST/REPOSITORY[:TAG]`, `oci:FOLDER[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE`,
    /// `dir:FOLDER`, `rootfs:FOLDER`, or a bare path or reference
    #[arg(value_name = "TARGET")]
    image: String,
    /// Which image of a multi-platform one, as os/architecture[/variant] [default: linux on this machine]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// Name to sign in to the registry with; the password comes on standard input
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Let the registry speak HTTP without TLS
    #[arg(long)]
    plain_http: bool,
    /// PEM file of the authority that vouches for the registry [default: as at the login]
    #[arg(long, value_name = "FILE", alias = "ca-file")]
    ca: Option<PathBuf>,
    /// Read every layer, also those that were read before
    #[arg(long)]
    no_cache: bool,
    /// Fetch only the files that name packages from layers in a registry that have a table of contents (eStargz,
    /// zstd:chunked). Their digests are not checked, nobody looks for secrets, and the report says so
    #[arg(long, conflicts_with_all = ["secret_rules", "malware_hashes"])]
    lazy: bool,
    /// Find secrets by the rules of this file too, in the format of gitleaks (`.gitleaks.toml`)
    #[arg(long, value_name = "FILE")]
    secret_rules: Option<PathBuf>,
    /// Tell files whose SHA-256 stands in this file: `HASH [NAME]`, a line each
    #[arg(long, value_name = "FILE")]
    malware_hashes: Option<PathBuf>,
}

impl Target {
    /// Another image, read in the same way. Not with the same name and password: those are for the registry of this one.
    pub fn beside(&self, image: &str) -> Self {
        Self {
            image: image.to_owned(),
            platform: self.platform.clone(),
            username: None,
            plain_http: self.plain_http,
            ca: self.ca.clone(),
            no_cache: self.no_cache,
            lazy: false,
            secret_rules: self.secret_rules.clone(),
            malware_hashes: self.malware_hashes.clone(),
        }
    }

    /// Calls `hop` with this target, showing progress.
    pub fn open(
        &self,
        global: &Global,
        console: &Console,
        hop: impl FnOnce(&Wanted<'_>) -> Result<Report, Error>,
    ) -> Result<Report, Failure> {
        let bar = LayerBar::new(console);
        // As whoever logged in there, like every command about images.
        let connection = Connection::new(self.username.clone(), self.plain_http, self.ca.clone());
        let mut options = connection.options(&self.image, self.platform.as_ref(), global)?;
        options.progress = Some(&bar);
        options.lazy = self.lazy;
        let finder = self.secret_rules.as_deref().map(given::finder).transpose()?;
        let malware = self.malware_hashes.as_deref().map(given::hashes).transpose()?;
        let looking = Looking { finder: finder.as_ref(), malware: malware.as_ref(), ..Looking::default() };
        // What was remembered was seen by other eyes.
        let no_cache = self.no_cache || !looking.is_default();
        let cache = if no_cache { None } else { Some(Cache::at(&given::data(global)?)) };
        let (target, cache) = (self.image.as_str(), cache.as_ref());
        Ok(hop(&Wanted { target, options: &options, cache, looking })?)
    }
}

/// Not an argument: those are seen by everyone on the machine.
pub fn password() -> Result<String, Failure> {
    let mut password = String::new();
    std::io::stdin().take(MAX_PASSWORD).read_to_string(&mut password).map_err(|wrong| {
        Failure::usage(format_args!("cannot read the password from standard input: {wrong}"))
    })?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

/// Which statements about findings are believed.
#[derive(Debug, clap::Args)]
pub struct Vex {
    /// VEX document to believe (OpenVEX, CSAF, CycloneDX), or folder of a VEX repository; may be given more than once.
    /// What does no harm is counted and listed apart
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,
    /// Also believe VEX documents attached to the image in its registry. Everybody who may push may attach
    #[arg(long)]
    vex_referrers: bool,
}

impl Vex {
    /// Reads what was given.
    pub fn read(&self) -> Result<Beliefs, Failure> {
        Ok(Beliefs::read(&self.vex, self.vex_referrers)?)
    }
}

/// Signatures that are given besides those that are attached to the image.
#[derive(Debug, clap::Args)]
pub struct Signed {
    /// Signature or attestation of the image: a bundle of sigstore (`cosign sign --bundle FILE`) or an envelope of Notary Project; may be given more than
    /// once. Those that lie beside the image in its registry or layout count anyway, where the policy asks for any
    #[arg(long, value_name = "FILE")]
    signature: Vec<PathBuf>,
}

impl Signed {
    /// Adds to `report` what is signed about the image, if `rules` ask for that.
    pub fn witness(
        &self,
        rules: &Rules,
        wanted: &Wanted<'_>,
        report: &mut Report,
        now: Timestamp,
        console: &Console,
    ) -> Result<(), Error> {
        boltseal_flow::statements::witness(wanted, &self.signature, rules, report, now)?;
        for document in report.vex.iter().take(MAX_TOLD) {
            if let Some(why) = &document.refused {
                console.warning(format_args!("VEX in {}: not counted: {}", document.place, clean(why)));
            }
        }
        Ok(())
    }
}

/// Images that the image may be built on, where no registry is there to tell.
#[derive(Debug, clap::Args)]
pub struct Bases {
    /// Image that this one may be built on, for rules about base images: told by its layers, and believed to come from where it
    /// is read. May be given several times
    #[arg(long, value_name = "REF")]
    base: Vec<String>,
}

impl Bases {
    /// Adds to `report` which of them it is built on, if `rules` ask for that.
    pub fn witness(
        &self,
        rules: &Rules,
        target: &Target,
        report: &mut Report,
        global: &Global,
        console: &Console,
    ) -> Result<(), Failure> {
        if !self.base.is_empty() && !rules.policy.asks_for_bases() {
            console.warning("--base changes nothing: the policy has no rule about base images");
            return Ok(());
        }
        let mut found = Vec::new();
        for text in &self.base {
            let below = target.beside(text).open(global, console, boltseal_flow::sbom)?;
            let Some(layers) = built_on(&report.layers, &below.layers) else {
                console.warning(format_args!("it is not built on {text}: its layers begin otherwise"));
                continue;
            };
            let digest = below.subject.digest.ok_or_else(|| {
                Failure::usage(format_args!("{text} has no digest, by which a policy could name it"))
                    .next("name the base as it is in its registry, or in an OCI layout")
            })?;
            let names = below.subject.name.into_iter().collect();
            found.push(Base { digest, indexes: Vec::new(), names, layers: layers as u64 });
        }
        // The nearest first, as registries tell them.
        found.sort_by_key(|base| std::cmp::Reverse(base.layers));
        if !found.is_empty() {
            report.bases = Some(found);
        }
        Ok(())
    }
}

/// Applies `beliefs` to `report`, and tells what came of it.
pub fn believe(
    beliefs: &Beliefs,
    wanted: &Wanted<'_>,
    report: &mut Report,
    console: &Console,
) -> Result<(), Error> {
    if beliefs.is_empty() {
        return Ok(());
    }
    let outcome = beliefs.apply(wanted.options, report)?;
    let Applied { set_aside, annotated, claims, unused } = outcome.applied;
    console.note(format_args!(
        "{}, {}: {} set aside, {annotated} noted; {unused} about nothing that was found",
        count(outcome.documents, "VEX document"),
        count(claims, "statement"),
        count(set_aside, "finding"),
    ));
    for why in outcome.unsound.iter().take(MAX_TOLD) {
        console.warning(format_args!("VEX counts for nothing: {}", clean(why)));
    }
    if let Some(more) = outcome.unsound.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
        console.warning(format_args!("VEX counts for nothing: {more} more"));
    }
    Ok(())
}

/// The time that ages and grace periods are measured at.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Clock {
    /// Take this moment (RFC 3339) for now, so that the same output can be made again
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl Clock {
    /// Now, unless told otherwise.
    pub fn now(self) -> Timestamp {
        self.at.unwrap_or_else(Timestamp::now)
    }
}
