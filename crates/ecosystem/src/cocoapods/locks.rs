//! `Podfile.lock`.

use crate::{
    lock::{Lock, Pin, Reader, file_name},
    outline::lines,
};

pub(super) fn reader(path: &str) -> Option<Reader> {
    (file_name(path) == "Podfile.lock").then_some(read)
}

/// `- Name (1.0)` or `- Name/Part (1.0):` below `PODS`; what stands deeper is what those need.
fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let text = lock.text();
    let (mut section, mut seen) = ("", false);
    for line in lines(&text) {
        if line.indent == 0 {
            section = line.key;
            seen |= section == "PODS";
        } else if section == "PODS" && line.item && line.indent == 4 {
            let pod =
                line.key.split_once(" (").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
            out.extend(pod.map(|(name, version)| Pin::new(name, version)));
        }
    }
    if seen { Ok(()) } else { Err("there is no `PODS`".to_owned()) }
}
