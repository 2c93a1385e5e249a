//! Any bytes: reading them as a Dockerfile never panics and never runs away, and neither does any check of what comes out;
//! every place that is named lies within the text.

use boltseal_orchestrator::{
    checks::{self, Options},
    pss::{Level, Version},
    read::read,
};

/// Reads `bytes` and checks what they say.
pub fn body(bytes: &[u8]) {
    let Ok(read) = read("Dockerfile", bytes) else { return };
    let breaks = bytes.split(|byte| *byte == b'\n').count();
    for finding in checks::run(&read, Options { level: Level::Restricted, version: Version::LATEST }) {
        assert!(finding.line as usize <= breaks, "{finding:?}");
        assert!(!finding.found.is_empty(), "{finding:?}");
    }
}
