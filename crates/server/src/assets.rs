//! The style sheet, the script and the icon: in the binary, cached by browsers until their content changes.

use std::sync::LazyLock;

use boltseal_model::Digest;

/// A file that pages refer to.
pub(crate) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
    version: LazyLock<String>,
}

/// The style sheet.
pub(crate) static STYLE: Asset = Asset {
    name: "boltseal.css",
    media_type: "text/css; charset=utf-8",
    content: include_bytes!("../../../web/boltseal.css"),
    version: LazyLock::new(|| version(&STYLE)),
};

/// The script.
pub(crate) static SCRIPT: Asset = Asset {
    name: "boltseal.js",
    media_type: "text/javascript; charset=utf-8",
    content: include_bytes!("../../../web/boltseal.js"),
    version: LazyLock::new(|| version(&SCRIPT)),
};

/// The icon.
pub(crate) static SEAL: Asset = Asset {
    name: "seal.svg",
    media_type: "image/svg+xml",
    content: include_bytes!("../../../web/seal.svg"),
    version: LazyLock::new(|| version(&SEAL)),
};

/// Every asset.
static ALL: [&Asset; 3] = [&STYLE, &SCRIPT, &SEAL];

/// The asset called `name`.
pub(crate) fn by_name(name: &str) -> Option<&'static Asset> {
    ALL.into_iter().find(|asset| asset.name == name)
}

impl Asset {
    /// Path with the content's own name, so that a new content is a new address.
    pub(crate) fn address(&self) -> String {
        format!("/assets/{}?v={}", self.name, *self.version)
    }

    /// Bytes.
    pub(crate) const fn content(&self) -> &'static [u8] {
        self.content
    }

    /// For `Content-Type`.
    pub(crate) const fn media_type(&self) -> &'static str {
        self.media_type
    }
}

fn version(asset: &Asset) -> String {
    Digest::of(asset.content).short()
}
