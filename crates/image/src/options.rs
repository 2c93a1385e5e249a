//! What the caller decides: platform, limits, credentials, and who hears about progress.

use std::{fmt, path::PathBuf};

use boltseal_model::{Digest, Platform};
use zeroize::Zeroizing;

use crate::{Extracts, Limits, unpack::Sink};

/// How to open an image. The default asks for this machine's platform and finds credentials where podman and Docker
/// keep them.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Options<'a> {
    /// Which image of a multi-platform index; without it, Linux on this machine's architecture.
    pub platform: Option<Platform>,
    /// How much to read.
    pub limits: Limits,
    /// For registries. Without it, `auth.json` and `config.json` of the user are looked at.
    pub credentials: Option<Credentials>,
    /// Lets registries that are not on this machine speak plain HTTP.
    pub plain_http: bool,
    /// A PEM file with certificate authorities that registries may use besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Hears how far reading is.
    pub progress: Option<&'a dyn Progress>,
    /// Asked with the digest of the image's manifest, checked: where it answers yes, layers are not read, and
    /// [`crate::Image::read`] is false. Images without a manifest (folders, Docker archives) are always read.
    pub known: Option<&'a (dyn Fn(&Digest) -> bool + Sync)>,
    /// What was kept of layers that were read before, with the same selector and by this same program: such layers are
    /// neither fetched nor read again.
    pub extracts: Option<&'a dyn Extracts>,
    /// Reads layers of registries by their table of contents, where they have one (eStargz, zstd:chunked) and few of their
    /// files are wanted. Less is fetched, and less is checked: each such layer is a gap of kind `layer-not-verified`.
    pub lazy: bool,
    /// Where layers are unpacked to, instead of being read for their files.
    pub(crate) unpacks: Option<&'a Sink<'a>>,
}

impl Options<'_> {
    /// The platform to look for in an index.
    pub(crate) fn wanted_platform(&self) -> Platform {
        self.platform.clone().unwrap_or_else(Platform::host)
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("platform", &self.platform)
            .field("limits", &self.limits)
            .field("credentials", &self.credentials)
            .field("plain_http", &self.plain_http)
            .field("ca_file", &self.ca_file)
            .field("lazy", &self.lazy)
            .finish_non_exhaustive()
    }
}

/// The user name that says that the password is a refresh token.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A name and a password for a registry. Printing it shows neither; memory is wiped.
#[derive(Clone)]
pub struct Credentials {
    pub(crate) username: String,
    pub(crate) password: Zeroizing<String>,
    /// What some registries exchange for tokens instead of a password.
    pub(crate) identity_token: Option<Zeroizing<String>>,
}

impl Credentials {
    /// Takes both as they are.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: Zeroizing::new(password.into()), identity_token: None }
    }

    /// A refresh token of a registry that takes one for a password, as ACR and ours do.
    pub fn of_refresh_token(token: impl Into<String>) -> Self {
        Self::new(NOBODY, token)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Hears how far reading is. Called from one thread at a time.
pub trait Progress: Sync {
    /// An image of `layers` layers starts; `bytes` as stored, where the manifest says so.
    fn begin(&self, layers: usize, bytes: Option<u64>);
    /// `bytes` more of the stored layers were read.
    fn advance(&self, bytes: u64);
    /// `layer` has a table of contents and is read whole all the same, and why.
    fn whole(&self, layer: &str, why: &str) {
        let _ = (layer, why);
    }
    /// All layers were read.
    fn end(&self);
}
