//! Any bytes: reading them as a definition of an orchestrator never panics and never runs away, and neither does any check
//! of what comes out; every place that is named lies within the text.

use boltseal_orchestrator::{
    checks::{self, Options, aci::baseline},
    pss::{Level, Version},
    read::{Read, read},
    validating,
};

/// Reads `bytes` and checks what they say.
pub fn body(bytes: &[u8]) {
    let Ok(read) = read("x", bytes) else { return };
    // A parser of YAML counts other line breaks too.
    let breaks = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).count();
    for level in Level::ALL {
        for finding in checks::run(&read, Options { level, version: Version::LATEST }) {
            assert!(finding.line as usize <= breaks + 1, "{finding:?}");
            assert!(!finding.found.is_empty(), "{finding:?}");
        }
    }
    baseline::judge(&read);
    // Policies among it apply as their bindings say; all of them at once, where they were given for it.
    for given in [Read::default(), read.clone()] {
        let judged = validating::judge(&read, &given);
        assert!(
            judged
                .findings
                .iter()
                .all(|finding| finding.line as usize <= breaks + 1 && !finding.found.is_empty())
        );
        assert!(judged.gaps.iter().all(|gap| gap.line as usize <= breaks + 1));
    }
}
