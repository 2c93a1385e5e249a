//! Which machine an image is for: OCI image index, property `platform`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Operating system, architecture and variant in Go's words, as OCI uses them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …
    pub os: String,
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `v7` for 32-bit ARM, mostly absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// Linux on the architecture this binary was built for.
    pub fn host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64le",
            other => other,
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: None }
    }

    /// Whether an image made for `offered` satisfies a wish for `self`; no variant means any variant.
    pub fn accepts(&self, offered: &Self) -> bool {
        self.os == offered.os
            && self.architecture == offered.architecture
            && (self.variant.is_none() || self.variant == offered.variant || self.arm64_v8(offered))
    }

    fn arm64_v8(&self, offered: &Self) -> bool {
        self.architecture == "arm64" && self.variant.as_deref() == Some("v8") && offered.variant.is_none()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// The text is not `os/architecture[/variant]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: write os/architecture or os/architecture/variant, such as linux/arm64")]
pub struct PlatformError(String);

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture] | [os, architecture, _]
                if parts.iter().all(|part| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                }) =>
            {
                Ok(Self {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: parts.get(2).map(|v| (*v).to_owned()),
                })
            }
            _ => Err(PlatformError(text.chars().take(80).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_matches() {
        let wish: Platform = "linux/arm64/v8".parse().unwrap();
        assert!(wish.accepts(&"linux/arm64".parse().unwrap()));
        assert!(!wish.accepts(&"linux/amd64".parse().unwrap()));
        let any: Platform = "linux/arm".parse().unwrap();
        assert!(any.accepts(&"linux/arm/v7".parse().unwrap()));
        for bad in ["", "linux", "a/b/c/d", "linux/", "li nux/amd64"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad} was accepted");
        }
    }
}
