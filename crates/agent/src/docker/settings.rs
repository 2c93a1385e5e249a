//! What this host allows beyond the sealed default, in a file that its administrator writes.

use boltseal_model::{Decision, Reference};
use serde::Deserialize;

use super::opening::Opening;

/// All but the version may be left out.
///
/// ```yaml
/// version: 1
/// unknown: deny            # images that nobody judged: deny, warn or allow
/// registries:              # where images may be pulled from; none given: anywhere, since nothing runs unjudged
///   - registry.example.com/team
/// openings:                # what containers may ask for
///   - network=host
///   - mount=/srv/data
/// build: deny              # builds run code that nobody judged
/// plugins: deny            # plugins of the engine run as root
/// unrecorded: deny         # what is done while the log cannot be reached
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    version: u32,
    #[serde(default)]
    unknown: Unknown,
    #[serde(default)]
    registries: Vec<String>,
    #[serde(default)]
    openings: Vec<String>,
    #[serde(default)]
    pub(super) build: Allowed,
    #[serde(default)]
    pub(super) plugins: Allowed,
    #[serde(default)]
    pub(super) unrecorded: Allowed,
}

/// Of images that nobody judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unknown {
    #[default]
    Deny,
    /// Allowed, and recorded as such.
    Warn,
    Allow,
}

/// Of other things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Allowed {
    #[default]
    Deny,
    Allow,
}

/// Why a file of settings is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no YAML, or has other names or kinds than settings have.
    #[error("the settings are no YAML of the right shape: {0}")]
    Syntax(String),
    /// A version of tomorrow.
    #[error("version {0} of the settings is not known: write `version: 1`")]
    Version(u32),
    /// A misspelt opening would open nothing, and nobody would know why.
    #[error(
        "`{0}` names no opening: write such as `network=host`, `capability=NET_ADMIN` or `mount=/srv/data`"
    )]
    Opening(String),
    /// Hosts have a dot, a colon, or are `localhost`.
    #[error("`{0}` is no registry, or registry and path: write such as `registry.example.com/team`")]
    Registry(String),
}

/// Names that openings have, and whether they have a value.
const OPENINGS: [(&str, bool); 19] = [
    ("privileged", false),
    ("network", true),
    ("pid", true),
    ("ipc", true),
    ("uts", true),
    ("userns", true),
    ("cgroupns", true),
    ("capability", true),
    ("security-opt", true),
    ("device", true),
    ("device-rule", true),
    ("device-request", true),
    ("unmasked", true),
    ("runtime", true),
    ("cgroup-parent", true),
    ("sysctl", true),
    ("mount", true),
    ("volume-driver", true),
    ("volume-device", true),
];

impl Default for Settings {
    /// Everything sealed.
    fn default() -> Self {
        Self {
            version: 1,
            unknown: Unknown::Deny,
            registries: Vec::new(),
            openings: Vec::new(),
            build: Allowed::Deny,
            plugins: Allowed::Deny,
            unrecorded: Allowed::Deny,
        }
    }
}

impl Settings {
    /// Reads a file.
    pub fn read(text: &str) -> Result<Self, Error> {
        let settings: Self =
            serde_saphyr::from_str(text).map_err(|error| Error::Syntax(error.to_string()))?;
        if settings.version != 1 {
            return Err(Error::Version(settings.version));
        }
        for text in &settings.openings {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            if !OPENINGS.contains(&(name, !value.is_empty())) {
                return Err(Error::Opening(text.clone()));
            }
        }
        for text in &settings.registries {
            let whole: Result<Reference, _> = format!("{}/x", text.trim_end_matches('/')).parse();
            let is_host = |text: &str| text.contains(['.', ':']) || text == "localhost";
            if whole.is_err() || !is_host(text.split('/').next().unwrap_or_default()) {
                return Err(Error::Registry(text.clone()));
            }
        }
        Ok(settings)
    }

    /// Whether containers may ask for it.
    pub fn opens(&self, opening: &Opening) -> bool {
        self.openings.iter().any(|allowed| match (opening.name, allowed.strip_prefix("mount=")) {
            ("mount", Some(root)) => is_below(&opening.value, root),
            _ => opening.to_string() == *allowed,
        })
    }

    /// Whether images may be pulled from there: whole segments of host and path.
    pub fn pulls(&self, image: &Reference) -> bool {
        self.registries.is_empty() || self.registries.iter().any(|allowed| is_below(&image.name(), allowed))
    }

    /// What is done with an image that nobody judged.
    pub const fn of_unknown(&self) -> Decision {
        match self.unknown {
            Unknown::Deny => Decision::Unknown,
            Unknown::Warn => Decision::Warn,
            Unknown::Allow => Decision::Allow,
        }
    }
}

/// Whether a path is `root` or below it. One that goes up is below nothing.
fn is_below(path: &str, root: &str) -> bool {
    let root = root.trim_end_matches('/');
    let rest = path.strip_prefix(root);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        && !path.split('/').any(|part| part == "..")
}
